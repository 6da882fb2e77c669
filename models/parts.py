"""A network as parts that run by themselves: plain tensors in and out, state among them, as every runtime needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from prosody_transfer.core.ports import Port


@dataclass(frozen=True)
class Part:
    """One network of an addon.

    Attributes:
        module: Called with `inputs`, then `state`, in that order; gives a tuple of `outputs`, then the new state.
        inputs, outputs, state: What they are.
        role: What component runs it: "encoder", "decoder", "vocoder" or "other".
        lag: Frames by which the outputs come later than the inputs, where there is state.
        reach: {axis: positions to either side that a result depends on}; an axis that is not named can't be split.
        fixed: {axis: sizes for runtimes whose tensors have one size each}, the least that holds it is taken.
    """

    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    state: tuple[Port, ...] = ()
    role: str = "other"
    lag: int = 0
    reach: Mapping[str, int] = field(default_factory=dict)
    fixed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def state_ports(state: Any) -> tuple[Port, ...]:
    """Ports of a block's `initial_state(batch)`, whatever it is made of; tensors of no frames are left out."""
    kept = [leaf for leaf in pytree.tree_leaves(state) if leaf.numel()]
    return tuple(
        Port(name=f"state_{i}", axes=("B", *leaf.shape[1:]), dtype="bool" if leaf.dtype == torch.bool else "float32")
        for i, leaf in enumerate(kept)
    )


def flatten_state(state: Any) -> list[Tensor]:
    """The tensors of a state that hold something, in the order of `state_ports`."""
    return [leaf for leaf in pytree.tree_leaves(state) if leaf.shape[-1]]


def restore_state(example: Any, tensors: tuple[Tensor, ...]) -> Any:
    """A state in the form of `example` (of any batch) with these tensors; those of no frames are made."""
    leaves, form = pytree.tree_flatten(example)
    given = iter(tensors)
    batch = tensors[0].shape[0]
    filled = [next(given) if leaf.shape[-1] else leaf.new_zeros(batch, *leaf.shape[1:]) for leaf in leaves]
    return pytree.tree_unflatten(filled, form)
