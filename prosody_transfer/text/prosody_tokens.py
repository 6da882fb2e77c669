"""Spoken words as what prosody is predicted from: a token for each phone and one for the gap after each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.text.linguistics.kinds import KINDS
from prosody_transfer.text.phones import phone_id, stress_id
from prosody_transfer.text.spoken import SIGNS, SpokenWord

GAP = 0  # the class of a gap among phones, that of silence
CLASSES = (("phone", 40), ("stress", 4), ("sign", len(SIGNS)), ("kind", len(KINDS) + 1))
NUMBERS = (
    "read", "prominence", "boundary", "heard", "heard_prominence", "from_start", "to_end", "since_sign", "until_sign",
    "place", "length", "first", "last",
)  # fmt: skip
_FAR = 10.0  # words; further does not matter


@dataclass(frozen=True)
class Tokens:
    """P tokens.

    Attributes:
        classes: (4, P) int64, as `CLASSES` has them; kind 0 is unknown.
        numbers: (len(NUMBERS), P) float32.
        word: (P,) int, which word each belongs to; a gap belongs to the word before it, the first to none (-1).
    """

    classes: np.ndarray
    numbers: np.ndarray
    word: np.ndarray

    @property
    def is_gap(self) -> np.ndarray:
        """(P,) bool."""
        return self.classes[0] == GAP


def tokens_of(
    words: Sequence[SpokenWord], kind: str | Sequence[str], heard: Sequence[float | None] | None = None
) -> Tokens:  # fmt: skip
    """The tokens of a sentence, a gap before its first word and after each.

    Args:
        kind: Of the sentence, or of each word's.
        heard: How prominent each word is to be, as `features.prominence` measures it; None where that is left open.
    """
    kinds = [kind] * len(words) if isinstance(kind, str) else list(kind)
    given = list(heard) if heard is not None else [None] * len(words)
    signs = [bool(word.sign) for word in words]
    since, until = _distances(signs), _distances([False, *signs[::-1][1:]])[::-1]
    classes: list[tuple[int, ...]] = [(GAP, 0, 0, _kind(kinds[0]))]
    numbers: list[tuple[float, ...]] = [(0.0,) * len(NUMBERS)]
    owner = [-1]
    for i, word in enumerate(words):
        sign, its_kind = SIGNS.index(word.sign), _kind(kinds[i])
        known, asked = word.prominence is not None, given[i] is not None
        common = (
            float(known), word.prominence or 0.0, word.boundary or 0.0, float(asked), (given[i] or 0.0) / 2,
            min(i, _FAR) / _FAR, min(len(words) - 1 - i, _FAR) / _FAR, min(since[i], _FAR) / _FAR,
            min(until[i], _FAR) / _FAR,
        )  # fmt: skip
        size = len(word.phones)
        for place, phone in enumerate(word.phones):
            classes.append((phone_id(phone), stress_id(phone), sign, its_kind))
            numbers.append((*common, place / size, min(size, 10) / 10, place == 0, place == size - 1))
        classes.append((GAP, 0, sign, its_kind))
        numbers.append((*common, 1.0, min(size, 10) / 10, 0.0, 0.0))
        owner += [i] * (size + 1)
    return Tokens(np.array(classes, np.int64).T, np.array(numbers, np.float32).T, np.array(owner))


def _kind(kind: str) -> int:
    return KINDS.index(kind) + 1 if kind in KINDS else 0


def _distances(signs: Sequence[bool]) -> list[int]:
    """Words since the last sign, 0 right after one and at the start."""
    found, count = [], 0
    for sign in signs:
        found.append(count)
        count = 0 if sign else count + 1
    return found
