"""Where a recording is silent for good, a transfer of it is as silent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prosody_transfer.core.runs import runs

SILENT_DB = -90.0  # re full scale: digital silence, with the last of 16 bits switching or not
_STEP_SECONDS = 0.005
_LEAST_SECONDS = 0.02
_FADE_SECONDS = 0.004


class Silence(NamedTuple):
    """A stretch, in samples, and how far the signal goes from its middle in it."""

    start: int
    stop: int
    peak: float


def silences(waveform: np.ndarray, sample_rate: int) -> list[Silence]:
    """Stretches of 20 ms and more that are nowhere above -90 dBFS, apart from a constant offset.

    Args:
        waveform: (N,), [-1, 1], as it was recorded.
        sample_rate: Hz.

    Returns:
        In order, without overlap.
    """
    size = max(1, round(_STEP_SECONDS * sample_rate))
    count = len(waveform) // size
    frames = waveform[: count * size].reshape(count, size)
    limit = 10 ** (SILENT_DB / 20)
    high, low = frames.max(1, initial=-np.inf), frames.min(1, initial=np.inf)
    quiet = (high - low) / 2 < limit
    found = []
    for first, last in runs(quiet):
        middle = float((high[first:last].max() + low[first:last].min()) / 2)
        peak = float((high[first:last].max() - low[first:last].min()) / 2)
        if last - first < round(_LEAST_SECONDS / _STEP_SECONDS) or peak >= 2 * limit:
            continue
        before = np.abs(waveform[max(0, first - 1) * size : first * size] - middle) >= limit
        after = np.abs(waveform[last * size : (last + 1) * size] - middle) >= limit
        start = first * size - (int(np.argmax(before[::-1])) if before.any() else len(before))
        stop = last * size + (int(np.argmax(after)) if after.any() else len(after))
        found.append(Silence(start, stop, min(peak, limit)))
    return found


def moved(found: list[Silence], frames: np.ndarray, hop: int) -> list[Silence]:
    """The same in a signal whose frames are taken from other places in time.

    Args:
        found: In the source.
        frames: (T,) int, the source frame of each frame.
        hop: Samples a frame.
    """
    out = []
    for start, stop, peak in found:
        inside = (frames * hop >= start) & ((frames + 1) * hop <= stop)
        out += [Silence(first * hop, last * hop, peak) for first, last in runs(inside)]
    return sorted(out)


def keep_silent(waveform: np.ndarray, found: list[Silence], from_rate: int, sample_rate: int) -> np.ndarray:
    """Silence in the stretches, with fades of 4 ms before and behind them so that nothing clicks.

    Digital silence becomes that; what holds a last bit of noise holds no more than that.

    Args:
        waveform: (N,) float32; it is changed.
        found: Of a signal of `from_rate` Hz.
        sample_rate: Of `waveform`, Hz.

    Returns:
        `waveform`.
    """
    fade = round(_FADE_SECONDS * sample_rate)
    up = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
    for begin, end, peak in found:
        start, stop = begin * sample_rate // from_rate, min(len(waveform), -(-end * sample_rate // from_rate))
        if start >= stop:
            continue
        part = waveform[start:stop]
        top = float(np.abs(part).max())
        gain = np.float32(min(1.0, peak / top) if top > 0 else 0.0)
        part *= gain
        before, after = waveform[max(0, start - fade) : start], waveform[stop : stop + fade]
        before *= gain + (1 - gain) * up[::-1][fade - len(before) :]
        after *= gain + (1 - gain) * up[: len(after)]
    return waveform
