"""A sentence on the time axis while its contours are being made: frames, and where its words and vowels lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prosody_transfer.synthesis.speaking.predicted import Contours
from prosody_transfer.text.phones import is_vowel, phone_class
from prosody_transfer.text.prosody_tokens import Tokens
from prosody_transfer.text.spoken import SpokenWord

SEMITONE = np.log(2) / 12
VOICED_FROM, BELIEVED_FROM = 0.5, 0.35  # of the predicted probability: where it is voiced, where F0 means something
SMOOTH = np.array([0.25, 0.5, 0.25])
SONORANT = ("vowel", "nasal", "liquid")
CONTINUING = ("DH", "V", "Z", "ZH")  # obstruents through which a melody is heard


@dataclass
class Outline:
    """T frames of one sentence; contours are changed in place.

    Attributes:
        words: W of them.
        starts: (P + 1,) int, the frame that each token begins at; the last is T.
        owner: (P,) int, the word of each token, -1 for the first gap.
        names: (P,) phones, "SIL" for gaps.
        log_f0: (T,) relative to the voice's level.
        voiced: (T,) bool.
        energy_db: (T,) relative to the speech level.
    """

    words: tuple[SpokenWord, ...]
    starts: np.ndarray
    owner: np.ndarray
    names: tuple[str, ...]
    log_f0: np.ndarray
    voiced: np.ndarray
    energy_db: np.ndarray

    @property
    def n_frames(self) -> int:
        return int(self.starts[-1])

    def span(self, word: int) -> tuple[int, int]:
        """Frames of a word, without the gap after it."""
        at = np.flatnonzero((self.owner == word) & (np.array(self.names) != "SIL"))
        return int(self.starts[at[0]]), int(self.starts[at[-1] + 1])

    def nucleus(self, word: int) -> tuple[int, int]:
        """Frames of a word's stressed vowel: the last with main stress, or else the first vowel, or else the word."""
        tokens = [i for i in np.flatnonzero(self.owner == word) if is_vowel(self.names[i])]
        if not tokens:
            return self.span(word)
        main = [i for i in tokens if self.names[i].endswith("1")] or [i for i in tokens if self.names[i].endswith("2")]
        chosen = (main or tokens)[-1] if main else tokens[0]
        return int(self.starts[chosen]), int(self.starts[chosen + 1])

    def sounding(self, least: int, stop: int) -> int:
        """The end of the last that has voice before `stop`, at least `least`: what follows carries no tune."""
        carries = [phone_class(name) in SONORANT or name in CONTINUING for name in self.names]
        ends = [int(end) for end, does in zip(self.starts[1:], carries, strict=True) if does]
        return max([least, *(end for end in ends if least <= end <= stop)])

    def voice(self, start: int, stop: int) -> None:
        """Vowels, nasals and liquids between two frames are voiced, so that a tune can be heard."""
        for i, name in enumerate(self.names):
            if phone_class(name) in SONORANT:
                a, b = max(start, int(self.starts[i])), min(stop, int(self.starts[i + 1]))
                self.voiced[a:b] = True


def outline(words: tuple[SpokenWord, ...], tokens: Tokens, frames: np.ndarray, found: Contours) -> Outline:
    """Contours on frames: straight lines between the points where something was said of them, a little smoothed.

    Args:
        frames: (P,) int.
    """
    names, phones = [], iter(phone for word in words for phone in word.phones)
    for gap in tokens.is_gap:
        names.append("SIL" if gap else next(phones))
    starts = np.concatenate([[0], np.cumsum(frames)])
    points = found.log_f0.shape[0]
    at = starts[:-1] + frames * (np.arange(points)[:, None] + 0.5) / points  # (Q, P)
    there = np.broadcast_to(frames > 0, at.shape)
    size = int(starts[-1])
    believed = there & (found.voiced >= BELIEVED_FROM) & ~tokens.is_gap
    log_f0 = _line(at, found.log_f0, believed, size)
    energy = _line(at, found.energy, there, size)
    part = np.zeros(size, int)
    of_token = np.repeat(np.arange(len(frames)), frames)
    part = ((np.arange(size) - starts[of_token] + 0.5) * points / np.maximum(frames[of_token], 1)).astype(int)
    voiced = (found.voiced[np.minimum(part, points - 1), of_token] >= VOICED_FROM) & ~tokens.is_gap[of_token]
    return Outline(words, starts, tokens.word, tuple(names), log_f0, voiced, energy)


def _line(at: np.ndarray, values: np.ndarray, known: np.ndarray, size: int) -> np.ndarray:
    if not known.any():
        return np.zeros(size)
    order = np.argsort(at.T[known.T], kind="stable")
    line = np.interp(np.arange(size) + 0.5, at.T[known.T][order], values.T[known.T][order])
    return np.convolve(np.pad(line, 1, mode="edge"), SMOOTH, "valid")
