"""A source brought to the level of the networks, soft lines too, and its loudness given back to what is spoken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.limiter import Moment, limit_in_place
from prosody_transfer.audio.loudness import frame_power, normalise_level
from prosody_transfer.audio.resample import resample_sound
from prosody_transfer.core.runs import runs
from prosody_transfer.core.spool import LikeIt, Sound, blocks, gather

STEP_SECONDS = 0.01
SMOOTH_STEPS = 5  # 50 ms: within a vowel
AROUND_STEPS = 40  # 400 ms on each side: running speech has a strong vowel within
# Below the strongest: lines above the first stay, those below the second become as strong.
SOFT_DB, FULL_DB = 14.0, 28.0
DEEPEST_DB = 50.0  # below the strongest: softer than that is no line
RISE_DB, RISE_STEPS = 8.0, 80  # of a syllable over what is within 800 ms before and after it
BAND_RATE = 2000
RAMP_STEPS = 10  # 100 ms
LEAST_STEPS = 60  # with its surroundings; shorter is a breath, a click or the tail of a line


@dataclass(frozen=True)
class SourceLevel:
    """How a source was brought to the level of the networks, and the way back.

    Attributes:
        gain_db: What all of it was raised by.
        sample_rate: Hz.
        samples: N.
        ride_db: (R,) what was added to that, every 10 ms from the first on, 0 or more; None where nothing was.
    """

    gain_db: float
    sample_rate: int
    samples: int
    ride_db: np.ndarray | None = None

    def at_frames(self, hop_length: int, n_frames: int) -> np.ndarray | None:
        """What was added at frames that are centred on multiples of `hop_length`, (T,) dB; None where nothing was."""
        if self.ride_db is None:
            return None
        at = np.arange(n_frames) * (hop_length / self.sample_rate / STEP_SECONDS) - 0.5
        return np.interp(at, np.arange(len(self.ride_db)), self.ride_db)  # type: ignore[no-any-return]

    def unridden(self, waveform: LikeIt) -> LikeIt:
        """What was spoken, (N',), with soft lines as soft as they were; float32 at the speech level.

        A longer or shorter N' is the same timeline stretched.
        """
        if self.ride_db is None:
            return waveform.astype(np.float32, copy=False) if isinstance(waveform, np.ndarray) else waveform  # type: ignore[return-value]
        scale = self.samples / max(1, len(waveform)) / self.sample_rate / STEP_SECONDS
        ride_db, steps = self.ride_db, np.arange(len(self.ride_db), dtype=np.float64)

        def moved(part: slice) -> np.ndarray:
            at = (np.arange(part.start, part.stop) + 0.5) * scale - 0.5
            gain = (10 ** (-np.interp(at, steps, ride_db) / 20)).astype(np.float32)
            return waveform[part].astype(np.float32, copy=False) * gain

        return gather((moved(part) for part in blocks(len(waveform))), waveform)

    def give_back(self, waveform: LikeIt, sample_rate: int | None = None) -> tuple[LikeIt, list[Moment]]:
        """What was spoken, (N',), as loud as the source was; where that would clip, that moment is limited.

        Args:
            sample_rate: Of `waveform`, Hz; None for the source's. The same timeline at another rate.
        """
        gain = np.float32(10 ** (-self.gain_db / 20))
        soft = self.unridden(waveform)
        out = gather((soft[part] * gain for part in blocks(len(soft))), soft)
        return out, limit_in_place(out, sample_rate or self.sample_rate)


@dataclass(frozen=True)
class Levelled:
    """A source as everything that measures and speaks sees it.

    Attributes:
        waveform: (N,) float32, high-passed, its speech at -26 dBFS, lines far softer than others raised to them.
        level: What was done to its loudness.
    """

    waveform: Sound
    level: SourceLevel


def level_source(waveform: Sound, sample_rate: int) -> Levelled:
    """Take out what lies below the voice, bring the speech to -26 dBFS, and raise lines far softer than the strongest.

    Networks and gates are made for speech at one level. A line more than `SOFT_DB` softer is raised, from `FULL_DB` on
    to the level of the strongest; the gain moves in pauses. Ordinary speech, however its level moves within a line, is
    only scaled.

    Args:
        waveform: (N,), [-1, 1].
        sample_rate: Hz.
    """
    levelled, gain_db = normalise_level(high_pass(waveform, sample_rate), sample_rate)
    ride = _ride(levelled, sample_rate)
    level = SourceLevel(gain_db, sample_rate, len(levelled), ride)
    if ride is None:
        return Levelled(levelled, level)
    return Levelled(SourceLevel(gain_db, sample_rate, len(levelled), -ride).unridden(levelled), level)


def _ride(waveform: Sound, sample_rate: int) -> np.ndarray | None:
    """dB to add every 10 ms, (R,), or None where no line is soft enough."""
    # Below 1 kHz: there a voice has its energy, and breaths and hiss have little.
    power = frame_power(resample_sound(waveform, sample_rate, BAND_RATE), BAND_RATE, STEP_SECONDS)
    padded = np.pad(power, SMOOTH_STEPS // 2, mode="edge")
    level = 10 * np.log10(np.maximum(np.convolve(padded, np.full(SMOOTH_STEPS, 1 / SMOOTH_STEPS), "valid"), 1e-13))
    ordered = np.sort(power)
    loudest = 10 * np.log10(max(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)], 1e-13))
    depth = loudest - _around(level, AROUND_STEPS, np.max)
    soft = (depth > SOFT_DB) & (depth < DEEPEST_DB) & _around(_syllables(level), AROUND_STEPS, np.max)
    soft &= _long(soft)
    if not soft.any():
        return None
    raised = np.clip((depth - SOFT_DB) * FULL_DB / (FULL_DB - SOFT_DB), 0, np.maximum(depth, 0))
    ride = _around(np.where(soft, raised, 0.0), RAMP_STEPS, np.min)
    triangle = np.bartlett(2 * RAMP_STEPS + 1)
    return np.convolve(np.pad(ride, RAMP_STEPS, mode="edge"), triangle / triangle.sum(), "valid")


def _syllables(level: np.ndarray) -> np.ndarray:
    """Steps that stand out on both sides, (R,) bool: noise does not rise so far, nor a tail that dies away."""
    window = np.lib.stride_tricks.sliding_window_view
    before = window(np.pad(level, (RISE_STEPS, 0), mode="edge"), RISE_STEPS + 1).min(1)
    after = window(np.pad(level, (0, RISE_STEPS), mode="edge"), RISE_STEPS + 1).min(1)
    return level - np.maximum(before, after) > RISE_DB  # type: ignore[no-any-return]


def _around(values: np.ndarray, half: int, what: Callable[..., Any]) -> np.ndarray:
    """The least or greatest within `half` steps on each side, (n,) -> (n,)."""
    return what(np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="edge"), 2 * half + 1), axis=1)  # type: ignore[no-any-return]


def _long(flags: np.ndarray) -> np.ndarray:
    """True in runs of at least `LEAST_STEPS`."""
    kept = np.zeros(len(flags), bool)
    for start, stop in runs(flags):
        kept[start:stop] = stop - start >= LEAST_STEPS
    return kept
