"""The outputs: whose voice are they, how much of the source's is in them, and can the source be told from them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from prosody_transfer.evaluation.figures import Figure, Values
from prosody_transfer.evaluation.identity import SET_FIGURES, identity_figures, naturals, unit
from prosody_transfer.evaluation.probe import balanced
from prosody_transfer.evaluation.statistics import Interval

FIGURES = (
    *(f for f in SET_FIGURES if not f.key.endswith("eer")),
    Figure(
        "tracing", "source traced from the output", "", "low",
        "Who was the source? The nearest of all sources' natural embeddings, without the utterance itself. From each "
        "similarity the mean over all outputs in that voice is taken off, so that the target's own likeness to one of "
        "the sources hides nothing. Balanced accuracy; chance is 1 / number of sources.",
    ),
    Figure(
        "tracing_informed", "source traced by a listener who knows other outputs", "", "low",
        "The same, but against embeddings of the other outputs of each source in the same voice: whatever the outputs "
        "of one source share, be it voice, accent, rate or recording. For information: it is no proof of a voice.",
    ),
    Figure(
        "tracing_floor", "source traced from plain prosody", "", "",
        "The same question to speaker-normalised F0, energy and rate of the source alone, the best of nearest mean, "
        "logistic regression and small network: what a transfer of prosody gives away at the least.",
    ),
    Figure(
        "tracing_above_floor", "traced from the output, minus plain prosody", "", "low",
        "The difference of the two, utterance by utterance.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A target voice as the judge knows it, never from training recordings of the same text.

    Attributes:
        centroid: (E,) mean of natural utterances' embeddings.
        references: (R, E) the utterances' own.
        gender: "female", "male" or "".
    """

    name: str
    centroid: np.ndarray
    references: np.ndarray
    gender: str = ""


def without_one(vectors: np.ndarray) -> np.ndarray:
    """For each vector the mean direction of the others, (n, E) -> (n, E); n >= 2."""
    vectors = unit(vectors)
    return unit(vectors.sum(0) - vectors)


def compare_outputs(
    vectors: np.ndarray, sources: np.ndarray, voices: np.ndarray, natural: np.ndarray, speakers: np.ndarray,
    targets: Mapping[str, Target],
) -> list[Values]:  # fmt: skip
    """`identity_figures` of every output; what it was made from is no part of what it is compared with.

    Args:
        vectors: (n, E) embeddings of outputs.
        sources: (n,) index of the utterance that each was made from.
        voices: (n,) names of their target voices.
        natural: (U, E) embeddings of the source utterances.
        speakers: (U,) of each; at least two utterances a speaker.
    """
    centroids = np.empty(natural.shape)
    for name in np.unique(speakers):
        centroids[speakers == name] = without_one(natural[speakers == name])
    between = {
        (speaker, voice): naturals(targets[voice].references, natural[speakers == speaker])
        for speaker in np.unique(speakers) for voice in np.unique(voices)
    }  # fmt: skip
    return [
        identity_figures(vector, targets[voice].centroid, centroids[i], between[speakers[i], voice])
        for vector, i, voice in zip(vectors, sources, voices, strict=True)
    ]


def _relative(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Scores (n, S) without each candidate's mean over the outputs in the same voice."""
    centred = scores.copy()
    for name in np.unique(targets):
        centred[targets == name] -= scores[targets == name].mean(0)
    return centred


def trace(
    vectors: np.ndarray, sources: np.ndarray, targets: np.ndarray, enrolled: np.ndarray, owners: np.ndarray,
    speakers: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Which speaker each output was made from, by the nearest mean, leave one utterance out.

    Args:
        vectors: (n, E) embeddings of outputs.
        sources: (n,) index of the utterance that each was made from.
        targets: (n,) its voice.
        enrolled: (m, E) what speakers are known by.
        owners: (m,) index of the utterance that each of them is, or was made from.
        speakers: (U,) of each utterance.

    Returns:
        (n,) names. Of every candidate one utterance is left out, the output's own where it is the source: else the true
        speaker alone would be judged by fewer.
    """
    names = np.unique(speakers)
    rank = np.empty(len(speakers), int)  # of an utterance among its speaker's
    for name in names:
        rank[speakers == name] = np.arange((speakers == name).sum())
    enrolled, vectors = unit(enrolled), unit(vectors)
    scores = np.empty((len(vectors), len(names)))
    for column, name in enumerate(names):
        own = np.flatnonzero(speakers == name)
        sums = np.stack([enrolled[owners == u].sum(0) for u in own])
        rest = unit(sums.sum(0) - sums)  # (utterances, E)
        scores[:, column] = (vectors * rest[rank[sources] % len(own)]).sum(1)
    return names[_relative(scores, targets).argmax(1)]


def traced(said: np.ndarray, sources: np.ndarray, speakers: np.ndarray) -> tuple[np.ndarray, Interval]:
    """Share of each utterance's outputs that were traced, (U,), and balanced accuracy."""
    right = np.bincount(sources, said == speakers[sources], len(speakers))
    hits = right / np.bincount(sources, minlength=len(speakers))
    return hits, balanced(hits, speakers)


def trace_prosody(prosody: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """The speaker with the nearest mean of standardised plain prosody, leave one out: (U, F) -> (U,) share right."""
    scaled = (prosody - prosody.mean(0)) / np.maximum(prosody.std(0), 1e-9)
    names = np.unique(speakers)
    said = []
    for i in range(len(scaled)):
        rest = np.arange(len(scaled)) != i
        means = np.stack([scaled[rest & (speakers == name)].mean(0) for name in names])
        said.append(names[np.square(means - scaled[i]).sum(1).argmin()])
    return (np.array(said) == speakers).astype(float)
