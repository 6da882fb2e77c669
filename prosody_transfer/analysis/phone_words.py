"""Which word each phone of a measured recording belongs to, from its text: the cache keeps no words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import phone_id
from prosody_transfer.text.readings import readings

SILENCE_ID = 0  # of `text.phones.PHONES`


def words_of_phones(phones: Sequence[int] | np.ndarray, text: str) -> np.ndarray:
    """The number of each phone's word, (P,) int64 from 0 and rising; a run of pauses is a word.

    Args:
        phones: (P,) indices into PHONES, as aligned: the words' pronunciations in order, with pauses between them.
        text: What is said. Where the phones are not those of its words (another aligner's dictionary), a word is
            whatever stands between two pauses.
    """
    ids = [int(p) for p in phones]
    found = (_word_starts(ids, [_spellings(word) for word in words]) for words in (readings(text) if text else ()))
    starts = next((starts for starts in found if starts is not None), None)
    quiet = np.array(ids) == SILENCE_ID
    begins = quiet & ~np.roll(quiet, 1) | ~quiet & np.roll(quiet, 1)
    if len(begins):
        begins[0] = False
    begins[starts or []] = True
    return np.cumsum(begins) - int(begins[:1].sum())


def _spellings(word: str) -> set[tuple[int, ...]]:
    return {tuple(phone_id(p) for p in variant) for variant in pronounce(word)}


def _word_starts(ids: list[int], words: list[set[tuple[int, ...]]]) -> list[int] | None:
    """The index of each word's first phone; None when the phones can't be read as these words."""

    def after_pauses(at: int) -> int:
        while at < len(ids) and ids[at] == SILENCE_ID:
            at += 1
        return at

    reached: list[dict[int, tuple[int, int]]] = []  # after each word: where it may end -> its start, the end before it
    ends = [0]
    for spellings in words:
        found: dict[int, tuple[int, int]] = {}
        for end in ends:
            start = after_pauses(end)
            for spelling in spellings:
                if tuple(ids[start : start + len(spelling)]) == spelling:
                    found.setdefault(start + len(spelling), (start, end))
        reached.append(found)
        ends = list(found)
    last = [end for end in ends if after_pauses(end) == len(ids)]
    if not last or not words:
        return None
    starts, at = [], last[0]
    for found in reversed(reached):
        start, at = found[at]
        starts.append(start)
    return starts[::-1]
