"""What the sound of a spoken sentence does: where it rises, and which words stand out."""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.evaluation.texts.endings import RISE_SEMITONES, ending, slope
from prosody_transfer.features.extract import Features
from prosody_transfer.features.prominence import measure_words
from prosody_transfer.synthesis.speaking.planning import PlannedSentence

EMPHASISED = 3.0  # of what is planned, above all that readers do


def ending_figures(kind: str, planned: PlannedSentence, features: Features) -> dict[str, float]:
    """Whether it rises at its end, and at the ends of its parts: by the slope, and ("_shape") by the kind of ending."""
    config = planned.plan.config
    step = config.hop_length / config.sample_rate
    contour = (features.log_f0, features.voiced)

    def rises(stop: int) -> np.ndarray:
        return np.array([slope(*contour, stop, step) > RISE_SEMITONES, ending(*contour, stop, step) == "rise"])

    falls = np.array([slope(*contour, features.n_frames, step) < 0, not rises(features.n_frames)[1]])
    words, found = planned.request.sentence.words, {}
    found["rises"], found["rises_shape"] = map(float, rises(features.n_frames))
    if kind == "or" and (joints := [i - 1 for i, w in enumerate(words) if w.text == "or" and i]):
        both = rises(int(planned.spans[joints[0], 1])) & falls
        found["rises_then_falls"], found["rises_then_falls_shape"] = map(float, both)
    if kind == "list" and (joints := [i for i, w in enumerate(words[:-1]) if w.sign == "comma"]):
        share = np.mean([rises(int(planned.spans[i, 1])) for i in joints], axis=0)
        found["continuations"], found["continuations_shape"] = map(float, share)
    return found


def heard_prominence(planned: PlannedSentence, features: Features) -> np.ndarray:
    """(W,) prominence of the words in the sound, see `features.prominence`."""
    plan, step = planned.plan, planned.plan.config.hop_length / planned.plan.config.sample_rate
    ends = np.cumsum(plan.phones.durations) * step
    starts = np.concatenate([[0.0], ends[:-1]])
    phones = [PhoneInterval(n, float(a), float(b)) for n, a, b in zip(plan.phones.names, starts, ends, strict=True)]
    words = [WordInterval("w", float(a) * step, float(b) * step) for a, b in planned.spans]
    return measure_words(features, Alignment(tuple(phones), tuple(words), float(ends[-1]))).prominence


def planned_prominence(planned: PlannedSentence) -> list[float] | None:
    """Of each word, as readers would have it or as it was asked for; None where nobody has looked."""
    pairs = list(zip(planned.request.sentence.words, planned.request.wishes, strict=True))
    if any(word.prominence is None and not wish.emphasis for word, wish in pairs):
        return None
    return [EMPHASISED if wish.emphasis == "strong" else float(word.prominence or 0.0) for word, wish in pairs]


def stands_out(planned: PlannedSentence, heard: np.ndarray) -> float | None:
    """Whether the word that is emphasised is the most prominent of its phrase; None where none or several are."""
    marked = [i for i, wish in enumerate(planned.request.wishes) if wish.emphasis == "strong"]
    if len(marked) != 1:
        return None
    ends = [i for i, word in enumerate(planned.request.sentence.words) if word.sign]
    first = max((i + 1 for i in ends if i < marked[0]), default=0)
    last = min((i for i in ends if i >= marked[0]), default=len(heard) - 1)
    return float(first + int(heard[first : last + 1].argmax()) == marked[0])
