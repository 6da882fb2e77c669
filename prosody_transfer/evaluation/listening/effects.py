"""How large a difference is: relative change and gap closure, which are not the same, each named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RELATIVE_CHANGE = (
    "(S - B) / B, from the mean ratings of system S and baseline B: by which share of the baseline's score the system "
    "is above it. Depends on where the scale has its zero."
)
GAP_CLOSURE = (
    "(S - B) / (R - B), with the mean rating of the reference R too: which share of the way from the baseline to the "
    "reference the system goes. 0: none, 1: all."
)


@dataclass(frozen=True)
class Ratio:
    """A ratio of means with its 95 % bootstrap interval over listeners."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """System against baseline. A ratio is None where its denominator is not surely above 0: `why` says so.

    Attributes:
        relative_change: (S - B) / B.
        gap_closure: (S - B) / (R - B).
        reference: The R of gap closure; "" where the test has none.
    """

    system: str
    baseline: str
    reference: str
    relative_change: Ratio | None
    gap_closure: Ratio | None
    why: str


def effect(
    scores: np.ndarray, names: tuple[str, str, str], *, samples: int = 2000, level: float = 0.95, seed: int = 0
) -> Effect:
    """Relative change and gap closure of a system.

    Args:
        scores: (L, I, 3) ratings of S, B and R by listener and item, NaN where there is none; the last is all NaN where
            there is no reference. Only cells with both S and B (and R, for gap closure) count.
        names: Of S, B, R; R is "" where there is none.
    """
    why = []
    change = _ratio(scores[..., :2], (1, -1), (0, 1), samples, level, seed)
    if change is None:
        why.append(f"no relative change: the ratings of {names[1]} are not surely above 0")
    gap = _ratio(scores, (1, -1, 0), (0, -1, 1), samples, level, seed) if names[2] else None
    if names[2] and gap is None:
        why.append(f"no gap closure: {names[2]} is not surely above {names[1]}")
    return Effect(*names, change, gap, "; ".join(why))


def _ratio(
    scores: np.ndarray, above: tuple[int, ...], below: tuple[int, ...], samples: int, level: float, seed: int
) -> Ratio | None:
    """Two weighted sums of the systems' means over each other; None where the lower one's interval reaches 0.

    Args:
        scores: (L, I, K); cells that lack one of the K systems are left out.
        above, below: K weights each.
    """
    whole = np.isfinite(scores).all(-1)  # (L, I)
    sums = np.where(whole[..., None], scores, 0.0).sum(1)[whole.any(1)]  # (L, K)
    counts = whole.sum(1)[whole.any(1)]  # (L,)
    if not len(counts):
        return None
    drawn = np.random.default_rng(seed).integers(0, len(counts), (samples, len(counts)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)[:, None]  # (samples, K)
    tails = [(1 - level) / 2, (1 + level) / 2]
    mean = sums.sum(0) / counts.sum()
    if np.quantile(means @ below, tails[0]) <= 0 or mean @ below <= 0:
        return None
    low, high = np.quantile((means @ above) / (means @ below), tails)
    return Ratio(float(mean @ above / (mean @ below)), float(low), float(high))
