"""A chain of blocks built from flat JSON."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

from torch import Tensor, nn

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.blocks.base import Block, Frames, StreamingBlock, build, register
from prosody_transfer.models.blocks.basic import empty_memory, push

STACK_VERSION = 1


@register("stack")
class Stack(StreamingBlock):
    """Blocks one after another.

    Args:
        blocks: Specifications, [{"block": "conv", "in_channels": 4, ...}, ...].
        version: Of the format; only 1 is known.
        name: Named in error messages.

    A stack streams when all its blocks do. Before a block that works on groups of frames the stream is delayed until
    the lag is a whole number of groups, so that group borders fall where they do in `forward`; `latency` includes this.

    Raises:
        ModelError: The composition is impossible; the message names the place and the remedy.
    """

    def __init__(self, blocks: list[dict[str, Any]], version: int = STACK_VERSION, name: str = "stack") -> None:
        super().__init__()
        if version != STACK_VERSION:
            raise ModelError(
                f"format version {version} is not known", place=name, remedy=f"this ptx reads version {STACK_VERSION}"
            )
        if not blocks:
            raise ModelError("has no blocks", place=name, remedy="give at least one")
        self.blocks = nn.ModuleList(build(spec, f"{name}[{i}]") for i, spec in enumerate(blocks))
        for i, (left, right) in enumerate(pairwise(self._members())):
            if left.out_channels != right.in_channels:
                problem = f"gives {left.out_channels} channels, but block {i + 1} takes {right.in_channels}"
                raise ModelError(
                    problem, place=f"{name}[{i}]", remedy="make them equal or put a pointwise block between them"
                )
        wanted = {b.context_channels for b in self._members()} - {0}
        if len(wanted) > 1:
            raise ModelError(
                f"blocks want contexts of different sizes: {sorted(wanted)}",
                place=name,
                remedy="give all the same size",
            )
        members = self._members()
        self.in_channels, self.out_channels = members[0].in_channels, members[-1].out_channels
        self.context_channels = wanted.pop() if wanted else 0
        self._plan(members)

    def _members(self) -> list[Block]:
        return [b for b in self.blocks if isinstance(b, Block)]

    def _plan(self, members: list[Block]) -> None:
        """Ratio, block size, latency, and the delay before each block (in its own input frames)."""
        ratio, lag, block_size, delays = Fraction(1), Fraction(0), 1, []
        for block in members:
            need = getattr(block, "block_size", 1)
            delay = int(-(lag * ratio) % need)  # lag * ratio is whole: it is counted in this block's input frames
            delays.append(delay)
            lag += (delay + getattr(block, "latency", 0)) / ratio
            block_size = lcm(block_size, (need / ratio).numerator)
            ratio *= block.ratio
        block_size = lcm(block_size, ratio.denominator)
        self.ratio, self.block_size, self.delays = ratio, block_size, delays
        self.latency = int(-(-lag // 1))
        if lag != self.latency:
            raise ModelError(
                f"the lag of {lag} frames is not whole",
                place="stack",
                remedy="move the look-ahead before the up-sampling block",
            )

    @property
    def streamable(self) -> bool:
        return all(isinstance(b, StreamingBlock) and getattr(b, "streamable", True) for b in self.blocks)

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        for block in self.blocks:
            frames = block(frames, context)
        return frames

    def initial_state(self, batch: int) -> list[Any]:
        if not self.streamable:
            names = ", ".join(type(b).__name__ for b in self.blocks if not isinstance(b, StreamingBlock))
            raise ModelError(f"cannot stream because of {names}", place="stack", remedy="run it on whole sequences")
        members = [b for b in self.blocks if isinstance(b, StreamingBlock)]
        return [
            (empty_memory(batch, b.in_channels, d), b.initial_state(batch))
            for b, d in zip(members, self.delays, strict=True)
        ]

    def step(self, frames: Frames, state: list[Any], context: Tensor | None = None) -> tuple[Frames, list[Any]]:
        self.check_chunk(frames)
        after = []
        for block, (memory, inner) in zip(self.blocks, state, strict=True):
            window, memory = push(memory, frames)
            count = frames.mask.shape[-1]
            assert isinstance(block, StreamingBlock)  # or `initial_state` would have refused
            frames, inner = block.step(Frames(window.values[..., :count], window.mask[..., :count]), inner, context)
            after.append((memory, inner))
        return frames, after
