"""Change of sampling rate (soxr HQ) with a length that can be told beforehand."""

from __future__ import annotations

import numpy as np
import soxr

from prosody_transfer.core.errors import ShapeError
from prosody_transfer.core.spool import Samples, Sound, blocks, gather

QUALITY = "HQ"


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """How many samples come out: samples * to_rate / from_rate, halves up, in whole numbers (no float rounding).

    >>> resampled_length(44100, 44100, 24000), resampled_length(3, 16000, 8000), resampled_length(1, 48000, 8000)
    (24000, 2, 0)
    """
    return (2 * samples * to_rate + from_rate) // (2 * from_rate)


def fit_length(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Trim, or repeat the last sample, along the last axis until there are exactly `samples`."""
    have = waveform.shape[-1]
    if have >= samples:
        return waveform[..., :samples]
    # Zeros after a signal that does not end on zero would click, so the last value is held; a sample or two lack.
    pad = [(0, 0)] * (waveform.ndim - 1) + [(0, samples - have)]
    return np.pad(waveform, pad, mode="edge" if have else "constant")


def resample(waveform: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resample with soxr HQ; linear phase, so that times stay where they were.

    Args:
        waveform: (N,) or (C, N), [-1, 1].
        from_rate: Hz.
        to_rate: Hz.

    Returns:
        float32, (N',) or (C, N'), N' = `resampled_length(N, from_rate, to_rate)` exactly. Sample 0 stays at time 0.
        Equal rates give a float32 copy.

    Raises:
        ShapeError: `waveform` has neither one nor two axes, or a rate is not positive.
    """
    if waveform.ndim not in (1, 2):
        raise ShapeError(f"a waveform is (N,) or (C, N), not {waveform.shape}")
    if from_rate <= 0 or to_rate <= 0:
        raise ShapeError(f"rates are positive, not {from_rate} and {to_rate} Hz")
    samples = resampled_length(waveform.shape[-1], from_rate, to_rate)
    if from_rate == to_rate or waveform.size == 0 or samples == 0:
        return fit_length(np.array(waveform, dtype=np.float32), samples)
    interleaved = np.ascontiguousarray(waveform.T, dtype=np.float32)  # soxr wants (N,) or (N, C)
    return np.ascontiguousarray(fit_length(soxr.resample(interleaved, from_rate, to_rate, quality=QUALITY).T, samples))


def resample_sound(sound: Sound, from_rate: int, to_rate: int) -> Sound:
    """The same of one channel of any length; the same samples, to the bit."""
    if not isinstance(sound, Samples):
        return resample(sound, from_rate, to_rate)
    resampler, parts = Resampler(from_rate, to_rate), blocks(len(sound))
    pushed = (resampler.push(sound[part][:, None], part is parts[-1])[:, 0] for part in parts)
    return gather(pushed, sound)


class Resampler:
    """The same, block by block: what comes out, joined, has the length and (within rounding) the samples of `resample`.

    Args:
        from_rate: Hz.
        to_rate: Hz.
        channels: C.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int = 1) -> None:
        self.from_rate, self.to_rate = from_rate, to_rate
        same = from_rate == to_rate
        self._stream = None if same else soxr.ResampleStream(from_rate, to_rate, channels, "float32", QUALITY)
        self._taken, self._given = 0, 0
        self._last: np.ndarray | None = None

    def push(self, block: np.ndarray, last: bool = False) -> np.ndarray:
        """Take the next (n, C) float32 block (n, for one channel also) and give what is ready, (m, C).

        With `last` the rest is given, and the total has the stated length.
        """
        self._taken += len(block)
        out = block if self._stream is None else self._stream.resample_chunk(np.ascontiguousarray(block), last=last)
        if len(out):
            self._last = out[-1:]
        if last:
            want = resampled_length(self._taken, self.from_rate, self.to_rate) - self._given
            if want > 0 and not len(out) and self._last is not None:
                out = np.repeat(self._last, want, axis=0)
            out = np.ascontiguousarray(fit_length(out.T, max(want, 0)).T)
        self._given += len(out)
        return out
