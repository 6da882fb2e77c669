"""What a transfer of prosody may give away: F0, energy and rate, with the speaker's own level and range or without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.features.extract import Features
from prosody_transfer.text.phones import CLASSES, VOWELS, phone_class, split_stress

QUIETEST_DB = 40.0  # below the loudest frame: not speech, and its energy tells of the room rather than of the voice
PROSODY = (
    "F0 deviation", "F0 10th percentile", "F0 90th percentile", "F0 slope",
    "energy deviation", "energy 10th percentile", "energy 90th percentile", "energy slope",
    "phones a second", "deviation of phone lengths", "vowel length", "share of pauses", "share of voicing",
)  # fmt: skip
RATE = slice(8, 12)  # of `PROSODY`: phones a second, their lengths, pauses
SILENT = "silence"


class Plain(Protocol):
    """The part of a source's measurements that is plain prosody; shapes as in `leakage_model.Analysed`."""

    @property
    def frames(self) -> np.ndarray: ...
    @property
    def phones(self) -> np.ndarray: ...
    @property
    def prosody(self) -> np.ndarray: ...
    @property
    def f0_median_hz(self) -> float: ...


def normalised(sources: Sequence[Plain]) -> tuple[list[np.ndarray], np.ndarray]:
    """Plain prosody of one speaker's utterances without the speaker's level and range: the floor of a probe.

    F0 over voiced steps, and energy over steps that are no pause, have the speaker's mean taken off and are divided by
    the speaker's deviation, both over all utterances: so only how utterances differ is left of them. Rate, lengths and
    pauses stay as they are. (Median and absolute deviation would leave the shape of the distribution: skewed energies
    alone, which recordings have rather than speakers, tell half of ten real speakers.)

    Returns:
        (4, T') of each utterance, as `frames`; and (U, 8): mean and deviation of F0 and of energy, and `RATE`.
    """
    levels = np.log([s.f0_median_hz for s in sources])
    levels = np.where(np.isfinite(levels), levels, np.nanmean(levels) if np.isfinite(levels).any() else 0.0)
    frames = [np.array(s.frames, float) for s in sources]
    kept = [(f[1] > 0.5, s.phones != SILENT) for f, s in zip(frames, sources, strict=True)]
    for f, level in zip(frames, levels, strict=True):
        f[0] += level - levels.mean()
    for channel, which in ((0, 0), (2, 1)):
        values = np.concatenate([f[channel][k[which]] for f, k in zip(frames, kept, strict=True)])
        mean, deviation = (values.mean(), max(values.std(), 1e-6)) if len(values) else (0.0, 1.0)
        for f, k in zip(frames, kept, strict=True):
            f[channel] = np.where(k[which] | (channel == 2), (f[channel] - mean) / deviation, 0.0)
    pooled = lambda values: [values.mean(), values.std()] if len(values) else [0.0, 0.0]
    rows = [
        [*pooled(f[0][voiced]), *pooled(f[2][speech]), *s.prosody[RATE]]
        for f, (voiced, speech), s in zip(frames, kept, sources, strict=True)
    ]
    return frames, np.array(rows)


def plain_frames(
    features: Features, alignment: Alignment, durations: np.ndarray, whole: Features | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What a transfer may copy, frame by frame: (4, T) as in `Analysed.frames`, and kinds of phones as numbers (T,).

    F0 stands above the median of the utterance, so the speaker's register is not in it.
    """
    whole = whole or features
    median = np.median(whole.log_f0[whole.voiced]) if whole.voiced.any() else 0.0
    contour = np.where(features.voiced, features.log_f0 - median, 0.0)
    seconds = durations * (features.config.hop_length / features.config.sample_rate)
    lengths = np.repeat(np.log(np.maximum(seconds, 1e-3)), durations)
    kinds = np.repeat([CLASSES.index(phone_class(p.phone)) for p in alignment.phones], durations)
    return np.stack([contour, features.voiced, features.energy_db, lengths]), kinds


def average_steps(frames: np.ndarray, size: int) -> np.ndarray:
    """Means over steps of `size` frames, the last may be shorter: (C, T) -> (C, ceil(T / size))."""
    edges = np.arange(0, frames.shape[1], size)
    counts = np.minimum(size, frames.shape[1] - edges)
    return np.add.reduceat(frames, edges, axis=1) / counts


def most_frequent_steps(kinds: np.ndarray, size: int) -> np.ndarray:
    """The most frequent kind of phone in each step, by name: (T,) numbers -> (ceil(T / size),) str."""
    steps = [np.bincount(kinds[k : k + size]).argmax() for k in range(0, len(kinds), size)]
    return np.array([CLASSES[k] for k in steps])


def plain_prosody(features: Features, alignment: Alignment) -> np.ndarray:
    """How an utterance was said, without the speaker's register and loudness: (13,), see `PROSODY`.

    F0 in ln Hz about its median over voiced frames; energy in dB about its median over speech (outside pauses and
    within 40 dB of the loudest frame); slopes are mean absolute changes a second; lengths in ln seconds.
    """
    frame_seconds = features.config.hop_length / features.config.sample_rate
    durations = np.array(
        alignment.durations(features.n_frames, features.config.sample_rate, features.config.hop_length)
    )
    silent = np.repeat([p.phone == SILENCE for p in alignment.phones], durations)
    speech = ~silent & (features.energy_db > features.energy_db.max() - QUIETEST_DB)
    voiced = features.voiced & speech
    spoken = [p for p in alignment.phones if p.phone != SILENCE]
    lengths = np.log([max(1e-3, p.end - p.start) for p in spoken]) if spoken else np.zeros(1)
    vowels = [np.log(max(1e-3, p.end - p.start)) for p in spoken if split_stress(p.phone)[0] in VOWELS]
    said = max(frame_seconds, float((~silent).sum()) * frame_seconds)
    return np.array([
        *_contour(features.log_f0, voiced, frame_seconds), *_contour(features.energy_db, speech, frame_seconds),
        len(spoken) / said, lengths.std(), np.mean(vowels) if vowels else lengths.mean(), silent.mean(),
        voiced.sum() / max(1, speech.sum()),
    ])  # fmt: skip


def _contour(values: np.ndarray, where: np.ndarray, frame_seconds: float) -> list[float]:
    """Deviation, 10th and 90th percentile about the median, and mean absolute slope, over the frames `where`."""
    if where.sum() < 3:
        return [0.0, 0.0, 0.0, 0.0]
    kept = values[where] - np.median(values[where])
    steps = np.abs(np.diff(values))[where[1:] & where[:-1]]
    slope = float(steps.mean()) / frame_seconds if len(steps) else 0.0
    return [float(kept.std()), *(float(q) for q in np.quantile(kept, [0.1, 0.9])), slope]
