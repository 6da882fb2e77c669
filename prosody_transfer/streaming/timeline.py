"""Values along a stream's timeline that has begun long ago: what is no longer needed is forgotten."""

from __future__ import annotations

import numpy as np


class Timeline:
    """An array whose index goes on for ever, of which a stretch is kept.

    Attributes:
        first, stop: The stretch that is known, [first, stop).
    """

    def __init__(self, dtype: type = np.float32) -> None:
        self.first = 0
        self._values: np.ndarray = np.zeros(0, dtype)

    @property
    def stop(self) -> int:
        return self.first + len(self._values)

    def append(self, values: np.ndarray) -> None:
        """Go on with these."""
        self._values = np.concatenate([self._values, values.astype(self._values.dtype, copy=False)])

    def replace_from(self, start: int, values: np.ndarray) -> None:
        """From `start` on it is these, whatever was there."""
        kept = self._values[: max(0, start - self.first)]
        self._values = np.concatenate([kept, values.astype(self._values.dtype, copy=False)])

    def part(self, start: int, stop: int) -> np.ndarray:
        """The values of [start, stop), as far as they are known."""
        return self._values[max(0, start - self.first) : max(0, stop - self.first)]

    def held(self, start: int, stop: int) -> np.ndarray:
        """The values of [start, stop); beyond the ends the nearest one, 0 where none is known."""
        if not len(self._values):
            return np.zeros(stop - start, self._values.dtype)
        return self._values[np.clip(np.arange(start, stop) - self.first, 0, len(self._values) - 1)]

    def forget(self, before: int) -> None:
        """Values before this index are no longer asked for."""
        drop = min(max(0, before - self.first), len(self._values))
        if drop:
            self._values, self.first = self._values[drop:].copy(), self.first + drop
