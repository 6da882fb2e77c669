"""Is a recording good enough to learn from? Thresholds, and the measurements they are put to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prosody_transfer.core.config import Config
from prosody_transfer.features.extract import Features

FLAT_STEP = 5e-5  # full scale is 1: less than two 16-bit steps
CLIP_NEAR = 0.999  # of the recording's own peak, so that clipping is found after the gain was turned down, too
MIN_FLAT = 3  # samples on end
SNR_LIMITS_DB = (-10.0, 80.0)


class Quality(Config):
    """What is demanded of a recording.

    Attributes:
        min_seconds, max_seconds: Length. Longer ones are cut at pauses, into pieces of at most `piece_seconds`.
        min_sample_rate: Hz, of the file.
        max_clipped: Share of its samples that lie in flat tops.
        min_snr_db: Of the speech over the noise between the words.
        min_voiced: Share of the frames within the speech that are voiced.
        min_level_db: Of the speech, re full scale: below is silence.
    """

    min_seconds: float = 0.5
    max_seconds: float = 20.0
    piece_seconds: float = 12.0
    min_sample_rate: int = 16_000
    max_clipped: float = 0.001
    min_snr_db: float = 10.0
    min_voiced: float = 0.10
    min_level_db: float = -60.0

    def lines(self) -> list[tuple[str, str]]:
        """The thresholds for people: reason, and when it is given."""
        return [
            ("short", f"under {self.min_seconds:g} s"),
            ("long", f"over 3 h (over {self.max_seconds:g} s is cut at pauses)"),
            ("sample_rate", f"under {self.min_sample_rate} Hz"),
            ("silent", f"speech level under {self.min_level_db:g} dB re full scale"),
            ("clipped", f"over {100 * self.max_clipped:g} % of the samples in flat tops"),
            ("noisy", f"signal-to-noise ratio under {self.min_snr_db:g} dB"),
            ("unvoiced", f"under {100 * self.min_voiced:g} % of the frames of speech voiced"),
        ]


class Finding(NamedTuple):
    """A reason from `reasons.REASONS`, and the figure behind it."""

    reason: str
    detail: str


def clipped_share(waveform: np.ndarray) -> float:
    """Share of the samples in flat tops: runs of three or more samples within 0.1 % of the peak that do not move.

    Args:
        waveform: (N,) at the file's own rate: resampling rounds flat tops.

    >>> clipped_share(np.clip(np.sin(np.arange(2000) / 30), -0.8, 0.8)) > 0.3, clipped_share(np.sin(np.arange(99)))
    (True, 0.0)
    """
    if not waveform.size:
        return 0.0
    count = 0
    for top in (waveform, -waveform):
        peak = float(top.max())
        if peak <= 0.01:
            continue
        near = top >= CLIP_NEAR * peak
        flat = near[1:] & near[:-1] & (np.abs(np.diff(top)) <= FLAT_STEP * max(1.0, peak))
        edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(np.int8)))
        runs = edges[1::2] - edges[::2] + 1
        count += int(runs[runs >= MIN_FLAT].sum())
    return count / waveform.size


def snr_db(features: Features) -> float:
    """Signal-to-noise ratio of a recording of speech, estimated from its frames' energy.

    The noise is the mean power of the quietest twentieth of the frames, the speech that of the frames within 25 dB of
    the loud ones, less the noise. Without a pause the quietest frames hold speech, and the estimate is too low: for
    tightly cut recordings by a few dB. Digital silence at the ends does not count as quiet.

    Returns:
        dB, -10 to 80.
    """
    energy = features.energy_db
    level = energy[energy > energy.min() + 0.5] if (energy <= energy.min() + 0.5).mean() < 0.9 else energy
    heard = level if level.size else energy
    power = 10 ** (np.asarray(heard, np.float64) / 10)
    ordered = np.sort(power)
    noise = float(ordered[: max(1, len(ordered) // 20)].mean())
    loud = float(np.percentile(power, 95))
    speech = float(power[power >= loud * 10**-2.5].mean())
    low, high = SNR_LIMITS_DB
    if speech <= noise:
        return low
    return float(np.clip(10 * np.log10((speech - noise) / noise), low, high))


def voiced_share(features: Features) -> float:
    """Share of the frames within 25 dB of the loud ones that are voiced."""
    energy = features.energy_db
    loud = energy >= np.percentile(energy, 95) - 25
    return float(features.voiced[loud].mean()) if loud.any() else 0.0


def envelope(features: Features, points: int = 32) -> np.ndarray:
    """How the energy goes, (points,) int8 in half dB: alike for copies of one recording at another level or rate."""
    grid = np.linspace(0, features.n_frames, points + 1)
    frames = np.arange(features.n_frames)
    sums = np.interp(grid, np.r_[frames, features.n_frames], np.r_[0.0, np.cumsum(features.energy_db)])
    means = np.diff(sums) / np.maximum(np.diff(grid), 1e-9)
    return np.clip(np.round((means - means.mean()) * 2), -127, 127).astype(np.int8)
