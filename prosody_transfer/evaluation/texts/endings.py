"""How a melody ends: by one number, and by which kind of ending of a real reader it is most like."""

from __future__ import annotations

import numpy as np

SEMITONE = np.log(2) / 12
LAST_SECONDS, BEFORE_SECONDS = 0.08, 0.24
RISE_SEMITONES = 1.0
PARTS, PART_SECONDS = 10, 0.032

# The mean endings of three kinds, by k-means over the phrases of one reader (Kathleen, CC0; ends of sentences and what
# stands before a pause): benchmarks/final_contours.py. Semitones about their own mean, in tenths of the last 320 ms of
# voice. In the middle of a sentence a fifth of them are rises, at its end a tenth.
ENDINGS = {
    "level": (1.0, 0.7, 0.5, 0.4, 0.2, -0.2, -0.6, -0.8, -0.7, -0.7),
    "fall": (3.2, 3.0, 2.4, 1.5, 0.3, -1.0, -2.0, -2.5, -2.5, -2.3),
    "rise": (-1.9, -2.0, -1.9, -1.7, -1.1, -0.2, 0.8, 2.1, 3.0, 3.0),
}


def slope(log_f0: np.ndarray, voiced: np.ndarray, stop: int, step: float) -> float:
    """Semitones from the 240 ms of voice before the last 80 ms that end by frame `stop`, to these; 0 where too short.

    Args:
        log_f0, voiced: (T,).
        step: Seconds from frame to frame.
    """
    at = np.flatnonzero(voiced[:stop])
    last, before = round(LAST_SECONDS / step), round(BEFORE_SECONDS / step)
    if len(at) < last + 2:
        return 0.0
    return float((log_f0[at[-last:]].mean() - log_f0[at[-last - before : -last]].mean()) / SEMITONE)


def shape(log_f0: np.ndarray, voiced: np.ndarray, stop: int, step: float) -> np.ndarray | None:
    """(10,) semitones about their mean, of the last 320 ms of voice that end by frame `stop`; None where too short."""
    at = np.flatnonzero(voiced[:stop])
    size = max(1, round(PART_SECONDS / step))
    if len(at) < PARTS * size:
        return None
    values = log_f0[at[-PARTS * size :]].reshape(PARTS, size).mean(1) / SEMITONE
    return np.clip(values - values.mean(), -12, 12)


def ending(log_f0: np.ndarray, voiced: np.ndarray, stop: int, step: float) -> str:
    """Which of `ENDINGS` it is nearest to; "" where there is too little voice."""
    found = shape(log_f0, voiced, stop, step)
    if found is None:
        return ""
    return min(ENDINGS, key=lambda name: float(((found - np.array(ENDINGS[name])) ** 2).sum()))
