"""All of it in one call: a text, or sentences of items, to words, parse, distances, kind, prominence and boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.linguistics.items import Item, items_of, sentences_of
from prosody_transfer.text.linguistics.kinds import kind_of
from prosody_transfer.text.linguistics.parser import VECTOR, Parse, parse, split
from prosody_transfer.text.linguistics.predictor import SHIPPED, Predicted, load_predictor
from prosody_transfer.text.linguistics.tree import Tree, bracketed, constituents, heights
from prosody_transfer.text.linguistics.words import Word, words_of


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Attributes:
        items: Words and signs of punctuation, in order.
        words: The words alone, with what the parse says of them.
        tree: Constituents over the words.
        kind: One of `kinds.KINDS`.
        predicted: Prominence and boundary of each word.
        vectors: (W + 1, `parser.VECTOR`) float16, of each word in its context, and last of the whole with its signs.
    """

    items: tuple[Item, ...]
    words: tuple[Word, ...]
    tree: Tree
    kind: str
    predicted: Predicted
    vectors: np.ndarray = field(compare=False, repr=False)

    @property
    def distances(self) -> list[int]:
        """Syntactic distance of each word from the one before."""
        return heights(self.tree)

    def by_item(self, values: Sequence[Any]) -> list[Any]:
        """Values of the words, at their items; None at punctuation."""
        waiting = iter(values)
        return [next(waiting) if item.is_word else None for item in self.items]

    def as_json(self) -> dict[str, Any]:
        """What `ptx linguistics --json` prints of it: lists with an entry a word, and what is of the whole."""
        found, words = self.predicted, self.words
        of_words = {
            name: [getattr(w, field) for w in words]
            for name, field in (("words", "text"), ("starts", "start"), ("tags", "tag"), ("deps", "dep"),
                                ("heads", "head"), ("open_class", "open_class"), ("compound", "compound"),
                                ("before", "before"), ("after", "after"))
        }  # fmt: skip
        return {
            "kind": self.kind, "parse": bracketed(self.tree, [w.text for w in words]), **of_words,
            "syntactic_distances": self.distances, "prominence": found.prominences,
            "prominence_value": _rounded(found.values), "boundary": found.boundaries,
            "boundary_probability": _rounded(found.breaks),
        }  # fmt: skip


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 3) for value in values]


def text_as_json(sentences: Sequence[Sentence]) -> dict[str, Any]:
    """A whole text: lists over all words, kind and parse where it is one sentence, and each sentence by itself."""
    each = [sentence.as_json() for sentence in sentences]
    alone = each[0] if len(each) == 1 else {"kind": None, "parse": None}
    joined = {
        name: [value for found in each for value in found[name]]
        for name in ("words", "tags", "syntactic_distances", "prominence", "boundary")
    }
    return {"kind": alone["kind"], "parse": alone["parse"], **joined, "sentences": each}


def items_as_json(sentence: Sentence | None, n_items: int) -> dict[str, list[Any]]:
    """By item, null at punctuation: `{"prominence": [1, 2, null], "boundary": [0, 2, null], ...}`."""
    if sentence is None:
        return {name: [None] * n_items for name in _BY_ITEM}
    found = sentence.as_json()
    return {name: sentence.by_item(found[name]) for name in _BY_ITEM}


_BY_ITEM = ("prominence", "boundary", "prominence_value", "boundary_probability")


def analyse(text: str, model: Path = SHIPPED) -> list[Sentence]:
    """The sentences of a text.

    Raises:
        TranscriptError: It holds no words.
        DependencyError: The extra `speak` is not installed.
        ModelError: The predictor is missing or damaged.
    """
    sentences = sentences_of(text, split)
    if not any(item.is_word for sentence in sentences for item in sentence):
        raise TranscriptError("holds no words", place="text", remedy="write what is to be said")
    return _analysed(sentences, model)


def analyse_items(sentences: Sequence[Sequence[str]], model: Path = SHIPPED) -> list[Sentence | None]:
    """Sentences whose words and signs of punctuation are given one by one; None for one that has no words.

    Raises:
        DependencyError, ModelError: As `analyse`.
    """
    items = [items_of(words, split) for words in sentences]
    spoken = [any(item.is_word for item in sentence) for sentence in items]
    found = iter(_analysed([sentence for sentence, is_spoken in zip(items, spoken, strict=True) if is_spoken], model))
    return [next(found) if is_spoken else None for is_spoken in spoken]


def _analysed(sentences: Sequence[Sequence[Item]], model: Path) -> list[Sentence]:
    predictor = load_predictor(model)
    found = []
    for items, parsed in zip(sentences, parse(sentences), strict=True):
        words, tree = words_of(items, parsed), constituents(parsed)
        predicted = predictor.predict(words, tree)
        found.append(Sentence(tuple(items), tuple(words), tree, kind_of(words), predicted, _vectors(parsed)))
    return found


def _vectors(parsed: Parse) -> np.ndarray:
    """Means over the tokens of each word, and over all tokens."""
    vectors = np.zeros((len(parsed.words), VECTOR)) if parsed.vectors is None else parsed.vectors.astype(float)
    owner = np.array(parsed.words)
    rows = [vectors[owner == word].mean(0) for word in range(owner.max() + 1)]
    return np.array([*rows, vectors.mean(0)], np.float16)
