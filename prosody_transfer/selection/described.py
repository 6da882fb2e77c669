"""A parsed sentence as numbers that sentences are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.text.linguistics.analysis import Sentence
from prosody_transfer.text.linguistics.features import sign_kind
from prosody_transfer.text.linguistics.kinds import KINDS

TAGS = (
    ("",), ("NNP", "NNPS"), ("NN", "NNS"), ("VBG", "VBN"), ("VB", "VBP", "VBZ", "VBD"), ("MD",), ("JJ", "JJR", "JJS"),
    ("RB", "RBR", "RBS"), ("PRP", "EX"), ("PRP$", "POS"), ("DT", "PDT"), ("IN", "TO"), ("CC",),
    ("WP", "WDT", "WRB", "WP$"), ("RP",), ("CD",), ("UH",),
)  # fmt: skip
SIGNS = ("final", "?", "!", "comma", "semicolon", "")  # the classes after those of `TAGS` and one for other tags
_OF_TAG = {tag: number for number, tags in enumerate(TAGS) for tag in tags}


@dataclass(frozen=True)
class Described:
    """A sentence of W words.

    Attributes:
        distances: (W + 1,) syntactic distance of each word from the one before as a share of the greatest; last 1, that
            of the sign that ends it.
        tags: (W + 1,) int, class of each word's tag, and of that sign.
        kind: Number of its kind in `linguistics.kinds.KINDS`.
        vector: (V,) of the whole in its context.
    """

    distances: np.ndarray
    tags: np.ndarray
    kind: int
    vector: np.ndarray


def tag_class(tag: str) -> int:
    """The number of a Penn tag's class, `len(TAGS)` of one that is in none."""
    return _OF_TAG.get(tag, len(TAGS))


def describe(sentence: Sentence) -> Described:
    """What a sentence is compared by."""
    distances = np.array(sentence.distances, float)
    ending = sign_kind(sentence.words[-1].after) or "final"
    tags = [*(tag_class(word.tag) for word in sentence.words), len(TAGS) + 1 + SIGNS.index(ending)]
    relative = np.append(distances / max(1.0, distances.max()), 1.0)
    return Described(relative, np.array(tags), KINDS.index(sentence.kind), sentence.vectors[-1].astype(np.float32))


def graph(sentences: Sequence[Sentence]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words of a text in the graph of its parses.

    Returns:
        Contextual vectors (W, V) float32; tag classes (W,) int64; and (W, W) float32, by which means over each word and
        its neighbours in the parse are taken: rows sum to 1.
    """
    vectors = np.concatenate([sentence.vectors[:-1] for sentence in sentences]).astype(np.float32)
    tags = np.array([tag_class(word.tag) for sentence in sentences for word in sentence.words], np.int64)
    joined, start = np.eye(len(tags), dtype=np.float32), 0
    for sentence in sentences:
        for i, word in enumerate(sentence.words):
            joined[start + i, start + word.head] = joined[start + word.head, start + i] = 1.0
        start += len(sentence.words)
    return vectors, tags, joined / joined.sum(1, keepdims=True)
