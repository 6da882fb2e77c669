"""A source as it was recorded: what a result must be as long as, and what is refused of an array."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from prosody_transfer.audio.decode import MIN_SECONDS
from prosody_transfer.audio.layouts import MAX_RATE, MIN_RATE
from prosody_transfer.audio.resample import resampled_length
from prosody_transfer.core.errors import AudioError, SampleRateError, ShapeError, ShortAudioError


@dataclass(frozen=True)
class Recorded:
    """A source as it was recorded.

    Attributes:
        sample_rate: Hz.
        samples: N0.
        notes: What should be said about how it was read.
    """

    sample_rate: int
    samples: int
    notes: tuple[str, ...] = ()

    def length_at(self, sample_rate: int, duration_scale: float = 1.0) -> int:
        """Samples of a result at a rate: N0 exactly where that is the source's own and nothing is stretched."""
        if duration_scale == 1:
            return resampled_length(self.samples, self.sample_rate, sample_rate)
        return math.floor(self.samples * sample_rate / self.sample_rate * duration_scale + 0.5)


def check_waveform(waveform: np.ndarray, sample_rate: int) -> None:
    """What `read_audio` sees to for files.

    Raises:
        ShapeError: It is not (N,) floats.
        AudioError: Its rate or length is out of reach, or it holds NaN or infinite samples.
    """
    if waveform.ndim != 1 or not np.issubdtype(waveform.dtype, np.floating):
        raise ShapeError(f"a waveform is (N,) floats in [-1, 1], not {waveform.shape} {waveform.dtype}")
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise SampleRateError(f"has {sample_rate} samples a second", remedy=f"give {MIN_RATE} to {MAX_RATE} Hz")
    if len(waveform) < MIN_SECONDS * sample_rate:
        problem = f"is too short: {len(waveform) / sample_rate:.3f} s, the least is {MIN_SECONDS} s"
        raise ShortAudioError(problem, remedy="give a longer recording")
    if not np.isfinite(waveform).all():
        raise AudioError("holds NaN or infinite samples", remedy="find out where they come from")
