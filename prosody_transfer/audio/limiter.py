"""Gain that bends only the moments that would pass full scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prosody_transfer.audio.loudness import PEAK
from prosody_transfer.core.runs import runs
from prosody_transfer.core.spool import Sound

LOOK_AHEAD_SECONDS = 0.005
RELEASE_DB_PER_SECOND = 150.0
BLOCK_SECONDS = 0.001


class Moment(NamedTuple):
    """A stretch that was turned down: from, to in seconds, and by how many dB at most (above 0)."""

    start: float
    end: float
    depth_db: float


def limit(waveform: np.ndarray, sample_rate: int, *, peak: float = PEAK) -> tuple[np.ndarray, list[Moment]]:
    """Turn down what passes `peak`, from 5 ms before it; everything else comes back as it was, bit for bit.

    The gain falls within 5 ms in a straight line in dB and is there before the sample that needs it; it rises by 150 dB
    a second, slowly enough not to follow single periods of a voice.

    Args:
        waveform: (N,) float.
        sample_rate: Hz.
        peak: No sample of the result is above this.

    Returns:
        (N,) float32, and the moments, in order.
    """
    out = np.array(waveform, np.float32)
    return out, limit_in_place(out, sample_rate, peak=peak)


def limit_in_place(out: Sound, sample_rate: int, *, peak: float = PEAK) -> list[Moment]:
    """`limit` of float32 samples that may be changed; of a long recording no more is in memory than is turned down."""
    size = max(1, round(BLOCK_SECONDS * sample_rate))
    tops = [_tops(out[at : at + 256 * size], size) for at in range(0, len(out), 256 * size)]
    joined = np.concatenate(tops) if tops else np.zeros(0)
    moments = []
    for begin, stop in _stretches(joined, peak):
        depth = _envelope(20 * np.log10(np.maximum(joined[begin:stop] / peak, 1.0)), begin)
        for first, last in runs(depth > 0):
            start, end = (begin + first) * size, min(len(out), (begin + last) * size)
            at = (np.arange(start, end) + 0.5) / size - 0.5
            gain = 10 ** (-np.interp(at, np.arange(begin, begin + len(depth)), depth) / 20)
            out[start:end] = np.clip(out[start:end] * gain, -peak, peak)  # rounding; the gain suffices
            moments.append(Moment(start / sample_rate, end / sample_rate, float(depth[first:last].max())))
    return moments


def _tops(part: np.ndarray, size: int) -> np.ndarray:
    """The greatest absolute sample of each block of `size`."""
    found: np.ndarray = np.abs(np.pad(part, (0, -len(part) % size)).reshape(-1, size)).max(1)
    return found


def _stretches(tops: np.ndarray, peak: float) -> list[tuple[int, int]]:
    """Blocks that what passes the peak can touch, with room on both sides, as first and last: nothing else moves."""
    over = np.flatnonzero(tops > peak)
    if not len(over):
        return []
    room = 4 * round(LOOK_AHEAD_SECONDS / BLOCK_SECONDS)
    decay = 20 * np.log10(tops[over] / peak) / (RELEASE_DB_PER_SECOND * BLOCK_SECONDS)
    reach = np.maximum.accumulate(over + np.ceil(decay).astype(int)) + room
    first = np.flatnonzero(np.append(True, over[1:] - room > reach[:-1]))
    last = np.append(first[1:], len(over)) - 1
    ends = np.minimum(reach[last], len(tops))
    return list(zip(np.maximum(over[first] - room, 0).tolist(), ends.tolist(), strict=True))


def _envelope(needed: np.ndarray, first: int = 0) -> np.ndarray:
    """dB that every block is turned down by, (n,), from those that it must be, (n,): never less.

    Args:
        first: Number of the first block: the release is counted from block 0, so that it is rounded alike.
    """
    fall = RELEASE_DB_PER_SECOND * BLOCK_SECONDS * np.arange(first, first + len(needed))
    held = np.maximum(np.maximum.accumulate(needed + fall) - fall, 0)
    ahead = round(LOOK_AHEAD_SECONDS / BLOCK_SECONDS)
    # Held a block longer on both sides, for the gain runs in straight lines between the middles of blocks; the mean
    # over the blocks ahead then makes a ramp that ends where the maximum begins.
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(held, (1, ahead + 1)), ahead + 3).max(1)
    mean = np.convolve(np.pad(wide, (ahead, 0), mode="edge"), np.full(ahead + 1, 1 / (ahead + 1)), "valid")
    return np.where(mean > 1e-9, mean, 0.0)  # type: ignore[no-any-return]


def describe(moments: list[Moment]) -> str:
    """What was limited, in a line for people; "" where nothing was."""
    if not moments:
        return ""
    deepest, seconds = max(moments, key=lambda m: m.depth_db), sum(m.end - m.start for m in moments)
    depth = f"{deepest.depth_db:.1f} dB"
    where = f"at {deepest.start:.2f} s" if len(moments) == 1 else f"in {len(moments)} places"
    most = depth if len(moments) == 1 else f"at most {depth} (at {deepest.start:.2f} s)"
    return f"limited {where}, for {seconds:.2f} s, by {most}, to avoid clipping; the rest is as loud as the source"
