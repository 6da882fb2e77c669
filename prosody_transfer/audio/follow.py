"""Loudness over time, given to a recording from another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from prosody_transfer.audio.resample import resample_sound
from prosody_transfer.core.spool import Sound, blocks, gather

# Compared below 8 kHz: a source recorded at 16 kHz has nothing above, and must not turn down the output's fricatives.
COMPARED_RATE = 16_000
FLOOR_DB = -45.0  # below the loudest moment: softer than that there is no speech whose loudness could be followed
QUIET_DB, LOUD_DB = -26.0, -14.0  # below the loudest moment around: closures and tails, and vowels
AROUND_SECONDS = 1.0  # a shout elsewhere in a long recording does not make the rest of it quiet
FRAME_SECONDS = 0.005


def envelope(waveform: Sound, sample_rate: int, smoothing_seconds: float) -> np.ndarray:
    """Level of frames of `FRAME_SECONDS` under a triangle of twice `smoothing_seconds`, (N,) -> (F,) dB.

    It is at least `FLOOR_DB` below its largest value.
    """
    return _level_db(compared_power(waveform, sample_rate), smoothing_seconds)


def compared_power(waveform: Sound, sample_rate: int) -> np.ndarray:
    """Mean square of frames of `FRAME_SECONDS`, below 8 kHz, (N,) -> (F,) float64."""
    if sample_rate > COMPARED_RATE:
        waveform, sample_rate = resample_sound(waveform, sample_rate, COMPARED_RATE), COMPARED_RATE
    size = round(FRAME_SECONDS * sample_rate)
    found = []
    for part in blocks(len(waveform), size << 12):
        padded = np.pad(waveform[part], (0, -(part.stop - part.start) % size)).reshape(-1, size)
        found.append(np.square(padded, dtype=np.float64).mean(1))
    return np.concatenate(found) if found else np.zeros(0)


def _level_db(power: np.ndarray, smoothing_seconds: float) -> np.ndarray:
    half = max(1, round(smoothing_seconds / FRAME_SECONDS))
    triangle = np.bartlett(2 * half + 1)
    smooth = np.convolve(np.pad(power, half), triangle / triangle.sum(), "valid")
    level = 10 * np.log10(np.maximum(smooth, 1e-12))
    return np.maximum(level, level.max() + FLOOR_DB)


def follow_loudness(
    waveform: Sound, model: np.ndarray, sample_rate: int, *, loud_seconds: float = 0.12,
    quiet_seconds: float = 0.01, limit_db: float = 12.0, strength: float = 1.0,
) -> Sound:  # fmt: skip
    """A recording as loud, moment by moment, as another one.

    Where the model is loud, syllables are followed but not what happens within them: that belongs to the voice, and
    following it harms the voice. Where it is quiet nobody hears whose voice it is, and most of what a synthesiser gets
    wrong about loudness is there: closures, onsets and tails are followed closely. Values: docs/experiments.md.

    Args:
        waveform: (N,) float32.
        model: (F,), `compared_power` of the other one, as long to a frame, at the same speech level.
        loud_seconds, quiet_seconds: Smoothing of the gain where the model is above `LOUD_DB`, and below `QUIET_DB`,
            both from its loudest moment within `AROUND_SECONDS`; between the two it goes over from one to the other.
        limit_db: The gain lies within +- this.
        strength: 0 leaves the recording as it is.

    Returns:
        (N,) float32.
    """
    own = compared_power(waveform, sample_rate)
    powers = [np.pad(model, (0, max(0, len(own) - len(model))), mode="edge")[: len(own)], own]  # off by a rounding
    slow, fast = ([_level_db(p, seconds) for p in powers] for seconds in (loud_seconds, quiet_seconds))
    around = round(AROUND_SECONDS / FRAME_SECONDS)
    loudest = np.lib.stride_tricks.sliding_window_view(np.pad(fast[0], around, mode="edge"), 2 * around + 1).max(1)
    loud = np.clip((fast[0] - loudest - QUIET_DB) / (LOUD_DB - QUIET_DB), 0, 1)
    gain_db = np.clip(loud * (slow[0] - slow[1]) + (1 - loud) * (fast[0] - fast[1]), -limit_db, limit_db) * strength
    size = round(FRAME_SECONDS * sample_rate)
    exact = np.float32 if len(waveform) <= 1 << 24 else np.float64  # beyond, numbers of samples are no float32
    frames = np.arange(len(gain_db), dtype=np.float64)

    def followed(part: slice) -> np.ndarray:
        half: Any = exact(0.5)
        at = (np.arange(part.start, part.stop).astype(exact) + half) / exact(size) - half
        return (waveform[part] * 10 ** (np.interp(at, frames, gain_db) / 20)).astype(np.float32)  # type: ignore[no-any-return]

    return gather((followed(part) for part in blocks(len(waveform))), waveform)
