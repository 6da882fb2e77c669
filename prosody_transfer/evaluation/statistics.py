"""Means with intervals, and the rules for testing many things at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A mean, its 95 % bootstrap interval, and from how many values it was taken."""

    value: float
    low: float
    high: float
    n: int


def bootstrap(
    values: Sequence[float] | np.ndarray, clusters: Sequence[str] | None = None, *, samples: int = 2000,
    level: float = 0.95, seed: int = 0,
) -> Interval:  # fmt: skip
    """The mean with a percentile bootstrap interval; always the same for the same values.

    Args:
        values: (n,), finite.
        clusters: What each value belongs to (its source, its listener). Whole clusters are drawn, because values of
            one cluster are not independent. None: every value by itself.
        level: Of the interval.

    >>> bootstrap([1.0, 1.0, 1.0])
    Interval(value=1.0, low=1.0, high=1.0, n=3)
    """
    data = np.asarray(values, float)
    if not len(data):
        raise ValueError("no values")
    names = np.arange(len(data)) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    sums = np.bincount(names, data)
    counts = np.bincount(names).astype(float)
    drawn = np.random.default_rng(seed).integers(0, len(sums), (samples, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(data.mean()), float(low), float(high), len(data))


def fisher_mean(correlations: Sequence[float]) -> float:
    """Mean of correlations through Fisher's z; values of exactly 1 count as .99999.

    >>> round(fisher_mean([0.9, 0.99]), 3)
    0.968
    """
    z = np.arctanh(np.clip(np.asarray(correlations, float), -0.99999, 0.99999))
    return float(np.tanh(z.mean()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values after Holm-Bonferroni: sorted p_(i) times (m - i + 1), running maximum, at most 1.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = worst
    return adjusted
