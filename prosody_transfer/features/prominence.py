"""How prominent each word of a recording is, and how strong the boundary after it, measured from the sound.

As the Helsinki Prosody Corpus was labelled: F0, energy and lengths are made one signal, its wavelet transform is
followed from scale to scale, and a word is as prominent as the strongest line of maxima in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.core.errors import ShapeError
from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.features.extract import Features
from prosody_transfer.features.wavelets import PERIOD, lines_of_maxima, transform

OCTAVE = 0.25  # between scales
PROMINENT, BOUND = (-2.0, 1.0), (-1.0, 2.0)  # octaves about the mean word where lines are followed
WEIGHTS = {"f0": 1.0, "energy": 0.5, "duration": 1.0}  # exponents: the signals are multiplied
LEAST = 0.1  # of a signal between 0 and 1, so that none silences the others
F0_SECONDS, ENERGY_SECONDS, DURATION_SECONDS, TREND_SECONDS = 0.02, 0.05, 0.05, 2.0  # of Gaussians
PROMINENCE_FROM, BOUNDARY_FROM = (0.4, 1.2), (0.8, 1.13)  # where the corpus cuts its real values into 0, 1, 2
LAST = 2.0  # the boundary after the last word, which nothing follows that it could be measured by


@dataclass(frozen=True)
class WordProsody:
    """Of n words.

    Attributes:
        prominence: (n,) in standard deviations of the signal, summed over scales: 0 to about 4.
        boundary: (n,) the same, after each word; `LAST` after the last.
    """

    prominence: np.ndarray
    boundary: np.ndarray

    @property
    def prominences(self) -> list[int]:
        """0, 1 or 2, as the corpus cuts them."""
        return [int(k) for k in np.digitize(self.prominence, PROMINENCE_FROM)]

    @property
    def boundaries(self) -> list[int]:
        """0, 1 or 2 after each word, as the corpus cuts them."""
        return [int(k) for k in np.digitize(self.boundary, BOUNDARY_FROM)]


def measure_words(features: Features, alignment: Alignment) -> WordProsody:
    """Prominence and boundary of the words of an alignment.

    Raises:
        ShapeError: The alignment has no words.

    Source:
        Talman et al. 2019, 3.1; Suni et al. 2017. Weights and scales as the authors' settings for LibriTTS.
    """
    if not alignment.words:
        raise ShapeError("has no words to measure", place="alignment")
    rate = features.config.sample_rate / features.config.hop_length
    words = [(w.start * rate, w.end * rate) for w in alignment.words]
    return words_in(combined(features, alignment), words)


def words_in(signal: np.ndarray, words: Sequence[tuple[float, float]]) -> WordProsody:
    """Prominence and boundary in one signal.

    Args:
        signal: (T,) of any mean, about 1 in standard deviation.
        words: Where each begins and ends, frames.
    """
    mean_length = max(2.0, float(np.mean([end - start for start, end in words])))
    unit = 2 * mean_length / PERIOD  # the scale whose half wave is a word long
    up, down = _lines(signal, unit, PROMINENT), _lines(-signal, unit, BOUND)
    at, prominence = [], []
    for start, end in words:
        strongest = max((line for line in up if start <= line[0] <= end), key=lambda line: line[1], default=None)
        at.append(strongest[0] if strongest else (start + end) / 2)
        prominence.append(max(0.0, strongest[1]) if strongest else 0.0)
    boundary = [
        max((strength for place, strength in down if a <= place < b), default=0.0)
        for a, b in zip(at[:-1], at[1:], strict=True)
    ]
    return WordProsody(np.array(prominence), np.array([*(max(0.0, b) for b in boundary), LAST]))


def _lines(signal: np.ndarray, unit: float, octaves: tuple[float, float]) -> list[tuple[float, float]]:
    scales = np.maximum(0.5, unit * 2.0 ** np.arange(octaves[0], octaves[1] - OCTAVE / 2, OCTAVE))
    return lines_of_maxima(transform(signal, scales, OCTAVE), scales)


def combined(features: Features, alignment: Alignment) -> np.ndarray:
    """F0, energy and length as one signal (T,), without its slow trend, standard deviation 1."""
    rate = features.config.sample_rate / features.config.hop_length
    f0 = smoothed(features.log_f0.astype(np.float64), F0_SECONDS * rate)
    energy = smoothed(10 ** (features.energy_db.astype(np.float64) / 60), ENERGY_SECONDS * rate)  # cube root
    lengths = length_signal(alignment, features.n_frames, rate)
    parts = {"f0": f0, "energy": energy, "duration": lengths}
    product = np.prod([unit_range(signal) ** WEIGHTS[name] for name, signal in parts.items()], axis=0)
    return standardised(product - smoothed(product, TREND_SECONDS * rate))


def length_signal(alignment: Alignment, n_frames: int, rate: float) -> np.ndarray:
    """How long what is said is, (T,): half by words, half by phones; logarithms, joined between the middles.

    In pauses it is as the shortest.
    """
    words = [(w.start, w.end) for w in alignment.words]
    phones = [(p.start, p.end) for p in alignment.phones if p.phone != SILENCE]
    parts = [_lengths(units, n_frames, rate) for units in (words, phones) if units]
    return np.sum([0.5 * standardised(part) for part in parts], axis=0)


def _lengths(units: Sequence[tuple[float, float]], n_frames: int, rate: float) -> np.ndarray:
    logs = [float(np.log1p((end - start) * rate)) for start, end in units]
    points = {(start + end) / 2 * rate: log for (start, end), log in zip(units, logs, strict=True)}
    edges = [(0.0, units[0][0]), *zip([u[1] for u in units[:-1]], [u[0] for u in units[1:]], strict=True)]
    for end, start in edges[1:]:
        if (start - end) * rate > 1:
            points[(start + end) / 2 * rate] = min(logs)
    points |= {0.0: float(np.mean(logs)), float(n_frames): float(np.mean(logs))}
    at = sorted(points)
    joined = np.interp(np.arange(n_frames), at, [points[x] for x in at])
    return smoothed(joined, DURATION_SECONDS * rate)


def smoothed(signal: np.ndarray, width: float) -> np.ndarray:
    """By a Gaussian of `width` frames, the ends held."""
    half = max(1, int(np.ceil(3 * width)))
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / max(width, 1e-6)) ** 2)
    padded = np.pad(signal, half, mode="edge")
    return np.convolve(padded, weights / weights.sum(), mode="valid")


def unit_range(signal: np.ndarray) -> np.ndarray:
    """From `LEAST` to 1 + `LEAST`; a constant is `LEAST`."""
    spread = float(signal.max() - signal.min())
    return (signal - signal.min()) / (spread if spread > 1e-9 else 1.0) + LEAST


def standardised(signal: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1; a constant is 0."""
    spread = float(signal.std())
    return (signal - signal.mean()) / (spread if spread > 1e-9 else 1.0)
