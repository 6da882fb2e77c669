"""Where a recording is silent for good, a transfer of it is as silent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prosody_transfer.core.runs import runs
from prosody_transfer.core.spool import Sound, blocks

SILENT_DB = -90.0  # re full scale: digital silence, with the last of 16 bits switching or not
_STEP_SECONDS = 0.005
_LEAST_SECONDS = 0.02
_FADE_SECONDS = 0.004


class Silence(NamedTuple):
    """A stretch, in samples, and how far the signal goes from its middle in it."""

    start: int
    stop: int
    peak: float


def silences(waveform: Sound, sample_rate: int) -> list[Silence]:
    """Stretches of 20 ms and more that are nowhere above -90 dBFS, apart from a constant offset.

    Args:
        waveform: (N,), [-1, 1], as it was recorded.
        sample_rate: Hz.

    Returns:
        In order, without overlap.
    """
    size = max(1, round(_STEP_SECONDS * sample_rate))
    count = len(waveform) // size
    limit = 10 ** (SILENT_DB / 20)
    high, low = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for part in blocks(count, 2048):
        frames = waveform[part.start * size : part.stop * size].reshape(-1, size)
        high[part], low[part] = frames.max(1), frames.min(1)
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


def keep_silent(waveform: Sound, found: list[Silence], from_rate: int, sample_rate: int) -> Sound:
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
        parts = [slice(start + part.start, start + part.stop) for part in blocks(stop - start)]
        top = max(float(np.abs(waveform[part]).max()) for part in parts)
        gain = np.float32(min(1.0, peak / top) if top > 0 else 0.0)
        for part in parts:
            waveform[part] = waveform[part] * gain
        before, after = slice(max(0, start - fade), start), slice(stop, min(len(waveform), stop + fade))
        waveform[before] = waveform[before] * (gain + (1 - gain) * up[::-1][fade - (start - before.start) :])
        waveform[after] = waveform[after] * (gain + (1 - gain) * up[: after.stop - stop])
    return waveform
