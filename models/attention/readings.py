"""Phones with what is told of each: how high, how voiced, how loud and how long it was said."""

from __future__ import annotations

import numpy as np

from prosody_transfer.models.attention.config import PROSODY
from prosody_transfer.models.copycat.config import ENERGY_SCALE_DB, F0_SCALE

ALL = ("pitch", "energy", "rhythm")


def told_of_phones(
    durations: np.ndarray, log_f0: np.ndarray, voiced: np.ndarray, energy_db: np.ndarray, keep: tuple[str, ...] = ALL
) -> np.ndarray:
    """What the source says of each phone.

    Args:
        durations: (P,) frames, sum T.
        log_f0: (T,) ln F0 above the median of whoever speaks.
        voiced: (T,) bool.
        energy_db: (T,) dB above the speech level.
        keep: Which of "pitch", "energy", "rhythm" are told; the others are 0.

    Returns:
        (P, 5) float32: mean F0 of voiced frames, their share, mean energy, ln frames, 1; all 0 where nothing is told.

    >>> told_of_phones(np.array([2, 1]), np.array([0.25, 0.0, 0.1]), np.array([1, 1, 0]), np.zeros(3)).round(2)
    array([[ 0.5 ,  1.  ,  0.  , -1.31,  1.  ],
           [ 0.  ,  0.  ,  0.  , -2.  ,  1.  ]], dtype=float32)
    """
    if not set(keep) & set(ALL):
        return np.zeros((len(durations), PROSODY), np.float32)
    at = np.repeat(np.arange(len(durations)), durations)
    sums = lambda values: np.bincount(at, values, len(durations))
    frames, sounding = np.maximum(durations, 1), np.asarray(voiced, float)
    columns = [
        sums(log_f0 * sounding) / np.maximum(sums(sounding), 1) / F0_SCALE * ("pitch" in keep),
        sums(sounding) / frames * ("pitch" in keep),
        np.maximum(sums(energy_db) / frames, -40.0) / ENERGY_SCALE_DB * ("energy" in keep),
        (np.log(frames) - 2.0) * ("rhythm" in keep), np.ones(len(durations)),
    ]  # fmt: skip
    return np.stack(columns, 1).astype(np.float32)
