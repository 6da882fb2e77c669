"""Active speech level, and gain that never clips."""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.errors import ShapeError
from prosody_transfer.core.spool import LikeIt, Sound, blocks, gather

FRAME_SECONDS = 0.032
ACTIVE_RANGE_DB = 25.0
MAX_GAIN_DB = 60.0
PEAK = 0.99
FLOOR_DB = -120.0


def frame_power(waveform: Sound, sample_rate: int, seconds: float = FRAME_SECONDS) -> np.ndarray:
    """Mean square of frames laid end to end.

    Args:
        waveform: (N,).
        sample_rate: Hz.
        seconds: Frame length.

    Returns:
        float64, (ceil(N / frame),); the last frame may be shorter and is averaged over what it holds.
    """
    if waveform.ndim != 1:
        raise ShapeError(f"a waveform is (N,) here, not {waveform.shape}")
    if not waveform.size:
        return np.zeros(0)
    size = max(1, round(seconds * sample_rate))
    starts = np.arange(0, waveform.size, size)
    sums = np.empty(len(starts))
    step = 512  # squares are made for a few frames at a time: a float64 copy of an hour would be 700 MB
    for at in range(0, len(starts), step):
        piece = waveform[starts[at] : starts[at] + step * size].astype(np.float64)
        sums[at : at + step] = np.add.reduceat(piece * piece, np.arange(0, piece.size, size))
    counts = np.minimum(size, waveform.size - starts)
    return sums / counts


def speech_level_db(waveform: Sound, sample_rate: int) -> float:
    """Level of the speech itself: pauses, however long, do not lower it.

    The mean power of those 32 ms frames that lie within 25 dB of the 95th percentile frame power. The percentile is
    taken over the frames near the strong ones, so that even a recording that is nearly all pause is measured by its
    speech.

    Args:
        waveform: (N,), [-1, 1].
        sample_rate: Hz.

    Returns:
        dB re full scale (mean square 1.0 is 0 dB; a full-scale sine is -3.01), not below -120.
    """
    power = frame_power(waveform, sample_rate)
    if not power.size or power.max() <= 10 ** (FLOOR_DB / 10):
        return FLOOR_DB
    # Half of all energy lies in frames above this one: long faint pauses hold little energy and cannot move it.
    ordered = np.sort(power)
    median = ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)]
    # Noise that comes within 25 dB of the speech is kept out. It shows in the faintest frames being alike (1.5 dB).
    faint, less_faint = np.percentile(power, [2, 10])
    noise = min(2 * faint, median / 10) if less_faint < 1.4 * faint else 0.0
    reach = 10 ** (-ACTIVE_RANGE_DB / 10)
    near = power[power >= max(median * reach, noise)]
    strong = np.percentile(near, 95)
    active = power[power >= max(strong * reach, noise)]
    return max(FLOOR_DB, float(10 * np.log10(active.mean())))


def apply_gain(waveform: LikeIt, gain_db: float, *, peak: float = PEAK) -> tuple[LikeIt, float]:
    """Scale a waveform, by less where it would pass `peak`.

    Args:
        waveform: (..., N).
        gain_db: Wanted gain.
        peak: Greatest absolute sample allowed after the gain. The whole signal is scaled alike: nothing is bent.

    Returns:
        The float32 waveform and the gain in dB that was applied: less than `gain_db` where the guard held it back.
    """
    parts = [slice(None)] if isinstance(waveform, np.ndarray) else blocks(len(waveform))
    ends = [(float(np.max(waveform[p], initial=0.0)), -float(np.min(waveform[p], initial=0.0))) for p in parts]
    if (top := max(map(max, ends))) > 0:
        gain_db = min(gain_db, 20 * float(np.log10(peak / top)))
    gain = np.float32(10 ** (gain_db / 20))
    return gather(((waveform[p] * gain).astype(np.float32, copy=False) for p in parts), waveform), gain_db


def normalise_level(waveform: LikeIt, sample_rate: int, target_db: float = -26.0) -> tuple[LikeIt, float]:
    """Bring the speech to one level.

    Args:
        waveform: (N,), [-1, 1].
        sample_rate: Hz.
        target_db: Wanted `speech_level_db`.

    Returns:
        The float32 waveform and the gain in dB that was applied. At most +60 dB; less than asked for where a peak
        would pass 0.99. A silent waveform comes back with gain 0.0.
    """
    level = speech_level_db(waveform, sample_rate)
    if level <= FLOOR_DB:
        return gather((waveform[p].astype(np.float32) for p in blocks(len(waveform))), waveform), 0.0
    return apply_gain(waveform, min(target_db - level, MAX_GAIN_DB))
