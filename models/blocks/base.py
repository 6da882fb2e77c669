"""Frames, the two kinds of block, and the registry that builds them from plain data.

The law of a `StreamingBlock`, tested for every registered one (tests/contracts): for every chunk size that is a
multiple of `block_size`, with `latency` masked frames fed at the end,

    concat(step(chunk_0), step(chunk_1), ...)[latency * ratio:]  ==  forward(whole)

edges and padding included. The last chunk is filled up to a whole number of blocks with masked frames before those
`latency` frames are fed. The mask travels with the frames: where it is False the values are zero, on the way in and
out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from prosody_transfer.core.errors import ModelError, ShapeError


class Frames(NamedTuple):
    """The only thing passed between blocks.

    Attributes:
        values: (B, C, T); zero wherever the mask is False.
        mask: (B, T) bool; True on real frames.
    """

    values: Tensor
    mask: Tensor

    def zeroed(self) -> Frames:
        """The same with zeros outside the mask."""
        return Frames(self.values * self.mask[:, None].to(self.values.dtype), self.mask)


def frames_from(values: Tensor, lengths: Tensor | None = None) -> Frames:
    """Frames from values (B, C, T) and, if the batch is padded, lengths (B,)."""
    size = values.shape[-1]
    if lengths is None:
        return Frames(values, torch.ones(values.shape[0], size, dtype=torch.bool, device=values.device))
    mask = torch.arange(size, device=values.device)[None] < lengths[:, None]
    return Frames(values, mask).zeroed()


class Block(nn.Module):
    """Whole sequences in, whole sequences out.

    Attributes:
        in_channels, out_channels: C before and after.
        context_channels: D of the context vector (B, D) that it needs, 0 for none.
        ratio: Output frames per input frame.
    """

    in_channels: int
    out_channels: int
    context_channels: int = 0
    ratio: Fraction = Fraction(1)

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        raise NotImplementedError

    def check(self, frames: Frames, context: Tensor | None) -> None:
        """Raises ShapeError when the frames or the context do not fit this block."""
        values, mask = frames
        if values.dim() != 3 or values.shape[1] != self.in_channels:
            raise ShapeError(
                f"expects (B, {self.in_channels}, T), got {tuple(values.shape)}", place=type(self).__name__
            )
        if mask.shape != (values.shape[0], values.shape[2]):
            raise ShapeError(f"mask {tuple(mask.shape)} does not fit {tuple(values.shape)}", place=type(self).__name__)
        if self.context_channels and (context is None or context.shape[-1] != self.context_channels):
            got = None if context is None else tuple(context.shape)
            raise ShapeError(f"needs a context (B, {self.context_channels}), got {got}", place=type(self).__name__)


class StreamingBlock(Block):
    """A block that can also run on chunks.

    Attributes:
        block_size: Chunks must be a multiple of this many input frames.
        latency: Input frames by which the streamed output lags; the first `latency * ratio` output frames are masked.
    """

    block_size: int = 1
    latency: int = 0

    def initial_state(self, batch: int) -> Any:
        """The state before the first chunk. It is an argument and a result of `step`, never an attribute."""
        return ()

    def step(self, frames: Frames, state: Any, context: Tensor | None = None) -> tuple[Frames, Any]:
        raise NotImplementedError

    def check_chunk(self, frames: Frames) -> None:
        if frames.values.shape[-1] % self.block_size:
            problem = f"a chunk of {frames.values.shape[-1]} frames is no multiple of the block size {self.block_size}"
            raise ShapeError(problem, place=type(self).__name__)


REGISTRY: dict[str, type[Block]] = {}


def register(name: str) -> Callable[[type[Block]], type[Block]]:
    """Give a block the name by which JSON stacks refer to it."""

    def add(cls: type[Block]) -> type[Block]:
        if name in REGISTRY:
            raise ValueError(f"two blocks are called {name}")
        REGISTRY[name] = cls
        return cls

    return add


def _check_value(name: str, key: str, value: Any, place: str) -> None:
    """Refuse counts that are no positive whole numbers; a context may have 0 channels."""
    counts = ("kernel_size", "dilation", "expansion", "factor", "n_fft", "hop_length")
    counted = key in counts or key.endswith("channels")
    least = 0 if key == "context_channels" else 1
    if counted and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise ModelError(f"{name}: {key} = {value!r}", place=place, remedy=f"give a whole number of at least {least}")
    if name == "convnext" and key == "kernel_size" and value % 2 == 0:
        raise ModelError(f"{name}: {key} = {value!r}", place=place, remedy="give an odd number: it needs a middle")
    if key == "blocks" and not isinstance(value, list):
        raise ModelError(f"{name}: blocks = {value!r}", place=place, remedy="give a list of blocks")


def build(spec: dict[str, Any], place: str = "stack") -> Block:
    """Make a block from {"block": name, setting: value, ...}.

    Raises:
        ModelError: The name is not registered or a setting is not one of the block's; the message gives the place.
    """
    if not isinstance(spec, dict) or not isinstance(spec.get("block"), str | None):
        problem = f"{spec!r} describes no block"
        raise ModelError(problem, place=place, remedy='write {"block": NAME, SETTING: VALUE, ...}')
    settings = dict(spec)
    name = settings.pop("block", None)
    if name not in REGISTRY:
        raise ModelError(f"no block is called {name!r}", place=place, remedy=f"known: {', '.join(sorted(REGISTRY))}")
    known = set(inspect.signature(REGISTRY[name]).parameters)
    if unknown := set(settings) - known:
        raise ModelError(
            f"{name} has no setting {sorted(unknown)[0]!r}", place=place, remedy=f"known: {', '.join(sorted(known))}"
        )
    for key, value in settings.items():
        _check_value(name, key, value, place)
    try:
        return REGISTRY[name](**settings)
    except TypeError as error:
        raise ModelError(f"{name}: {error}", place=place) from None
