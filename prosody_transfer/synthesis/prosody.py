"""From what was measured on the source to what the decoder is given: partial transfer, strength, range, rhythm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prosody_transfer.analysis.settings import AnalysisSettings
from prosody_transfer.audio.layouts import MAX_RATE, MIN_RATE
from prosody_transfer.core.errors import UsageError

ASPECTS = ("rhythm", "pitch", "energy", "latent")


class TransferSettings(AnalysisSettings):
    """How much of the source's prosody is moved, and how; and how the source is read and understood.

    Attributes:
        keep: Which aspects come from the source: any of "rhythm", "pitch", "energy", "latent".
        strength: 0 (as the model would say it by itself) to 1 (as the source says it).
        f0_range_scale: Stretches the melody about its median; neutral 1.
        f0_shift_semitones: Moves the melody; neutral 0.
        duration_scale: Above 1 is longer; neutral 1: then the output has exactly the source's duration.
        sample_rate: Of the result, Hz, 8000 to 192000; None for the model's 24000. The result is as long as the
            source at that rate: where it is the source's own, exactly as many samples (times `duration_scale`).
    """

    keep: tuple[str, ...] = ASPECTS
    strength: float = 1.0
    f0_range_scale: float = 1.0
    f0_shift_semitones: float = 0.0
    duration_scale: float = 1.0
    sample_rate: int | None = None

    @property
    def in_time(self) -> bool:
        """Whether the result has the source's timing, moment by moment."""
        return self.strength == 1 and self.duration_scale == 1 and "rhythm" in self.keep

    def check(self) -> TransferSettings:
        """Itself, or UsageError naming the setting that is out of range."""
        if unknown := [k for k in self.keep if k not in ASPECTS]:
            raise UsageError(
                f"{unknown[0]!r} is no aspect of prosody", place="--keep", remedy=f"choose from {', '.join(ASPECTS)}"
            )
        ranges = {
            "strength": (0.0, 1.0),
            "f0_range_scale": (0.0, 4.0),
            "f0_shift_semitones": (-24.0, 24.0),
            "duration_scale": (0.25, 4.0),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                flag = "--" + name.replace("_", "-")
                raise UsageError(
                    f"{getattr(self, name)} is out of range", place=flag, remedy=f"give {low:g} to {high:g}"
                )
        super().check()
        if self.sample_rate is not None and not MIN_RATE <= self.sample_rate <= MAX_RATE:
            remedy = f"give {MIN_RATE} to {MAX_RATE}, such as 44100 or 48000"
            raise UsageError(f"{self.sample_rate} Hz is out of range", place="--sample-rate", remedy=remedy)
        return self


@dataclass(frozen=True)
class Rhythm:
    """Where each output frame is taken from.

    Attributes:
        durations: (P,) frames per phone of the output.
        source_frame: (T_out,) int, the source frame that each output frame corresponds to.
    """

    durations: np.ndarray
    source_frame: np.ndarray


def plan_rhythm(durations: np.ndarray, phones: np.ndarray, average: np.ndarray, weight: float, n_frames: int) -> Rhythm:
    """Durations of the output, and the time map from it to the source.

    Args:
        durations: (P,) source frames per phone.
        phones: (P,) indices into PHONES; 0 is silence.
        average: (V,) mean ln frames of each phone in the target voice.
        weight: 1 = the source's rhythm, 0 = the target's average one; stretches between pauses keep their length.
        n_frames: T_out; equal to the sum of `durations` unless the whole is stretched.
    """
    wanted = durations.astype(float)
    if weight < 1:
        wanted = np.exp(weight * np.log(np.maximum(wanted, 1)) + (1 - weight) * average[phones])
        wanted[phones == 0] = durations[phones == 0]
        for stretch in np.split(np.arange(len(phones)), np.flatnonzero(np.diff(phones == 0)) + 1):
            wanted[stretch] *= durations[stretch].sum() / max(wanted[stretch].sum(), 1e-9)
    edges = np.round(np.cumsum(wanted) * n_frames / max(wanted.sum(), 1e-9)).astype(int)
    edges[-1] = n_frames
    starts = np.concatenate([[0], edges[:-1]])
    source_starts = np.cumsum(durations) - durations
    source_frame = np.empty(n_frames, int)
    for i in range(len(durations)):
        length = edges[i] - starts[i]
        inside = (np.arange(length) + 0.5) / max(length, 1) * durations[i]
        source_frame[starts[i] : edges[i]] = source_starts[i] + np.minimum(inside.astype(int), max(0, durations[i] - 1))
    return Rhythm(edges - starts, np.clip(source_frame, 0, int(durations.sum()) - 1))


def shape_pitch(normalised: np.ndarray, settings: TransferSettings) -> np.ndarray:
    """Stretch and shift a contour of ln F0 relative to the speaker's median."""
    return normalised * settings.f0_range_scale + settings.f0_shift_semitones * np.log(2) / 12
