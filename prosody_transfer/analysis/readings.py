"""A recording as what is predicted of it: tokens, their frames, and four points of each contour in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.analysis.phone_words import words_of_phones
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.features.extract import Features
from prosody_transfer.features.prominence import measure_words
from prosody_transfer.text.lexicon import Pronunciation
from prosody_transfer.text.phones import PHONES, phone_id, stress_id
from prosody_transfer.text.prosody_tokens import Tokens, tokens_of
from prosody_transfer.text.spoken import SpokenSentence, SpokenWord

POINTS = 4  # of F0, voicing and energy in each token
LEAST_ENERGY_DB = -40.0


@dataclass(frozen=True)
class Reading:
    """One, of P tokens.

    Attributes:
        tokens: How prominent each word was is "heard" in them.
        frames: (P,) int64; 0 for gaps that are no pause.
        log_f0, voiced, energy: (4, P) float32, F0 relative to the voice's level, share of voiced frames, dB.
        level: ln Hz.
        phones: Of each word, as it was said.
    """

    tokens: Tokens
    frames: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    energy: np.ndarray
    level: float
    phones: tuple[Pronunciation, ...]


def read_recording(
    features: Features, phones: np.ndarray, durations: np.ndarray, words: Sequence[SpokenWord],
    spans: Sequence[tuple[int, int]], kinds: Sequence[str], level: float,
) -> Reading:  # fmt: skip
    """A recording of which the phones are known.

    Args:
        phones: (K,) int, indices into PHONES; 0 for pauses.
        durations: (K,) int, frames of each phone.
        words: With the phones that were said.
        spans: Where each word lies among the phones.
        kinds: Of each word's sentence.
        level: ln Hz, the voice's median F0.
    """
    heard = measure_words(features, _alignment(features, phones, durations, words, spans)).prominence
    tokens = tokens_of(words, kinds, [float(h) for h in heard])
    edges = _edges(spans, np.concatenate([[0], np.cumsum(durations)]), len(durations))
    contours = [points_of(v, edges) for v in (features.log_f0 - level, features.voiced, features.energy_db)]
    return Reading(
        tokens, edges[:, 1] - edges[:, 0], contours[0], contours[1], np.maximum(contours[2], LEAST_ENERGY_DB), level,
        tuple(word.phones for word in words),
    )  # fmt: skip


def aligned_words(
    words: Sequence[SpokenWord], phones: np.ndarray, stress: np.ndarray, text: str
) -> tuple[list[SpokenWord], list[tuple[int, int]]] | None:
    """The words with the phones that were aligned, and where each lies among these; None where they do not fit.

    Args:
        phones: (K,) int, indices into PHONES.
        stress: (K,) int, as `text.phones.stress_id`.
        text: What was aligned, of which these are the words.
    """
    runs = words_of_phones(phones, text)
    numbers = [int(n) for n in np.unique(runs[phones > 0])]
    if len(numbers) != len(words):
        return None
    found, spans = [], []
    for word, number in zip(words, numbers, strict=True):
        at = np.flatnonzero(runs == number)
        names = tuple(PHONES[phones[i]] + (str(stress[i] - 1) if stress[i] else "") for i in at)
        found.append(replace(word, phones=names))
        spans.append((int(at[0]), int(at[-1]) + 1))
    return found, spans


def read_analysis(analysis: Analysis, sentences: Sequence[SpokenSentence], text: str) -> Reading | None:
    """An analysed recording of a text; None where the phones that were aligned are not those of its words.

    Args:
        sentences: Of `text`, all of it.
    """
    alignment, features = analysis.alignment, analysis.features
    names = [interval.phone for interval in alignment.phones]
    phones, stress = (np.array([of(name) for name in names]) for of in (phone_id, stress_id))
    config = features.config
    durations = np.array(alignment.durations(features.n_frames, config.sample_rate, config.hop_length))
    found = aligned_words([w for s in sentences for w in s.words], phones, stress, text)
    if found is None:
        return None
    kinds = [s.kind for s in sentences for _ in s.words]
    return read_recording(features, phones, durations, *found, kinds, analysis.f0_level)


def _alignment(
    features: Features, phones: np.ndarray, durations: np.ndarray, words: Sequence[SpokenWord],
    spans: Sequence[tuple[int, int]],
) -> Alignment:  # fmt: skip
    config, names = features.config, [PHONES[p] if p else SILENCE for p in phones]
    ends = np.cumsum(durations) * config.hop_length / config.sample_rate
    starts = np.concatenate([[0.0], ends[:-1]])
    intervals = [PhoneInterval(n, float(a), float(b)) for n, a, b in zip(names, starts, ends, strict=True)]
    at = [(float(starts[a]), float(ends[b - 1])) for a, b in spans]
    placed = [WordInterval(word.text, *times) for word, times in zip(words, at, strict=True)]
    return Alignment(tuple(intervals), tuple(placed), float(ends[-1]))


def _edges(spans: Sequence[tuple[int, int]], starts: np.ndarray, count: int) -> np.ndarray:
    """Frames that each token begins and ends at, (P, 2)."""
    rows = [(0, int(starts[spans[0][0]]))]
    for i, (first, last) in enumerate(spans):
        rows += [(int(starts[k]), int(starts[k + 1])) for k in range(first, last)]
        following = spans[i + 1][0] if i + 1 < len(spans) else count
        rows.append((int(starts[last]), int(starts[following])))
    return np.array(rows)


def points_of(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Means in the four quarters of each token, (4, P) float32; 0 where it has no frames."""
    sums = np.concatenate([[0.0], np.cumsum(values.astype(np.float64))])
    found = np.zeros((POINTS, len(edges)), np.float32)
    at = edges[:, :1] + (edges[:, 1:] - edges[:, :1]) * np.arange(POINTS + 1) / POINTS  # (P, 5)
    whole = np.interp(at, np.arange(len(sums)), sums)
    lasting = (edges[:, 1] - edges[:, 0]) / POINTS
    some = lasting > 0
    found[:, some] = ((whole[some, 1:] - whole[some, :-1]) / lasting[some, None]).T
    return found
