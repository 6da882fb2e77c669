"""Every tensor's size set once, as compiled accelerators want: long inputs split, short ones padded, masked, joined."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.ports import Port, axis_size
from prosody_transfer.integration.runtimes import Runtime, Tensors
from prosody_transfer.integration.schema import Network


def run_fixed(
    runtime: Runtime, name: str, spec: Network, inputs: Tensors, sizes: Mapping[str, int], filler: float = 0.0
) -> Tensors:
    """Run a network at sizes that its addon names.

    Padding is zeros, and False in masks: a network of an addon never lets it into a result.

    Args:
        sizes: Of each axis of `inputs`.
        filler: What padding holds in place of zeros; masks stay False and counts 0. For tests.

    Raises:
        ModelError: An axis is longer than any size it was made for, and can't be split.
    """
    for axis, allowed in spec.fixed.items():
        if sizes.get(axis, 0) > max(allowed):
            if axis in spec.reach and not spec.state:
                return _run_split(runtime, name, spec, inputs, sizes, axis, filler)
            problem = f"takes {max(allowed)} at most along {axis}, got {sizes[axis]}"
            raise ModelError(problem, place=f"network {name}", remedy="use --shapes dynamic, or a shorter recording")
    chosen = {a: min(s for s in allowed if s >= sizes[a]) for a, allowed in spec.fixed.items() if a in sizes}
    whole = {**sizes, **chosen}
    padded = {p.name: _pad(inputs[p.name], p, whole, filler) for p in (*spec.inputs, *spec.state)}
    found = runtime.run(name, padded, whole)
    for port in spec.outputs:
        found[port.name] = _crop(found[port.name], port, sizes)
    return found


def _run_split(
    runtime: Runtime, name: str, spec: Network, inputs: Tensors, sizes: Mapping[str, int], axis: str, filler: float
) -> Tensors:
    """Windows that overlap by twice the reach, of which the middles are joined."""
    window, reach, total = max(spec.fixed[axis]), spec.reach[axis], sizes[axis]
    step = window - 2 * reach
    pieces: list[Tensors] = []
    for start in range(0, total, step):
        low, high = max(0, start - reach), min(total, start + step + reach)
        part = {p.name: _slice(inputs[p.name], p, axis, low, high) for p in spec.inputs}
        found = run_fixed(runtime, name, spec, part, {**sizes, axis: high - low}, filler)
        end = min(total, start + step)
        pieces.append({p.name: _slice(found[p.name], p, axis, start - low, end - low) for p in spec.outputs})
    along = {p.name: p.axes.index(axis) for p in spec.outputs}
    return {key: np.concatenate([piece[key] for piece in pieces], along[key]) for key in along}


def _slice(value: np.ndarray, port: Port, axis: str, start: int, end: int) -> np.ndarray:
    index = tuple(slice(start, end) if a == axis else slice(None) for a in port.axes)
    return value[index]


def _pad(value: np.ndarray, port: Port, sizes: Mapping[str, int], filler: float) -> np.ndarray:
    shape = port.shape(dict(sizes))
    if shape == value.shape:
        return value
    padded = np.full(shape, filler if port.dtype == "float32" else 0, value.dtype)
    padded[tuple(slice(0, size) for size in value.shape)] = value
    return padded


def _crop(value: np.ndarray, port: Port, sizes: Mapping[str, int]) -> np.ndarray:
    index = [slice(0, a if isinstance(a, int) else axis_size(a, dict(sizes))) for a in port.axes]
    return value[tuple(index)]
