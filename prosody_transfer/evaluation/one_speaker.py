"""Are recordings of one speaker? They are parted into the two groups that are least alike, and the groups compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prosody_transfer.evaluation.identity import mean_direction, unit

ALIKE = 0.83  # see docs/decisions/0030: single speakers have .87 and more, two of them .79 and less
FEWEST = 6  # recordings; of fewer nothing can be said
MOST = 60  # recordings that are listened to
_ROUNDS = 50


@dataclass(frozen=True)
class Groups:
    """The two groups.

    Attributes:
        alike: Cosine of their mean directions, 1 where there are too few recordings to tell.
        smaller: Which recordings make up the smaller one, by their places.
    """

    alike: float
    smaller: tuple[int, ...]

    @property
    def one_speaker(self) -> bool:
        """Whether the groups are alike enough to be one speaker's; a single recording apart is no second speaker."""
        return self.alike >= ALIKE or len(self.smaller) < 2


def two_groups(embeddings: np.ndarray) -> Groups:
    """Part recordings into two groups: 2-means on the sphere, begun along the axis of their largest spread.

    Args:
        embeddings: (n, E) of the judge.

    >>> two_groups(np.eye(2)[[0, 0, 1, 0, 1, 0, 0]])
    Groups(alike=0.0, smaller=(2, 4))
    """
    vectors = unit(np.asarray(embeddings, float))
    if len(vectors) < FEWEST:
        return Groups(1.0, ())
    away = vectors - vectors.mean(0)
    first = away @ np.linalg.svd(away, full_matrices=False)[2][0] > 0
    for _ in range(_ROUNDS):
        if first.all() or not first.any():
            return Groups(1.0, ())
        nearer = vectors @ mean_direction(vectors[first]) > vectors @ mean_direction(vectors[~first])
        if (nearer == first).all():
            break
        first = nearer
    if first.all() or not first.any():
        return Groups(1.0, ())
    alike = float(mean_direction(vectors[first]) @ mean_direction(vectors[~first]))
    small = first if first.sum() <= (~first).sum() else ~first
    return Groups(round(alike, 7), tuple(int(i) for i in np.flatnonzero(small)))
