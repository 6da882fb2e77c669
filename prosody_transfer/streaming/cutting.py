"""Where a stream is cut into phrases: at pauses, and at the latest after some seconds."""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.runs import runs

STEP_SECONDS = 0.010
_SMOOTH_STEPS = 5  # 50 ms: bridges the closure of a stop
_HISTORY_STEPS = 1000  # 10 s, over which the noise and the strong frames are followed
_FLOOR_DB, _STRONGEST_DB = -110.0, -40.0  # no level is below the first; speech has moments above the second
_MARGIN_DB, _NEAR_DB, _FAR_DB = 9.0, 18.0, 38.0  # as in `audio.segment`: above the noise, below the strong frames
_PAUSE_STEPS = 12  # 120 ms: long enough to cut in
_CLEAR_STEPS = 30  # 300 ms: so long a pause ends a phrase at once
_LEAST_SECONDS = 0.5  # of a phrase
_EARLY_SHARE = 0.5  # of the longest phrase: before that no pause ends it at once
_SPOKEN_STEPS = 8  # of activity: fewer are a click
_LATE_SHARE = 0.3  # of the longest phrase: where there is no pause, it is cut at the quietest place of its end


class PhraseCutter:
    """Finds phrases while the sound comes; what it says depends on the samples alone, not on how they are given.

    A phrase ends in the middle of the first pause of 300 ms after half of the longest, and otherwise, once it has got
    to the longest, at the pause that is best: long ones and late ones are preferred. Where it has none, it is cut at
    the quietest place of its last third.

    Args:
        sample_rate: Hz.
        hop_length: Cuts are at multiples of it.
        longest_seconds: No phrase is longer.
    """

    def __init__(self, sample_rate: int, hop_length: int, longest_seconds: float) -> None:
        self._step = round(STEP_SECONDS * sample_rate)
        self._hop = hop_length
        self._longest = int(longest_seconds * sample_rate) // self._step
        self._shortest = round(_LEAST_SECONDS / STEP_SECONDS)
        self._rest = np.zeros(0, np.float32)
        self._level = np.zeros(0)  # dB of each step since `_first`
        self._active = np.zeros(0, bool)
        self._first = 0
        self._start = 0  # of the phrase, in steps
        self._strong = self._noise = _FLOOR_DB
        self._counted = 0

    def push(self, samples: np.ndarray) -> list[tuple[int, bool]]:
        """The next samples, (N,) -> the cuts that are found: the sample, and whether what ends there holds speech."""
        self._rest = np.concatenate([self._rest, samples])
        count = len(self._rest) // self._step
        if not count:
            return []
        frames = self._rest[: count * self._step].reshape(count, self._step).astype(np.float64)
        self._rest = self._rest[count * self._step :]
        cuts = []
        for power in frames.var(1):  # not the mean square: an offset is no sound
            self._add(10 * np.log10(power + 1e-11))
            cut = self._decide()
            if cut is not None:
                cuts.append((round(cut * self._step / self._hop) * self._hop, self._speaks(cut)))
                self._begin(cut)
        return cuts

    def finish(self) -> bool:
        """Whether what is left holds speech."""
        return self._speaks(self._first + len(self._level))

    def _add(self, level: float) -> None:
        self._level = np.append(self._level, level)
        now = len(self._level) - 1 - _SMOOTH_STEPS // 2  # the last step whose surroundings are known
        if now < 0:
            self._active = np.append(self._active, False)
            return
        if self._counted % 10 == 0:
            self._follow()
        self._counted += 1
        around = self._level[max(0, now - _SMOOTH_STEPS // 2) :]
        smooth = 10 * np.log10((10 ** (around / 10)).mean())
        threshold = np.clip(self._noise + _MARGIN_DB, self._strong - _FAR_DB, self._strong - _NEAR_DB)
        self._active = np.append(self._active, False)
        self._active[now] = smooth > threshold

    def _follow(self) -> None:
        """The levels of the noise and of strong speech, over the last seconds."""
        recent = self._level[-_HISTORY_STEPS:]
        self._noise = float(np.percentile(recent, 10))
        strong = float(np.percentile(recent[recent >= recent.max() - 30], 90))
        self._strong = max(strong, _STRONGEST_DB)

    def _decide(self) -> int | None:
        """The step to cut at, or None: not yet."""
        size = self._first + len(self._level) - self._start
        if size < self._shortest:
            return None
        active = self._active[self._start - self._first :]
        level = self._level[self._start - self._first :]
        if size >= self._longest:
            return self._start + _best(level, active, self._shortest, self._longest)
        heard = np.flatnonzero(active)
        silent = size - (heard[-1] + 1 if len(heard) else 0) - _SMOOTH_STEPS // 2
        if size >= _EARLY_SHARE * self._longest and silent >= _CLEAR_STEPS and len(heard) >= _SPOKEN_STEPS:
            return self._start + size - (silent + _SMOOTH_STEPS // 2) // 2
        return None

    def _speaks(self, stop: int) -> bool:
        return bool(self._active[self._start - self._first : stop - self._first].sum() >= _SPOKEN_STEPS)

    def _begin(self, cut: int) -> None:
        self._start = cut
        drop = min(cut - self._first, max(0, len(self._level) - _HISTORY_STEPS))
        self._level, self._active, self._first = self._level[drop:], self._active[drop:], self._first + drop


def _best(level: np.ndarray, active: np.ndarray, shortest: int, longest: int) -> int:
    """The step to cut a phrase at that has got too long, [shortest, longest]."""
    best, best_score = -1, -1.0
    for start, stop in runs(~active):
        a, b = max(start, shortest), min(stop, longest)
        if b - a >= _PAUSE_STEPS // 2 and stop - start >= _PAUSE_STEPS:
            score = min(stop - start, 2 * _CLEAR_STEPS) / (2 * _CLEAR_STEPS) + 0.5 * (b - shortest) / longest
            if score > best_score:
                best, best_score = (a + b) // 2, score
    if best >= 0:
        return best
    near = max(shortest, longest - int(_LATE_SHARE * longest))
    pairs = level[near : longest - 1] + level[near + 1 : longest]
    return near + 1 + int(np.argmin(pairs)) if len(pairs) else longest
