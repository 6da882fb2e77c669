"""A measured recording as what is predicted of it: tokens, their frames, and four points of each contour in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.features.cache import Utterance
from prosody_transfer.features.prominence import measure_words
from prosody_transfer.models.camp.network import POINTS
from prosody_transfer.text.phones import PHONES
from prosody_transfer.text.prosody_tokens import tokens_of
from prosody_transfer.text.spoken import SpokenWord, spoken_sentences
from prosody_transfer.training.words import words_of_phones


@dataclass(frozen=True)
class Reading:
    """One, of P tokens.

    Attributes:
        classes, numbers, word: As `Tokens` has them, "heard" as it was measured.
        frames: (P,) int64; 0 for gaps that are no pause.
        log_f0, voiced, energy: (4, P) float32, F0 relative to the voice's level, share of voiced frames, dB.
        level: ln Hz.
        pace: Mean of ln frames less what is usual for each phone, in units of .3.
        voice: Row of the voice; -1 for one that is none of the speakers.
        shown: (P,) float32, 1 in words whose residual is told.
    """

    classes: np.ndarray
    numbers: np.ndarray
    word: np.ndarray
    frames: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    energy: np.ndarray
    level: float
    pace: float
    shown: np.ndarray
    voice: int = -1


def reading_of(
    utterance: Utterance, text: str, level: float, usual: np.ndarray, *, reads: bool = True
) -> Reading | None:  # fmt: skip
    """A recording and its text; None where its phones are not those of the text's words.

    Args:
        level: ln Hz, its voice's median F0.
        usual: (V,) mean ln frames of each phone, of its voice.
        reads: Whether prominence and boundaries are predicted from the text, which needs the extra `speak`.
    """
    try:
        words, kinds = _words(text, reads)
    except TranscriptError:
        return None
    phones, frames = utterance.phones.astype(int), utterance.durations.astype(int)
    said = _as_aligned(words, phones, utterance.stress.astype(int), text)
    if said is None:
        return None
    words, spans = said
    heard = measure_words(utterance.features, _alignment(utterance, words, spans)).prominence
    tokens = tokens_of(words, kinds, [float(h) for h in heard])
    starts = np.concatenate([[0], np.cumsum(frames)])
    edges = _edges(tokens.word, spans, starts, len(phones))
    features = utterance.features
    pace = float(np.mean(np.log(np.maximum(frames, 1))[phones > 0] - usual[phones[phones > 0]])) / 0.3
    contours = [_points(v, edges) for v in (features.log_f0 - level, features.voiced, features.energy_db)]
    return Reading(
        tokens.classes, tokens.numbers, tokens.word, edges[:, 1] - edges[:, 0], contours[0], contours[1],
        np.maximum(contours[2], -40.0), level, pace, np.zeros(len(edges), np.float32),
    )  # fmt: skip


def _words(text: str, reads: bool) -> tuple[list[SpokenWord], list[str]]:
    analysed = None
    if reads:
        from prosody_transfer.text.linguistics.analysis import analyse

        analysed = analyse(text)
    sentences = spoken_sentences(text, analysed)
    return [w for s in sentences for w in s.words], [s.kind for s in sentences for _ in s.words]


def _as_aligned(
    words: Sequence[SpokenWord], phones: np.ndarray, stress: np.ndarray, text: str
) -> tuple[list[SpokenWord], list[tuple[int, int]]] | None:
    """The words with the phones that were aligned, and where each lies among these; None where they do not fit."""
    runs = words_of_phones(phones, text)
    numbers = [int(n) for n in np.unique(runs[phones > 0])]
    if len(numbers) != len(words):
        return None
    found, spans = [], []
    for word, number in zip(words, numbers, strict=True):
        at = np.flatnonzero(runs == number)
        names = tuple(_name(phones[i], stress[i]) for i in at)
        found.append(replace(word, phones=names))
        spans.append((int(at[0]), int(at[-1]) + 1))
    return found, spans


def _name(phone: int, stress: int) -> str:
    return PHONES[phone] + (str(stress - 1) if stress else "")


def _alignment(utterance: Utterance, words: Sequence[SpokenWord], spans: Sequence[tuple[int, int]]) -> Alignment:
    config = utterance.features.config
    ends = np.cumsum(utterance.durations.astype(int)) * config.hop_length / config.sample_rate
    starts = np.concatenate([[0.0], ends[:-1]])
    names = [PHONES[p] if p else SILENCE for p in utterance.phones]
    intervals = [PhoneInterval(n, float(a), float(b)) for n, a, b in zip(names, starts, ends, strict=True)]
    at = [(float(starts[a]), float(ends[b - 1])) for a, b in spans]
    placed = [WordInterval(word.text, *times) for word, times in zip(words, at, strict=True)]
    return Alignment(tuple(intervals), tuple(placed), float(ends[-1]))


def _edges(word: np.ndarray, spans: Sequence[tuple[int, int]], starts: np.ndarray, count: int) -> np.ndarray:
    """Frames that each token begins and ends at, (P, 2)."""
    rows = [(0, int(starts[spans[0][0]]))]
    for i, (first, last) in enumerate(spans):
        rows += [(int(starts[k]), int(starts[k + 1])) for k in range(first, last)]
        following = spans[i + 1][0] if i + 1 < len(spans) else count
        rows.append((int(starts[last]), int(starts[following])))
    return np.array(rows)


def _points(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Means in the four quarters of each token, (4, P) float32; 0 where it has no frames."""
    sums = np.concatenate([[0.0], np.cumsum(values.astype(np.float64))])
    found = np.zeros((POINTS, len(edges)), np.float32)
    at = edges[:, :1] + (edges[:, 1:] - edges[:, :1]) * np.arange(POINTS + 1) / POINTS  # (P, 5)
    whole = np.interp(at, np.arange(len(sums)), sums)
    lasting = (edges[:, 1] - edges[:, 0]) / POINTS
    some = lasting > 0
    found[:, some] = ((whole[some, 1:] - whole[some, :-1]) / lasting[some, None]).T
    return found
