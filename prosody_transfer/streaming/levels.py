"""Level and register of a stream: from what has been heard so far, beginning with what is usual, moving in ramps."""

from __future__ import annotations

import numpy as np

from prosody_transfer.audio.levelling import STEP_SECONDS, level_source
from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.statistics import SpeakerStatistics, shrink
from prosody_transfer.streaming.timeline import Timeline

CONTEXT_SECONDS = 15.0  # before a phrase, over which its level is measured
RAMP_STEPS, RAMP_FRAMES = 20, 19  # 200 ms, in which level and register go over from one phrase's to the next one's
LOWEST_HZ, HIGHEST_HZ, BINS_PER_OCTAVE = 40.0, 800.0, 240  # of the histogram, 5 cents a bin
HALF_LIFE_SECONDS = 300.0  # of voiced speech: another speaker is followed


class GainCurve:
    """How much a stream is raised for the networks, every 10 ms, in dB; the way back is the same curve.

    What `audio.levelling.level_source` says of the last seconds and the phrase. Until speech has been heard it is 0 dB:
    as it comes. It never jumps.

    Args:
        sample_rate: Hz.

    Attributes:
        curve: dB of each step of 10 ms.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.step = round(STEP_SECONDS * sample_rate)
        self.context = round(CONTEXT_SECONDS * sample_rate)
        self.curve = Timeline(np.float64)
        self._last = -CONTEXT_SECONDS  # when speech was heard last, s

    def extend(self, sound: Timeline, start: int, stop: int, end: int, speaks: bool) -> None:
        """Find it for a phrase.

        Args:
            sound: The stream so far, from `context` samples before the phrase on.
            start, stop: Of the phrase, samples.
            end: How far `sound` is known and used, beyond `stop`; the curve there is found again with the next phrase.
            speaks: Whether it holds speech.
        """
        first, last = start // self.step, -(-end // self.step)
        before = self.curve.held(first - 1, first)[0] if self.curve.stop else None
        if speaks:
            self._last = stop / self.sample_rate
        if stop / self.sample_rate - self._last < CONTEXT_SECONDS:
            low = max(0, start - self.context) // (16 * self.step) * 16 * self.step
            level = level_source(sound.part(low, end), self.sample_rate).level
            values = np.full(last - first, level.gain_db)
            if level.ride_db is not None:
                at = np.arange(first, last) - low // self.step
                values += level.ride_db[np.minimum(at, len(level.ride_db) - 1)]
            if before is not None:
                share = np.minimum(np.arange(1, last - first + 1) / RAMP_STEPS, 1.0)
                values = before + (values - before) * share
        else:
            values = np.full(last - first, before or 0.0)
        self.curve.replace_from(first, values)

    def factor(self, start: int, stop: int, sign: int = 1) -> np.ndarray:
        """What samples [start, stop) are raised by, a factor; with `sign` -1 what they are lowered by again."""
        low, high = start // self.step - 1, stop // self.step + 2
        at = (np.arange(start, stop) + 0.5) / self.step - 0.5
        decibels = np.interp(at, np.arange(low, high), self.curve.held(low, high))
        return (10 ** (sign * decibels / 20)).astype(np.float32)


class Register:
    """The speaker's median F0, ln Hz, as far as what has been said tells; older speech counts less and less.

    Begins with the prior of `features.statistics` and settles with the first words.
    """

    def __init__(self, config: MelConfig) -> None:
        self._seconds = config.hop_length / config.sample_rate
        self._low = np.log(LOWEST_HZ)
        self._bin = np.log(2) / BINS_PER_OCTAVE
        self._counts = np.zeros(int(np.log(HIGHEST_HZ / LOWEST_HZ) / self._bin) + 1)
        self.level: float | None = None

    def add(self, log_f0: np.ndarray, voiced: np.ndarray) -> np.ndarray:
        """The level on a phrase's frames, (T,), after the phrase has been counted; it begins where the last ended."""
        values = log_f0[voiced].astype(np.float64)
        self._counts *= 0.5 ** (len(values) * self._seconds / HALF_LIFE_SECONDS)
        index = np.clip(((values - self._low) / self._bin).astype(int), 0, len(self._counts) - 1)
        self._counts += np.bincount(index, minlength=len(self._counts))
        before, self.level = self.level, self._measured()
        if before is None:
            return np.full(len(log_f0), self.level)
        share = np.minimum(np.arange(1, len(log_f0) + 1) / RAMP_FRAMES, 1.0)
        return before + (self.level - before) * share

    def _measured(self) -> float:
        total = float(self._counts.sum())
        ends = np.cumsum(self._counts)
        at = int(np.searchsorted(ends, total / 2))
        inside = (total / 2 - (ends[at] - self._counts[at])) / self._counts[at] if total else 0.5
        median = float(self._low + (at + inside) * self._bin)
        statistics = SpeakerStatistics(log_f0_median=median, log_f0_spread=0.0, voiced_seconds=total * self._seconds)
        return shrink(statistics).log_f0_median
