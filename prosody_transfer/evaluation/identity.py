"""Whose voice is it? Similarities to target and source, what they are worth, and equal error rates of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from prosody_transfer.evaluation.figures import Figure, Values
from prosody_transfer.evaluation.statistics import Interval

REGISTER_HZ = 155.0  # median F0; between the two registers of read English speech
FIGURES = (
    Figure(
        "target_similarity", "similarity to the target", "", "high",
        "cos(e(output), c_target): e is the judge's embedding, c the mean direction of natural held-out utterances. "
        "Read it between the natural ceiling and floor; no constant is a threshold.",
    ),
    Figure(
        "source_similarity", "similarity to the source", "", "",
        "cos(e(output), c_source), c_source from other utterances of the source speaker, or from the source alone.",
    ),
    Figure(
        "margin", "identity margin", "", "high", "Similarity to the target minus similarity to the source; above 0 the "
        "output is nearer to the target.",
    ),
)  # fmt: skip
LEVELLED = Figure(
    "target_similarity_levelled", "similarity to the target, equally loud", "", "high",
    "The same, the output brought to the mean speech level of those natural utterances first: the judge hears how "
    "loud a recording is, and an output is as loud as its source. Of outputs and exact answers, where that level is "
    "known: of shipped voices, and where recordings of the target are given.",
)  # fmt: skip
SET_FIGURES = (
    *FIGURES,
    Figure("margin_positive", "P(margin > 0)", "", "high", "Share of outputs nearer to the target than to the source."),
    Figure("margin_p5", "5th percentile of the margin", "", "high", "The margin that 95 % of the outputs exceed."),
    Figure(
        "identity_attainment", "identity attainment", "", "one",
        "(cos(y, c_target) - cos(n_source, c_target)) / (cos(n_target, c_target) - cos(n_source, c_target)); y are "
        "outputs, n natural utterances, left out of the centroid they are compared with; sums over all outputs are "
        "divided. 0: as unlike the target as the source; 1: as like it as its own recordings.",
    ),
    Figure(
        "leak_index", "normalised leak index", "", "low",
        "(cos(y, c_source) - cos(n_target, c_source)) / (cos(n_source, c_source) - cos(n_target, c_source)), likewise. "
        "0: no more of the source in it than in a natural recording of the target, below 0 less; 1: as much as in the "
        "source's own.",
    ),
    Figure(
        "verification_eer", "equal error rate of verification", "", "low",
        "Accepted as the target: outputs against their own target's centroid; to be refused: outputs against the other "
        "speakers' centroids. 0 is best, 50 % is chance.",
    ),
    Figure(
        "indistinguishability_eer", "equal error rate of telling outputs from recordings", "", "high",
        "Pairs of two recordings of the target against pairs of an output and a recording. 50 % = cannot be told from "
        "real; 0 = always told. The opposite sense of the other one.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Naturals:
    """What natural speech scores: between these an output's similarities are placed. Names: utterances_centroid.

    None where there are too few recordings to say (fewer than two of the one who is compared with themselves).
    """

    natural_target_target: float | None
    natural_target_source: float | None
    natural_source_source: float | None
    natural_source_target: float | None


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scaled to length 1 along the last axis."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def mean_direction(embeddings: np.ndarray) -> np.ndarray:
    """(n, E), or one (E,) -> (E,): the mean of the unit vectors, of unit length."""
    return unit(unit(np.atleast_2d(np.asarray(embeddings, float))).mean(0))


def leave_one_out(embeddings: np.ndarray) -> np.ndarray:
    """Cosine of each embedding to the mean direction of the others, (n, E) -> (n,); n at least 2.

    >>> leave_one_out(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).round(3).tolist()
    [0.707, 0.707, 0.0]
    """
    vectors = unit(np.asarray(embeddings, float))
    if len(vectors) < 2:
        raise ValueError("leaving one out needs at least two")
    return (vectors * unit(vectors.sum(0) - vectors)).sum(1)


def naturals(target: np.ndarray, source: np.ndarray) -> Naturals:
    """What the speakers' own recordings score.

    Args:
        target: (n, E) embeddings of natural target utterances.
        source: (m, E) of the source speaker's; one is enough for all but the leak index.
    """
    target, source = unit(np.atleast_2d(target)), unit(np.atleast_2d(source))
    own = lambda vectors: float(leave_one_out(vectors).mean()) if len(vectors) > 1 else None
    return Naturals(
        own(target), float((target @ mean_direction(source)).mean()), own(source),
        float((source @ mean_direction(target)).mean()),
    )  # fmt: skip


def identity_figures(
    output: np.ndarray, target_centroid: np.ndarray, source_centroid: np.ndarray, natural: Naturals | None = None
) -> Values:
    """The figures of one output.

    Args:
        output: (E,) embedding of the output.
        target_centroid, source_centroid: (E,) each; the source's is that of the source itself where there is no other
            recording of its speaker.
        natural: Kept beside the figures, for `identity_summary`.

    >>> identity_figures(np.array([0.6, 0.8]), np.array([0.0, 2.0]), np.array([1.0, 0.0]))
    {'target_similarity': 0.8, 'source_similarity': 0.6, 'margin': 0.2}
    """
    to_target = round(float(unit(output) @ unit(target_centroid)), 7)
    to_source = round(float(unit(output) @ unit(source_centroid)), 7)
    found: Values = {
        "target_similarity": to_target, "source_similarity": to_source, "margin": round(to_target - to_source, 7),
    }  # fmt: skip
    return {**found, **asdict(natural)} if natural else found


def relation(source_gender: str, target_gender: str, source_f0_hz: float | None = None) -> str:
    """How source and target voice compare, for tables.

    Args:
        source_gender: "female", "male", or "" where it was not given: then the source's median F0 alone decides, and
            the answer speaks of registers, because F0 is no gender.

    Returns:
        "same gender", "cross gender", "same f0 register", "cross f0 register", or "" where it cannot be said.

    >>> relation("male", "female"), relation("", "female", 210.0), relation("", "female")
    ('cross gender', 'same f0 register', '')
    """
    if not target_gender:
        return ""
    if source_gender:
        return "same gender" if source_gender == target_gender else "cross gender"
    if source_f0_hz is None or not source_f0_hz > 0:
        return ""
    return "same f0 register" if (source_f0_hz > REGISTER_HZ) == (target_gender == "female") else "cross f0 register"


def identity_summary(
    rows: Sequence[Values], clusters: Sequence[str] | None = None, *, samples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """`SET_FIGURES` but for the error rates, over outputs, with 95 % intervals over whole clusters.

    Args:
        rows: Of `identity_figures`; those without a natural value count in all but that ratio.
        clusters: What each row belongs to: its source, or its source speaker. None: each by itself.

    Returns:
        By key; what cannot be said is left out.
    """
    if not rows:
        return {}
    taken = lambda key: np.array([np.nan if (v := row.get(key)) is None else float(v) for row in rows])
    margins = taken("margin")
    mean = lambda values: (lambda i: float(values[i].mean()), len(rows))
    statistics: dict[str, tuple[Callable[[np.ndarray], float], int]] = {
        "target_similarity": mean(taken("target_similarity")), LEVELLED.key: mean(taken(LEVELLED.key)),
        "source_similarity": mean(taken("source_similarity")),
        "margin": mean(margins), "margin_positive": mean((margins > 0).astype(float)),
        "margin_p5": (lambda i: float(np.quantile(margins[i], 0.05)), len(rows)),
        "identity_attainment": _ratio(
            taken("target_similarity"), taken("natural_source_target"), taken("natural_target_target")
        ),
        "leak_index": _ratio(
            taken("source_similarity"), taken("natural_target_source"), taken("natural_source_source")
        ),
    }  # fmt: skip
    names = np.arange(len(rows)) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    members = [np.flatnonzero(names == k) for k in range(int(names.max()) + 1)]
    rng = np.random.default_rng(seed)
    drawn = [
        np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))]) for _ in range(samples)
    ]
    found = {}
    for key, (statistic, count) in statistics.items():
        value = statistic(np.arange(len(rows)))
        spread = [s for s in map(statistic, drawn) if np.isfinite(s)]
        if np.isfinite(value) and spread:
            low, high = np.quantile(spread, [0.025, 0.975])
            found[key] = Interval(value, float(low), float(high), count)
    return found


def _ratio(value: np.ndarray, zero: np.ndarray, one: np.ndarray) -> tuple[Callable[[np.ndarray], float], int]:
    """Where outputs stand between what counts as 0 and as 1, NaN where nothing lies between; and of how many."""
    known = np.isfinite(value) & np.isfinite(zero) & np.isfinite(one)

    def statistic(rows: np.ndarray) -> float:
        rows = rows[known[rows]]
        below = float((one[rows] - zero[rows]).sum())
        return float((value[rows] - zero[rows]).sum()) / below if below > 1e-6 * max(1, len(rows)) else float("nan")

    return statistic, int(known.sum())


def identity_by_group(
    rows: Sequence[Values], groups: Sequence[str], clusters: Sequence[str] | None = None
) -> dict[str, dict[str, Interval]]:
    """`identity_summary` of each group ("same gender", ...; rows whose group is "" are left out), by name."""
    found = {}
    for name in sorted({g for g in groups if g}):
        chosen = [i for i, g in enumerate(groups) if g == name]
        found[name] = identity_summary(
            [rows[i] for i in chosen], None if clusters is None else [clusters[i] for i in chosen]
        )
    return found


def equal_error_rate(positives: Sequence[float] | np.ndarray, negatives: Sequence[float] | np.ndarray) -> float:
    """Where as many negatives are accepted as positives refused, 0 to 1; between two thresholds, interpolated.

    Args:
        positives: (n,) scores that should be high.
        negatives: (m,) scores that should be low.

    Raises:
        ValueError: One of them is empty.

    >>> equal_error_rate([0.9, 0.8, 0.4], [0.5, 0.3, 0.1])
    0.3333333333333333
    """
    high, low = np.sort(np.asarray(positives, float)), np.sort(np.asarray(negatives, float))
    if not len(high) or not len(low):
        raise ValueError("an error rate needs scores of both kinds")
    thresholds = np.append(np.unique(np.concatenate([high, low]))[::-1], -np.inf)
    accepted = np.concatenate([[0.0], 1.0 - np.searchsorted(low, thresholds) / len(low)])  # of the negatives
    refused = np.concatenate([[1.0], np.searchsorted(high, thresholds) / len(high)])  # of the positives
    at = int(np.argmax(accepted >= refused))  # the first is 0 >= 1: at > 0
    before, after = refused[at - 1] - accepted[at - 1], accepted[at] - refused[at]
    share = before / (before + after)
    return float(accepted[at - 1] + share * (accepted[at] - accepted[at - 1]))


def verification_eer(
    outputs: np.ndarray, speakers: Sequence[str], centroids: Mapping[str, np.ndarray]
) -> float | None:
    """See `SET_FIGURES`.

    Args:
        outputs: (n, E).
        speakers: The target of each.
        centroids: Of all targets, and of whoever else they may be taken for (other voices, the sources).

    Returns:
        None where there is nobody else.
    """
    names = list(centroids)
    scores = unit(np.asarray(outputs, float)) @ unit(np.stack([centroids[name] for name in names])).T
    own = np.array([[name == speaker for name in names] for speaker in speakers])
    return None if own.all() else equal_error_rate(scores[own], scores[~own])


def indistinguishability_eer(outputs: Mapping[str, np.ndarray], references: Mapping[str, np.ndarray]) -> float | None:
    """See `SET_FIGURES`; pairs are made within each target and put together.

    Args:
        outputs: By target, (n, E).
        references: By target, (m, E) of its recordings.

    Returns:
        None where no target has two recordings.

    Source:
        The convention of kNN-VC (Baas et al. 2023) and of voice conversion at large.
    """
    real: list[np.ndarray] = []
    made: list[np.ndarray] = []
    for name, vectors in outputs.items():
        own = unit(np.asarray(references[name], float))
        if len(own) > 1 and len(vectors):
            real.append((own @ own.T)[np.triu_indices(len(own), 1)])
            made.append((unit(np.asarray(vectors, float)) @ own.T).ravel())
    return equal_error_rate(np.concatenate(real), np.concatenate(made)) if real else None
