"""The form in which a result is given: at what rate, how long, and silent where its source is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.audio.decode import MIN_SECONDS
from prosody_transfer.audio.layouts import MAX_RATE, MIN_RATE
from prosody_transfer.audio.resample import fit_length, resample, resampled_length
from prosody_transfer.audio.silence import keep_silent, moved, silences
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, ShapeError
from prosody_transfer.synthesis.pieces import Piece
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.speak import Spoken


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


def at_rate(audio: np.ndarray, from_rate: int, recorded: Recorded, settings: TransferSettings) -> np.ndarray:
    """The result at the wanted rate and as long as the source, (N,) float32."""
    if settings.sample_rate in (None, from_rate):
        return audio
    wanted = recorded.length_at(settings.sample_rate, settings.duration_scale)
    return fit_length(resample(audio, from_rate, settings.sample_rate), wanted)


def silenced(
    audio: np.ndarray, source: np.ndarray, pieces: Sequence[Piece], spoken: Sequence[Spoken],
    settings: TransferSettings, config: MelConfig,
) -> np.ndarray:  # fmt: skip
    """A result that is silent where its source is below -90 dBFS.

    Args:
        audio: (N',) float32 at the settings' rate; it may be changed.
        source: (N,) at `config.sample_rate` and at its own level, unfiltered.
        pieces, spoken: Where each frame of the result was taken from.
    """
    found = silences(source, config.sample_rate)
    in_time = settings.duration_scale == 1 and settings.strength == 1 and "rhythm" in settings.keep
    if found and not in_time:
        frames = [p.first_frame + s.source_frame for p, s in zip(pieces, spoken, strict=True)]  # type: ignore[operator]
        found = moved(found, np.concatenate(frames), config.hop_length)
    if not found:
        return audio
    rate = settings.sample_rate or config.sample_rate
    return keep_silent(np.array(audio, np.float32), found, config.sample_rate, rate)


def check_waveform(waveform: np.ndarray, sample_rate: int) -> None:
    """What `read_audio` sees to for files.

    Raises:
        ShapeError: It is not (N,) floats.
        AudioError: Its rate or length is out of reach, or it holds NaN or infinite samples.
    """
    if waveform.ndim != 1 or not np.issubdtype(waveform.dtype, np.floating):
        raise ShapeError(f"a waveform is (N,) floats in [-1, 1], not {waveform.shape} {waveform.dtype}")
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise AudioError(f"has {sample_rate} samples a second", remedy=f"give {MIN_RATE} to {MAX_RATE} Hz")
    if len(waveform) < MIN_SECONDS * sample_rate:
        problem = f"is too short: {len(waveform) / sample_rate:.3f} s, the least is {MIN_SECONDS} s"
        raise AudioError(problem, remedy="give a longer recording")
    if not np.isfinite(waveform).all():
        raise AudioError("holds NaN or infinite samples", remedy="find out where they come from")
