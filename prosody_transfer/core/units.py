"""Seconds, samples and frames: the one rounding rule. Frame t is centred on sample t * hop_length."""

from __future__ import annotations

import math
from collections.abc import Sequence


def seconds_to_frames(seconds: float, sample_rate: int, hop_length: int) -> int:
    """The frame nearest to a time; halves go up.

    >>> seconds_to_frames(0.5, 24000, 256), seconds_to_frames(0.0, 24000, 256)
    (47, 0)
    """
    return math.floor(seconds * sample_rate / hop_length + 0.5)


def frames_to_seconds(frames: int, sample_rate: int, hop_length: int) -> float:
    """The time of a frame's centre.

    >>> frames_to_seconds(75, 24000, 256)
    0.8
    """
    return frames * hop_length / sample_rate


def samples_to_frames(samples: int, hop_length: int) -> int:
    """Frames that cover a waveform: centres at 0, hop, ... up to the first at or after its end.

    >>> samples_to_frames(0, 256), samples_to_frames(256, 256), samples_to_frames(257, 256)
    (1, 2, 3)
    """
    return -(-samples // hop_length) + 1


def boundaries_to_durations(
    ends_seconds: Sequence[float], n_frames: int, sample_rate: int, hop_length: int
) -> list[int]:
    """Frames per phone from the phones' end times; the sum is exactly `n_frames`.

    Every phone keeps at least one frame while there are enough frames for all; the last phone takes what is left.

    Args:
        ends_seconds: End of each phone, seconds, not decreasing.
        n_frames: T.

    Raises:
        ValueError: There are phones but fewer frames than phones.

    >>> boundaries_to_durations([0.1, 0.1, 0.5], 48, 24000, 256)
    [9, 1, 38]
    """
    count = len(ends_seconds)
    if count > n_frames:
        raise ValueError(f"{count} phones do not fit in {n_frames} frames")
    edges = [seconds_to_frames(e, sample_rate, hop_length) for e in ends_seconds]
    last = 0
    for i, edge in enumerate(edges):
        last = min(max(edge, last + 1), n_frames - (count - 1 - i))
        edges[i] = last
    if edges:
        edges[-1] = n_frames
    return [b - a for a, b in zip([0, *edges], edges, strict=False)]
