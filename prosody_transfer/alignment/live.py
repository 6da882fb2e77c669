"""Phones while they are spoken: the best path so far, of which what lies some frames back is final."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prosody_transfer.alignment.recognise import BIGRAM_WEIGHT, MINIMUM_FRAMES, SWITCH_PENALTY
from prosody_transfer.core.types import SILENCE
from prosody_transfer.text.phones import PHONES

LAG = 6  # frames, 64 ms: in which the path may still change its mind


class LivePhone(NamedTuple):
    """A phone that is over.

    Attributes:
        phone: One of PHONES; silence too.
        start, end: Seconds.
        confidence: Its mean posterior, 0 to 1.
        known: Seconds of sound that had been heard when it was known.
    """

    phone: str
    start: float
    end: float
    confidence: float
    known: float


class LiveDecoder:
    """`recognise.viterbi`, decided `lag` frames late and never changed afterwards.

    Args:
        bigram: (V, V) natural-log probability of the second phone after the first.
        frame_seconds: From one frame to the next.
        lag: Frames.
    """

    def __init__(self, bigram: np.ndarray, frame_seconds: float, lag: int = LAG) -> None:
        size = len(bigram)
        self._change = BIGRAM_WEIGHT * bigram - SWITCH_PENALTY
        self._change[np.arange(size), np.arange(size)] = -np.inf
        self._step, self._lag = frame_seconds, lag
        self._first, self._later = np.zeros(size), np.full(size, -np.inf)
        self._back: list[tuple[np.ndarray, np.ndarray]] = []  # of the frames that are not decided
        self._rows: list[np.ndarray] = []
        self._heard = 0  # frames
        self._phone, self._start, self._sum, self._count = -1, 0, 0.0, 0

    def push(self, posteriors: np.ndarray) -> list[LivePhone]:
        """Frames (T, V), each a distribution -> the phones that are known to be over by now."""
        found: list[LivePhone] = []
        for row in posteriors:
            self._advance(row)
            if len(self._back) > self._lag:
                found += self._decide(self._trace()[0])
        return found

    def finish(self) -> list[LivePhone]:
        """The rest."""
        found: list[LivePhone] = []
        if self._back:
            for phone in self._trace(over=True):
                found += self._decide(phone)
        if self._phone >= 0:
            found.append(self._over(self._start + self._count))
        return found

    def _advance(self, row: np.ndarray) -> None:
        logs, size = np.log(row + 1e-6), len(row)
        if not self._heard:
            came, stayed = np.zeros(size, int), np.zeros(size, bool)
            self._first, self._later = logs.copy(), np.full(size, -np.inf)
        else:
            arriving = self._later[:, None] + self._change
            came, stayed = arriving.argmax(0), self._later >= self._first
            best = max(self._first.max(), self._later.max())
            self._later = np.maximum(self._first, self._later) + logs - best
            self._first = arriving[came, np.arange(size)] + logs - best
        self._back.append((came, stayed))
        self._rows.append(row)
        self._heard += 1

    def _trace(self, over: bool = False) -> list[int]:
        """The phones of all frames that are not decided, along the best path; the last of a recording is whole."""
        in_first = self._heard == 1 if over else bool(self._first.max() > self._later.max())
        phone, path = int((self._first if in_first else self._later).argmax()), []
        for came, stayed in reversed(self._back):
            path.append(phone)
            if in_first:
                phone, in_first = int(came[phone]), False
            else:
                in_first = not stayed[phone]
        return path[::-1]

    def _decide(self, phone: int) -> list[LivePhone]:
        """The oldest frame's phone is final."""
        self._back.pop(0)
        row, found = self._rows.pop(0), []
        frame = self._start + self._count
        if phone != self._phone and (self._count >= MINIMUM_FRAMES or self._phone < 0):
            found = [self._over(frame)] if self._phone >= 0 else []
            self._phone, self._start, self._sum, self._count = phone, frame, 0.0, 0
        self._sum, self._count = self._sum + float(row[self._phone]), self._count + 1
        return found

    def _over(self, frame: int) -> LivePhone:
        times = (self._start * self._step, frame * self._step)
        name = PHONES[self._phone] if self._phone else SILENCE
        return LivePhone(name, *times, self._sum / max(self._count, 1), self._heard * self._step)
