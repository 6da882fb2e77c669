"""Who or what can be read out of an embedding: probes trained afresh, and intervals over utterances."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from prosody_transfer.core.extras import require
from prosody_transfer.evaluation.figures import Figure
from prosody_transfer.evaluation.statistics import Interval

Kind = Literal["logistic", "mlp"]
KINDS: tuple[Kind, ...] = ("logistic", "mlp")
FOLDS = 5
HIDDEN = 32  # units of the small network
ITERATIONS = 200  # of L-BFGS, a full pass each; measured: 1000 find no more
MOST_STEPS = 6_000  # embedding steps that frame-wise probes are trained on; every utterance is thinned evenly
SAMPLES = 2_000  # bootstrap draws

_HOW = (
    "trained afresh after the model was frozen, on standardised features, until it converged; 5 folds, no utterance in "
    "two of them; balanced accuracy: the mean over classes of the share that is right"
)
FIGURES = (
    Figure(
        "probe_pooled", "speaker from the pooled embedding", "", "low",
        "A probe names the source speaker from the mean and deviation of the prosody embedding over an "
        f"utterance: {_HOW}.",
    ),
    Figure(
        "probe_frames", "speaker from single embedding steps", "", "low",
        f"A probe names the source speaker from one step of the prosody embedding: {_HOW}; steps, not "
        "utterances, are right.",
    ),
    Figure(
        "probe_content", "kind of phone from single embedding steps", "", "low",
        "A probe names the kind of phone (silence, vowel, stop, fricative, nasal, liquid) that most of a step's frames "
        f"belong to: {_HOW}.",
    ),
    Figure(
        "floor", "the same from plain prosody", "", "",
        "The same probe on what may pass: speaker-normalised F0, energy and rate alone. F0 over voiced steps and "
        "energy outside pauses have the speaker's mean taken off and are divided by the speaker's deviation. Pooled: "
        "mean and deviation of both, phones a second, deviation of their lengths, vowel length, share of pauses; "
        "frame-wise: F0, voicing, energy and phone length of the step and its neighbours.",
    ),
    Figure(
        "with_ranges", "the same from plain prosody with its ranges", "", "",
        "The same probe where the ranges of melody and loudness are left in, which differ between speakers and between "
        "recordings. A transfer that keeps ranges moves them on purpose, so they may be in the embedding. To read a "
        "leak by, and no limit: a range is no voice, but it can be recognised.",
    ),
    Figure(
        "shuffled", "the same with labels shuffled", "", "",
        "The same probe when each utterance is given another's speaker at random; must lie at chance.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Probed:
    """What a probe found.

    Attributes:
        hits: (U,) for each utterance the share of right answers: 0 or 1 where it has one, of its steps otherwise.
        accuracy: Balanced, with a bootstrap interval over utterances.
    """

    hits: np.ndarray
    accuracy: Interval


def require_sklearn() -> None:
    """Raises DependencyError, with the remedy, when probes can't be trained here."""
    require("evaluate", ("sklearn",), "ptx leakage")


def pool(values: np.ndarray) -> np.ndarray:
    """An utterance's mean and deviation of each channel: (D, T) -> (2D,)."""
    return np.concatenate([values.mean(1), values.std(1)])


def draws(labels: Sequence[str] | np.ndarray, samples: int = SAMPLES, seed: int = 0) -> np.ndarray:
    """Bootstrap draws of utterances within each speaker, (samples, U) of indices: every speaker keeps their number."""
    labels = np.asarray(labels)
    random = np.random.default_rng(seed)
    parts = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    return np.concatenate([part[random.integers(0, len(part), (samples, len(part)))] for part in parts], 1)


def balanced(values: np.ndarray, labels: Sequence[str] | np.ndarray, level: float = 0.95) -> Interval:
    """Mean over speakers of each speaker's mean, with a percentile bootstrap interval over utterances.

    Args:
        values: (U,), of each utterance.
        labels: (U,), its speaker.

    >>> balanced(np.array([1.0, 1.0, 1.0, 0.0]), ["a", "a", "a", "b"]).value
    0.5
    """
    values = np.asarray(values, float)
    _, index, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    weighted = values / (counts[index] * len(counts))
    low, high = np.quantile(weighted[draws(labels)].sum(1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(weighted.sum()), float(low), float(high), len(values))


def probe(
    features: np.ndarray, labels: np.ndarray, utterances: np.ndarray, speakers: np.ndarray, kind: Kind, seed: int = 0
) -> Probed:
    """Train and test a probe with no utterance on both sides.

    Args:
        features: (n, F), a row a step or an utterance.
        labels: (n,) what is to be told.
        utterances: (n,) index 0 to U - 1 of the utterance that each row belongs to.
        speakers: (U,) of each utterance; the interval draws utterances within them.

    Returns:
        Balanced over `labels` where a row is an utterance; over speakers of its utterances' shares otherwise. For
        labels other than the speaker, rows are weighted so that each label counts alike.
    """
    right = cross_validate(features, labels, utterances, kind, seed) == labels
    count = np.bincount(utterances, minlength=len(speakers))
    if len(np.unique(labels)) == len(np.unique(speakers)) and (speakers[utterances] == labels).all():
        hits = np.bincount(utterances, right, len(speakers)) / count
        return Probed(hits, balanced(hits, speakers))
    return _by_label(right, labels, utterances, speakers)


def _by_label(right: np.ndarray, labels: np.ndarray, utterances: np.ndarray, speakers: np.ndarray) -> Probed:
    """Balanced accuracy where one utterance holds many labels; whole utterances are drawn."""
    names, index = np.unique(labels, return_inverse=True)
    size = (len(speakers), len(names))
    hits, counts = np.zeros(size), np.zeros(size)
    np.add.at(hits, (utterances, index), right)
    np.add.at(counts, (utterances, index), 1)
    drawn = draws(speakers)
    with np.errstate(invalid="ignore"):
        means = np.nanmean(hits[drawn].sum(1) / counts[drawn].sum(1), axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    value = float((hits.sum(0) / counts.sum(0)).mean())
    return Probed(hits.sum(1) / counts.sum(1), Interval(value, float(low), float(high), len(speakers)))


def cross_validate(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, kind: Kind, seed: int = 0
) -> np.ndarray:  # fmt: skip
    """What a probe says of every row when it was trained on other groups only, (n,).

    Raises:
        DependencyError: scikit-learn is not installed.
    """
    require_sklearn()
    from sklearn.model_selection import StratifiedGroupKFold

    said = np.empty_like(labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class in fewer groups than there are folds; a last digit not converged
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(features, labels, groups)
        for train, test in folds:
            rows = train if kind == "logistic" else _evened(labels, train, seed)
            said[test] = _classifier(kind, seed).fit(features[rows], labels[rows]).predict(features[test])
    return said


def _evened(labels: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """Rows with those of rare labels repeated until all labels are as frequent."""
    names, index, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    parts = [np.resize(rows[index == k], counts.max()) for k in range(len(names))]
    return np.random.default_rng(seed).permutation(np.concatenate(parts))


def _classifier(kind: Kind, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    network = MLPClassifier((HIDDEN,), solver="lbfgs", alpha=1.0, max_iter=ITERATIONS, random_state=seed)
    return make_pipeline(StandardScaler(), network)


def shuffled(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Utterances' speakers in random order, (U,): each speaker keeps their number of utterances."""
    return np.random.default_rng(seed).permutation(labels)


def thin(lengths: Sequence[int], most: int = MOST_STEPS) -> list[np.ndarray]:
    """Which steps of each utterance frame-wise probes see: all, or evenly spaced ones, `most` in all."""
    share = min(1.0, most / max(1, sum(lengths)))
    return [np.unique(np.linspace(0, n - 1, max(1, round(n * share))).astype(int)) for n in lengths]
