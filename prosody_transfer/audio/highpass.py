"""Taken out before anything is measured: a constant offset, rumble and wind below every voice. Why: decision 22."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from prosody_transfer.core.spool import LikeIt, gather

STOP_HZ, PASS_HZ = 40.0, 60.0  # nothing is left below the first, nothing is lost above the second
STOP_DB = 60.0
_BLOCK_KERNELS = 8  # a block is this many times as long as the filter


@functools.lru_cache(maxsize=4)
def _low_pass(sample_rate: int) -> np.ndarray:
    """What is taken out: a windowed sine cardinal, (2 H + 1,) float64, gain 1 at 0 Hz."""
    beta = 0.1102 * (STOP_DB - 8.7)
    half = round((STOP_DB - 7.95) / (2.285 * 2 * np.pi * (PASS_HZ - STOP_HZ) / sample_rate) / 2)
    at = np.arange(-half, half + 1)
    cut = (STOP_HZ + PASS_HZ) / sample_rate  # of half the rate
    kernel = cut * np.sinc(cut * at) * np.kaiser(2 * half + 1, beta)
    return kernel / kernel.sum()  # type: ignore[no-any-return]


def reach(sample_rate: int) -> int:
    """Samples to each side that a sample of the result depends on."""
    return len(_low_pass(sample_rate)) // 2


def high_pass(waveform: LikeIt, sample_rate: int) -> LikeIt:
    """Without what lies below the voice; nothing moves in time.

    A finite, symmetric filter: flat within .02 dB from 60 Hz up, 60 dB down from 40 Hz on. In blocks, so that memory
    does not grow with the length.

    Args:
        waveform: (N,).
        sample_rate: Hz.

    Returns:
        (N,) float32.

    Source:
        Kaiser 1974 (the window and its length).
    """
    kernel = _low_pass(sample_rate)
    half, total = len(kernel) // 2, len(waveform)
    size = 1 << (_BLOCK_KERNELS * len(kernel) - 1).bit_length()
    step = size - 2 * half
    answer = 1.0 - np.fft.rfft(np.roll(np.pad(kernel, (0, size - len(kernel))), -half)).real

    def filtered() -> Iterator[np.ndarray]:
        for start in range(0, total, step):
            end = min(total, start + step)
            # Mirrored at the ends: zeros there would make a step of an offset.
            at = _mirrored(np.arange(start - half, end + half), total)
            low = int(at.min())
            part = waveform[low : int(at.max()) + 1][at - low].astype(np.float64)
            block = np.fft.irfft(np.fft.rfft(part, size) * answer, size)
            yield block[half : half + end - start].astype(np.float32)

    return gather(filtered(), waveform)


def _mirrored(at: np.ndarray, total: int) -> np.ndarray:
    """Indices beyond [0, total) folded back into it."""
    if total == 1:
        return np.zeros_like(at)
    at = np.abs(at) % (2 * (total - 1))
    return np.minimum(at, 2 * (total - 1) - at)
