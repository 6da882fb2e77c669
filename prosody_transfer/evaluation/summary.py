"""Rows of figures -> for every system, means with intervals; and differences between systems, pair by pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from prosody_transfer.evaluation.statistics import Interval, bootstrap, fisher_mean

Row = dict[str, Any]
SAMPLES = 2000  # bootstrap draws
CORRELATION = "correlation"  # figures whose keys end so get a mean through Fisher's z besides
# Error rates of a set are all its errors over all its units, so that a short sentence weighs little.
POOLED = {"wer": ("word_errors", "words"), "cer": ("character_errors", "characters"), "per": ("phone_errors", "phones")}


def values(rows: Iterable[Row], key: str) -> tuple[list[float], list[str]]:
    """The values of a figure that could be measured, and the source that each belongs to."""
    found = [(float(row[key]), str(row["source"])) for row in rows if row.get(key) is not None]
    return [v for v, _ in found], [s for _, s in found]


def summarise(rows: Sequence[Row], keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Every figure of one system: mean, 95 % bootstrap interval over sources, and number of values.

    Args:
        rows: Of one system; each has "source" beside its figures.
        keys: Which figures; those that no row has are left out.

    Returns:
        Key -> {"value", "low", "high", "n"}; correlations also {"fisher"}: the mean through Fisher's z.
    """
    table: dict[str, dict[str, Any]] = {}
    for key in keys:
        found, sources = values(rows, key)
        if not found:
            continue
        table[key] = _pooled(rows, *POOLED[key]) if key in POOLED else plain(bootstrap(found, sources, samples=SAMPLES))
        if key.endswith(CORRELATION):
            table[key]["fisher"] = fisher_mean(found)
    return table


def _pooled(rows: Sequence[Row], errors: str, units: str) -> dict[str, Any]:
    """All errors over all units, with a percentile bootstrap interval over sources."""
    above, sources = values(rows, errors)
    below, _ = values(rows, units)
    names = np.unique(sources, return_inverse=True)[1]
    top, bottom = np.bincount(names, above), np.bincount(names, below)
    drawn = np.random.default_rng(0).integers(0, len(top), (SAMPLES, len(top)))
    low, high = np.quantile(top[drawn].sum(1) / bottom[drawn].sum(1), [0.025, 0.975])
    return {"value": sum(above) / sum(below), "low": float(low), "high": float(high), "n": len(above)}


def paired(first: Sequence[Row], second: Sequence[Row], key: str) -> Interval | None:
    """Mean of `first` minus `second` over the pairs that both have, with a bootstrap interval over sources.

    Returns:
        None where they share no pair.
    """
    other = {_name(row): float(row[key]) for row in second if row.get(key) is not None}
    both = [row for row in first if row.get(key) is not None and _name(row) in other]
    if not both:
        return None
    differences = [float(row[key]) - other[_name(row)] for row in both]
    return bootstrap(differences, [str(row["source"]) for row in both], samples=SAMPLES)


def plain(interval: Interval) -> dict[str, Any]:
    """An interval as JSON."""
    return {"value": interval.value, "low": interval.low, "high": interval.high, "n": interval.n}


def _name(row: Row) -> tuple[str, str]:
    return str(row["id"]), str(row["speaker"])
