"""Boosted trees as plain arrays, evaluated by numpy: all trees and all rows go down one level at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Forest:
    """T trees of at most M nodes, for K classes; tree t adds to class t % K.

    Attributes:
        feature: (T, M) column that a node looks at.
        threshold: (T, M) a row goes left where its value is not above it.
        left, right: (T, M) nodes to go to; a leaf leads to itself.
        value: (T, M) what a leaf adds.
        start: (K,) what every row begins with.
        depth: Levels until every row is at a leaf.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    start: np.ndarray
    depth: int

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """(n, K) probabilities of the classes, by softmax, from rows (n, d)."""
        trees = np.arange(len(self.feature))[None, :]
        at = np.zeros((len(rows), len(self.feature)), np.intp)
        numbers = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            goes_left = rows[numbers, self.feature[trees, at]] <= self.threshold[trees, at]
            at = np.where(goes_left, self.left[trees, at], self.right[trees, at])
        added = self.value[trees, at].astype(np.float64)
        classes = len(self.start)
        scores = self.start + added.reshape(len(rows), -1, classes).sum(1)
        scores = np.exp(scores - scores.max(1, keepdims=True))
        return scores / scores.sum(1, keepdims=True)

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """To be stored, under a name."""
        return {f"{name}.{key}": getattr(self, key) for key in _STORED}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], name: str, columns: int) -> Forest:
        """From what `arrays` gave.

        Raises:
            ValueError: They do not fit together, or point outside.
        """
        parts = {key: arrays[f"{name}.{key}"] for key in _STORED}
        trees, nodes = parts["feature"].shape
        if any(parts[key].shape != (trees, nodes) for key in _STORED[:-1]) or trees % max(1, parts["start"].size):
            raise ValueError("shapes differ")
        if parts["start"].ndim != 1 or any(parts[key].dtype.kind != "u" for key in ("feature", "left", "right")):
            raise ValueError("types differ")
        if max(parts["left"].max(), parts["right"].max()) >= nodes or parts["feature"].max() >= columns:
            raise ValueError("a tree points outside")
        if not all(np.isfinite(parts[key]).all() for key in ("threshold", "value", "start")):
            raise ValueError("a value is not finite")
        return cls(**parts, depth=_depth(parts["left"], parts["right"]))


_STORED = ("feature", "threshold", "left", "right", "value", "start")


def _depth(left: np.ndarray, right: np.ndarray) -> int:
    """Levels of the tallest tree.

    Raises:
        ValueError: A tree runs in circles.
    """
    trees, nodes = left.shape
    here = np.zeros((trees, nodes), bool)
    here[:, 0] = True
    own = np.arange(nodes)[None, :]
    for level in range(nodes):
        moving = here & ((left != own) | (right != own))
        if not moving.any():
            return level
        following = np.zeros_like(here)
        tree, node = np.nonzero(moving)
        following[tree, left[tree, node]] = True
        following[tree, right[tree, node]] = True
        here = following
    raise ValueError("a tree runs in circles")
