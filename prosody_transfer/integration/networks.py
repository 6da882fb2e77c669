"""Networks as components see them: run by name, checked against what the addon says, whatever runtime is under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from prosody_transfer.core.errors import ModelError, ShapeError
from prosody_transfer.core.ports import Port, axis_size
from prosody_transfer.integration.addon import Addon
from prosody_transfer.integration.fixed import run_fixed
from prosody_transfer.integration.runtimes import DTYPES, Runtime, Shapes, Tensors, open_runtime
from prosody_transfer.integration.schema import Network


class Handle:
    """One network of an addon.

    Attributes:
        name: Its name in the addon.
        spec: What the addon says of it.
    """

    def __init__(self, name: str, spec: Network, runtime: Runtime, shapes: Shapes = "dynamic") -> None:
        self.name, self.spec, self.runtime, self.shapes = name, spec, runtime, shapes

    def run(self, inputs: Mapping[str, np.ndarray]) -> Tensors:
        """Run it once.

        Args:
            inputs: What it takes, and maybe more; states too.

        Returns:
            Its outputs, and `next_NAME` for every state.

        Raises:
            ShapeError: An input is missing, or does not fit; both shapes are shown.
        """
        given, sizes = self._fitted(inputs)
        if self.shapes == "fixed" and self.spec.fixed:
            return run_fixed(self.runtime, self.name, self.spec, given, sizes)
        return self.runtime.run(self.name, given)

    def initial_state(self, batch: int = 1) -> Tensors:
        """Zeros, as before the first chunk."""
        return {p.name: np.zeros(p.shape({"B": batch}), DTYPES[p.dtype]) for p in self.spec.state}

    def _fitted(self, inputs: Mapping[str, np.ndarray]) -> tuple[Tensors, dict[str, int]]:
        given: Tensors = {}
        sizes: dict[str, int] = {}
        for port in (*self.spec.inputs, *self.spec.state):
            if port.name not in inputs:
                raise ShapeError(f"is not given {port.text()}", place=f"network {self.name}")
            value = np.asarray(inputs[port.name])
            if value.ndim != len(port.axes) or not _fits(value.shape, port, sizes):
                have = {letter: sizes[letter] for letter in sizes}
                problem = f"takes {port.text()}, got {value.shape} where {have}"
                raise ShapeError(problem, place=f"network {self.name}")
            given[port.name] = np.ascontiguousarray(value, dtype=DTYPES[port.dtype])
        return given, sizes


def _fits(shape: tuple[int, ...], port: Port, sizes: dict[str, int]) -> bool:
    """Whether a shape is the port's; the sizes of letters that are met for the first time are noted down."""
    for size, axis in zip(shape, port.axes, strict=True):
        if isinstance(axis, str) and "/" not in axis:
            sizes.setdefault(axis, size)
        if size != (axis if isinstance(axis, int) else axis_size(axis, sizes)):
            return False
    return True


class Networks:
    """The networks of one or more addons, on one runtime.

    Args:
        addons: Where two have a network of one name, the first one's is meant.
        runtime: "onnx" or "torch".
        provider: See `runtimes.open_runtime`.
        shapes: "fixed" runs every network at the sizes that its addon names: long inputs are split, short ones padded.
    """

    def __init__(
        self, addons: Sequence[Addon], runtime: str = "onnx", provider: str = "cpu", shapes: Shapes = "dynamic"
    ) -> None:
        if not addons:
            raise ModelError("there is no addon", place="stack", remedy="give one")
        self.addons, self.runtime, self.provider, self.shapes = list(addons), runtime, provider, shapes
        self._open: dict[tuple[int, str], Runtime] = {}

    def names(self, role: str) -> list[str]:
        """Of all networks in a role."""
        return [name for addon in self.addons for name, spec in addon.config.networks.items() if spec.role == role]

    def handle(self, name: str, place: str = "stack", provider: str | None = None) -> Handle:
        """A network by name.

        Args:
            place: Who asks, for messages.
            provider: Another one than the others'.

        Raises:
            ModelError: No addon has it, or the provider is not installed.
        """
        for i, addon in enumerate(self.addons):
            if name in addon.config.networks:
                key = (i, provider or self.provider)
                if key not in self._open:
                    self._open[key] = open_runtime(self.runtime, addon, key[1])
                return Handle(name, addon.config.networks[name], self._open[key], self.shapes)
        known = ", ".join(sorted(n for addon in self.addons for n in addon.config.networks))
        raise ModelError(f"no network is called {name!r}", place=place, remedy=f"the addon has: {known}")
