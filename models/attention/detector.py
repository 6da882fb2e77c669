"""Words that attention lost: dropped, said twice, or mumbled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEAST_FRAMES = 1.5  # of attention that a phone needs to be heard
BACK = 3  # phones that attention goes back and stays, to be saying them again
BLURRED = 0.6  # share of a step's attention within a phone of its peak, below which nothing is said clearly
SHARE = 0.5  # of a word's phones, or of its steps, that must be so


class Lost(NamedTuple):
    """What went wrong, by the word's number, or the phone's where words are unknown."""

    dropped: tuple[int, ...]
    repeated: tuple[int, ...]
    mumbled: tuple[int, ...]

    def any(self) -> bool:
        return bool(self.dropped or self.repeated or self.mumbled)


def lost_words(
    weights: np.ndarray, frames_per_step: int, words: Sequence[int] | np.ndarray, silent: Sequence[bool] | np.ndarray
) -> Lost:
    """Look for them along the path of attention.

    Args:
        weights: (S, P), each row sums to 1.
        words: (P,) which word each phone belongs to, rising.
        silent: (P,) which phones are pauses; they are no words.
    """
    numbers, pause = np.asarray(words), np.asarray(silent)
    attended = weights.sum(0) * frames_per_step  # (P,)
    path = weights.argmax(1)
    furthest = np.maximum.accumulate(path)
    again = path <= furthest - BACK
    near = np.abs(np.arange(weights.shape[1])[None] - path[:, None]) <= 1
    blurred = (weights * near).sum(1) < BLURRED
    dropped, repeated, mumbled = [], [], []
    for word in np.unique(numbers[~pause]):
        own = (numbers == word) & ~pause
        steps = own[path]
        if np.mean(attended[own] < LEAST_FRAMES) > SHARE:
            dropped.append(int(word))
        elif np.sum(again & steps) * frames_per_step >= 8:
            repeated.append(int(word))
        elif steps.any() and np.mean(blurred[steps]) > SHARE:
            mumbled.append(int(word))
    return Lost(tuple(dropped), tuple(repeated), tuple(mumbled))


def describe_lost(lost: Lost, of: int) -> str:
    """A line for the user; "" where nothing is lost.

    >>> describe_lost(Lost((3,), (), (5, 6)), 9)
    'attention dropped 1 and mumbled 2 of 9 words; the model copycat loses none'
    """
    counts = [(name, len(found)) for name, found in zip(Lost._fields, lost, strict=True) if found]
    if not counts:
        return ""
    told = " and ".join(f"{name} {count}" for name, count in counts)
    return f"attention {told} of {of} words; the model copycat loses none"
