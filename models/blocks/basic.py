"""The few concrete blocks that every network here is made of."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.blocks.base import Block, Frames, StreamingBlock, register

State = tuple[Tensor, Tensor]


def push(state: State, frames: Frames) -> tuple[Frames, State]:
    """Append a chunk to the remembered frames; returns the window and the new memory of the same length."""
    values = torch.cat([state[0].to(frames.values), frames.values], dim=-1)
    mask = torch.cat([state[1].to(frames.mask.device), frames.mask], dim=-1)
    keep = state[0].shape[-1]
    start = values.shape[-1] - keep
    return Frames(values, mask), (values[..., start:], mask[..., start:])


def empty_memory(batch: int, channels: int, frames: int) -> State:
    return torch.zeros(batch, channels, frames), torch.zeros(batch, frames, dtype=torch.bool)


def _latency(reach: int, look_ahead: int) -> int:
    """Frames after the present one that a window of `reach` more frames hears; -1 for half of them."""
    if look_ahead > reach:
        raise ModelError(f"look_ahead = {look_ahead}", place="stack", remedy=f"give at most {reach}")
    return reach // 2 if look_ahead < 0 else look_ahead


@register("pointwise")
class Pointwise(StreamingBlock):
    """One linear map on every frame, with an optional GELU after it."""

    def __init__(self, in_channels: int, out_channels: int, activation: bool = False) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.activation = in_channels, out_channels, activation
        self.linear = nn.Linear(in_channels, out_channels)

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        values = self.linear(frames.values.transpose(1, 2)).transpose(1, 2)  # (B, C', T)
        return Frames(F.gelu(values) if self.activation else values, frames.mask).zeroed()

    def step(self, frames: Frames, state: Any, context: Tensor | None = None) -> tuple[Frames, Any]:
        return self(frames, context), state


@register("conv")
class Conv(StreamingBlock):
    """A convolution over time, centred (look-ahead = half its reach), causal or as `look_ahead` says; maybe a GELU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 5,
        dilation: int = 1,
        causal: bool = False,
        activation: bool = False,
        look_ahead: int = -1,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.activation = in_channels, out_channels, activation
        self.reach = (kernel_size - 1) * dilation
        self.latency = _latency(self.reach, 0 if causal else look_ahead)
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, dilation=dilation)

    def _convolve(self, window: Tensor, mask: Tensor) -> Frames:
        values = self.conv(window)
        return Frames(F.gelu(values) if self.activation else values, mask).zeroed()

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        return self._convolve(F.pad(frames.values, (self.reach - self.latency, self.latency)), frames.mask)

    def initial_state(self, batch: int) -> State:
        return empty_memory(batch, self.in_channels, self.reach)

    def step(self, frames: Frames, state: State, context: Tensor | None = None) -> tuple[Frames, State]:
        count = frames.mask.shape[-1]
        window, state = push(state, frames)
        start = self.reach - self.latency
        return self._convolve(window.values, window.mask[:, start : start + count]), state


class ChannelNorm(nn.Module):
    """Layer normalisation over channels, whose gain and bias may come from a context vector (AdaLN)."""

    def __init__(self, channels: int, context_channels: int = 0) -> None:
        super().__init__()
        self.channels, self.context_channels = channels, context_channels
        if context_channels:
            self.modulation = nn.Linear(context_channels, 2 * channels)
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)
        else:
            self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, values: Tensor, context: Tensor | None) -> Tensor:
        """values (B, T, C), context (B, D) or None -> (B, T, C)."""
        if not self.context_channels:
            return F.layer_norm(values, (self.channels,), self.weight, self.bias, 1e-5)
        assert context is not None
        scale, shift = self.modulation(context)[:, None].chunk(2, dim=-1)  # (B, 1, C) each
        return F.layer_norm(values, (self.channels,), None, None, 1e-5) * (1 + scale) + shift


@register("convnext")
class ConvNeXt(StreamingBlock):
    """Depth-wise convolution, (adaptive) normalisation, two linear maps, a small learned gain, the input added back.

    Source: Liu et al. 2022, ConvNeXt, in one dimension as in Vocos (Siuzdak 2023). With `context_channels` the
    normalisation is driven by the context (AdaLN), which is how the target speaker reaches every layer of the decoder.
    `look_ahead`: frames after the present one that the convolution hears, 0 to `kernel_size` - 1; -1 for half of it.
    """

    def __init__(
        self, channels: int, kernel_size: int = 7, expansion: int = 3, context_channels: int = 0, gain: float = 0.2,
        look_ahead: int = -1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in_channels = self.out_channels = channels
        self.context_channels = context_channels
        self.reach = kernel_size - 1
        self.latency = _latency(self.reach, look_ahead)
        self.depthwise = nn.Conv1d(channels, channels, kernel_size, groups=channels)
        self.norm = ChannelNorm(channels, context_channels)
        self.expand = nn.Linear(channels, expansion * channels)
        self.contract = nn.Linear(expansion * channels, channels)
        self.gain = nn.Parameter(torch.full((channels,), gain))

    def _mix(self, window: Tensor, residual: Frames, context: Tensor | None) -> Frames:
        hidden = self.depthwise(window).transpose(1, 2)  # (B, T, C)
        hidden = self.contract(F.gelu(self.expand(self.norm(hidden, context)))) * self.gain
        return Frames(residual.values + hidden.transpose(1, 2), residual.mask).zeroed()

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        return self._mix(F.pad(frames.values, (self.reach - self.latency, self.latency)), frames, context)

    def initial_state(self, batch: int) -> State:
        return empty_memory(batch, self.in_channels, self.reach)

    def step(self, frames: Frames, state: State, context: Tensor | None = None) -> tuple[Frames, State]:
        count = frames.mask.shape[-1]
        window, state = push(state, frames)
        middle = slice(self.reach - self.latency, self.reach - self.latency + count)
        return self._mix(window.values, Frames(window.values[..., middle], window.mask[..., middle]), context), state


@register("instance_norm")
class InstanceNorm(Block):
    """Every channel to mean 0 and variance 1 over the utterance's real frames, no learned gain.

    It removes what is constant over an utterance, such as the speaker's timbre (Karlapati et al. 2020, section 2.2).
    Whole-utterance statistics: it can't stream. With `context_channels` a bias from the context is added before it, and
    a ReLU follows.
    `over_time`: False normalises every frame over its channels instead, to compare with.
    """

    def __init__(
        self, channels: int, context_channels: int = 0, activation: bool = True, over_time: bool = True
    ) -> None:
        super().__init__()
        self.in_channels = self.out_channels = channels
        self.context_channels, self.activation, self.over_time = context_channels, activation, over_time
        if context_channels:
            self.bias = nn.Linear(context_channels, channels)

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        values = frames.values
        if self.context_channels:
            # A bias alone would be removed by the normalisation: it is passed through a ReLU first.
            values = F.relu(values + self.bias(context)[..., None])
        if not self.over_time:
            values = F.layer_norm(values.transpose(1, 2), (self.in_channels,)).transpose(1, 2)
            return Frames(F.relu(values) if self.activation else values, frames.mask).zeroed()
        weight = frames.mask[:, None].to(values.dtype)
        count = weight.sum(-1, keepdim=True).clamp(min=1)
        mean = (values * weight).sum(-1, keepdim=True) / count
        variance = ((values - mean) ** 2 * weight).sum(-1, keepdim=True) / count
        values = (values - mean) * torch.rsqrt(variance + 1e-5)
        return Frames(F.relu(values) if self.activation else values, frames.mask).zeroed()


@register("average_pool")
class AveragePool(StreamingBlock):
    """The mean of the real frames in every group of `factor`; T' = ceil(T / factor)."""

    def __init__(self, channels: int, factor: int = 8) -> None:
        super().__init__()
        self.in_channels = self.out_channels = channels
        self.block_size, self.ratio = factor, Fraction(1, factor)

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        batch, channels, size = frames.values.shape
        extra = -size % self.block_size
        values = F.pad(frames.values, (0, extra)).view(batch, channels, -1, self.block_size)
        count = F.pad(frames.mask, (0, extra)).view(batch, -1, self.block_size).sum(-1)  # (B, T')
        return Frames(values.sum(-1) / count.clamp(min=1)[:, None], count > 0)

    def step(self, frames: Frames, state: Any, context: Tensor | None = None) -> tuple[Frames, Any]:
        self.check_chunk(frames)
        return self(frames, context), state


@register("repeat")
class Repeat(StreamingBlock):
    """Every frame `factor` times."""

    def __init__(self, channels: int, factor: int = 8) -> None:
        super().__init__()
        self.in_channels = self.out_channels = channels
        self.factor, self.ratio = factor, Fraction(factor)

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        return Frames(frames.values.repeat_interleave(self.factor, -1), frames.mask.repeat_interleave(self.factor, -1))

    def step(self, frames: Frames, state: Any, context: Tensor | None = None) -> tuple[Frames, Any]:
        return self(frames, context), state
