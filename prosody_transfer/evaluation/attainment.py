"""How much of the margin that a speaker's own recordings have is reached by outputs in their voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from prosody_transfer.evaluation.identity import leave_one_out, mean_direction, unit

LEAST = 0.85  # of the mean ratio
LEAST_LOW = 0.75  # of its lower bound
LEVEL = 0.9  # of that bound, one-sided
POWER = 0.8  # the chance of showing the smallest shortfall
SAMPLES = 2000
_SMALLEST = 1e-3  # a mean margin below it is none


@dataclass(frozen=True)
class Attained:
    """Output margin over natural margin, beside what shipped voices reach of theirs.

    Attributes:
        ratio: `of_natural` over `usual`; None where the speaker's own recordings have no margin.
        low: Lower bound of `ratio` at `LEVEL`, one-sided, over sources; None likewise.
        shortfall: The smallest shortfall of the ratio that so many sources show, at `LEVEL`, in `POWER` of all tests.
        of_natural: Mean margin of the outputs over that of the speaker's own recordings.
        usual: The same of the shipped voice that reaches least, on the same sources; at most 1.
        least: That voice; "" for none.
        natural: Mean margin of the speaker's own recordings.
        sources: How many.
    """

    ratio: float | None
    low: float | None
    shortfall: float | None
    of_natural: float | None
    usual: float
    least: str
    natural: float
    sources: int

    def failed(self) -> tuple[str, ...]:
        """Why it is too little, a line each."""
        if self.ratio is None or self.low is None or self.of_natural is None:
            return ("the speaker's own recordings are hardly nearer to each other than to the sources' speakers",)
        reached = f"outputs reach {self.of_natural:.2f} of the margin of the speaker's own recordings"
        if self.least:
            reached += f", {self.ratio:.2f} of what the shipped voice {self.least} does"
        bound = f"its lower {LEVEL:.0%} bound is {self.low:.2f}, not {LEAST_LOW}"
        if self.ratio < LEAST:
            return (f"{reached}, not {LEAST}", *([bound] if self.low < LEAST_LOW else []))
        return (f"{reached}, but {bound}",) if self.low < LEAST_LOW else ()

    def line(self) -> str:
        """What so many sources can show."""
        if self.shortfall is None:
            return ""
        return f"{self.sources} sources can show a shortfall of {self.shortfall:.2f} or more"


def margins(outputs: np.ndarray, known: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Margins of outputs, and of the speaker's own recordings against the same source speakers.

    Both are compared with the same centres of the speaker: that of all recordings but one, for each that is left out.

    Args:
        outputs: (m, E) of the judge, one output a source.
        known: (n, E) of the speaker's own recordings, n at least 2.
        centres: (m, E) mean directions of the sources' speakers.

    Returns:
        (m,) cos(y_i, c) - cos(y_i, s_i), and (m,) mean over j of cos(n_j, c) - cos(n_j, s_i).
    """
    outputs, known, centres = (unit(np.asarray(v, float)) for v in (outputs, known, centres))
    others = np.stack([mean_direction(np.delete(known, j, 0)) for j in range(len(known))])  # (n, E)
    made = (outputs @ others.T).mean(1) - (outputs * centres).sum(1)
    natural = leave_one_out(known).mean() - (known @ centres.T).mean(0)
    return made, natural


def attained(
    made: Sequence[float] | np.ndarray, natural: Sequence[float] | np.ndarray,
    shipped: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None, seed: int = 0,
) -> Attained:  # fmt: skip
    """The ratio of the mean margins, with its bound by a bootstrap over sources.

    A ratio of means, not a mean of ratios: against a natural neighbour the speaker's own margin is near zero, or below
    it, and such a source's own ratio says nothing, but would outweigh all others.

    Args:
        made, natural: (m,) each, of `margins`.
        shipped: The same two of shipped voices by name, on the same sources. The ratio is over that of the one which
            reaches least, drawn together with it: a source that is hard for every voice is no shortfall of this one.

    >>> found = attained([0.18, 0.2, 0.01], [0.2, 0.22, 0.0])
    >>> round(found.ratio, 3), found.low >= 0.9, found.sources
    (0.929, True, 3)
    """
    made, natural = np.asarray(made, float), np.asarray(natural, float)
    count = len(natural)
    every = np.arange(count)[None]
    shares = {name: float(_share(*both, every)[0]) for name, both in (shipped or {}).items()}
    shares = {name: share for name, share in shares.items() if 0 < share < 1}
    least = min(shares, key=lambda name: shares[name]) if shares else ""
    usual, of_natural = shares.get(least, 1.0), float(_share(made, natural, every)[0])
    if not np.isfinite(of_natural):
        return Attained(None, None, None, None, usual, least, float(natural.mean()), count)
    drawn = np.random.default_rng(seed).integers(0, count, (SAMPLES, count))
    over = _share(*shipped[least], drawn) if shipped and least else np.ones(SAMPLES)
    ratios = _share(made, natural, drawn) / np.where((over > 0) & (over < 1), over, 1.0)
    low = float(np.quantile(ratios, 1 - LEVEL, method="lower"))
    normal = NormalDist()
    shortfall = float((normal.inv_cdf(LEVEL) + normal.inv_cdf(POWER)) * ratios[np.isfinite(ratios)].std())
    bound = low if np.isfinite(low) else None
    return Attained(of_natural / usual, bound, shortfall, of_natural, usual, least, float(natural.mean()), count)


def _share(made: np.ndarray, natural: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(samples,) ratios of the means over the drawn sources (samples, m); minus infinity where nothing is to reach."""
    below = natural[drawn].mean(1)
    return np.where(below > _SMALLEST, made[drawn].mean(1) / np.maximum(below, _SMALLEST), -np.inf)
