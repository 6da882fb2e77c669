"""What goes in and out of a network: names, types and axes, the same for every runtime."""

from __future__ import annotations

import re
from typing import Literal

from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import ModelError

AXIS = re.compile(r"(?P<axis>[A-Z])(?:/(?P<divisor>[1-9][0-9]{0,3}))?")


class Port(Config):
    """One tensor that a network takes or gives.

    Attributes:
        name: As in the graph.
        dtype: Of its values.
        axes: Each a size, or the letter of one that differs from run to run: B batch, P phones, W words, T mel frames
            of the output, R of the source, N samples. "R/8" is ceil(R / 8).
    """

    name: str
    axes: tuple[int | str, ...]
    dtype: Literal["float32", "int64", "bool"] = "float32"

    def check(self, place: str) -> Port:
        """Itself; ModelError where an axis is none."""
        for axis in self.axes:
            fits = AXIS.fullmatch(axis) is not None if isinstance(axis, str) else 0 < axis <= 1 << 20
            if not fits:
                problem = f"{self.name[:60]!r} has an axis {str(axis)[:20]!r}"
                raise ModelError(problem, place=place, remedy="give a size, a letter, or one such as R/8")
        return self

    def shape(self, sizes: dict[str, int]) -> tuple[int, ...]:
        """The shape where each letter has that size.

        >>> Port(name="latent", axes=("B", 4, "R/8")).shape({"B": 1, "R": 17})
        (1, 4, 3)
        """
        return tuple(axis if isinstance(axis, int) else axis_size(axis, sizes) for axis in self.axes)

    def text(self) -> str:
        """For people: "mel float32 (B, 100, T)"."""
        return f"{self.name} {self.dtype} ({', '.join(map(str, self.axes))})"


def axis_size(axis: str, sizes: dict[str, int]) -> int:
    """The size of "T" or "R/8" (rounded up), given that of each letter."""
    letter, _, divisor = axis.partition("/")
    return -(-sizes[letter] // int(divisor or 1))
