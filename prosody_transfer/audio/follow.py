"""Loudness over time, given to a recording from another one."""

from __future__ import annotations

import numpy as np

from prosody_transfer.audio.resample import resample

# Compared below 8 kHz: a source recorded at 16 kHz has nothing above, and must not turn down the output's fricatives.
COMPARED_RATE = 16_000
FLOOR_DB = -40.0  # below the loudest moment: softer than that there is no speech whose loudness could be followed
FRAME_SECONDS = 0.005


def envelope(waveform: np.ndarray, sample_rate: int, smoothing_seconds: float) -> np.ndarray:
    """Level of frames of `FRAME_SECONDS` under a triangle of twice `smoothing_seconds`, (N,) -> (F,) dB.

    It is at least `FLOOR_DB` below its largest value.
    """
    if sample_rate > COMPARED_RATE:
        waveform, sample_rate = resample(waveform, sample_rate, COMPARED_RATE), COMPARED_RATE
    size = round(FRAME_SECONDS * sample_rate)
    padded = np.pad(waveform, (0, -len(waveform) % size)).reshape(-1, size)
    power = np.square(padded, dtype=np.float64).mean(1)
    half = max(1, round(smoothing_seconds / FRAME_SECONDS))
    triangle = np.bartlett(2 * half + 1)
    smooth = np.convolve(np.pad(power, half), triangle / triangle.sum(), "valid")
    level = 10 * np.log10(np.maximum(smooth, 1e-12))
    return np.maximum(level, level.max() + FLOOR_DB)


def follow_loudness(
    waveform: np.ndarray, model: np.ndarray, sample_rate: int, *, smoothing_seconds: float = 0.035,
    limit_db: float = 9.0, strength: float = 1.0,
) -> np.ndarray:  # fmt: skip
    """A recording as loud, moment by moment, as another one.

    Smoothing and limit are those that docs/experiments.md found: shorter smoothing follows pitch periods and
    harms the voice.

    Args:
        waveform, model: (N,) float32, at the same speech level.
        smoothing_seconds: Of the gain.
        limit_db: The gain lies within +- this.
        strength: 0 leaves the recording as it is.

    Returns:
        (N,) float32.
    """
    wanted, found = (envelope(w, sample_rate, smoothing_seconds) for w in (model, waveform))
    gain_db = np.clip(wanted - found, -limit_db, limit_db) * strength
    size = round(FRAME_SECONDS * sample_rate)
    at = (np.arange(len(waveform), dtype=np.float32) + 0.5) / size - 0.5
    return (waveform * 10 ** (np.interp(at, np.arange(len(gain_db)), gain_db) / 20)).astype(np.float32)
