"""Blocks that hear everything up to the present frame: a running mean of it, taken off or summarised."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prosody_transfer.models.blocks.base import Frames, StreamingBlock, register

Sums = tuple[Tensor, Tensor]  # (B, C, 1) and (B, 1, 1): the weighted sum so far, and the weights'


class _Running(StreamingBlock):
    """Holds a mean of all frames so far, each weighed by a gate that learns which are worth it (pauses are not)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.in_channels = self.out_channels = channels
        self.gate = nn.Linear(channels, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, 2.0)

    def initial_state(self, batch: int) -> Sums:
        return torch.zeros(batch, self.in_channels, 1), torch.zeros(batch, 1, 1)

    def _mean(self, frames: Frames, state: Sums) -> tuple[Tensor, Sums]:
        """(B, C, T) the mean up to and with each frame, and the sums after the last."""
        values = frames.values
        weight = torch.sigmoid(self.gate(values.transpose(1, 2))).transpose(1, 2)
        weight = weight * frames.mask[:, None].to(values.dtype)
        total = state[0].to(values) + torch.cumsum(values * weight, -1)
        count = state[1].to(values) + torch.cumsum(weight, -1)
        return self._of(total, count), (total[..., -1:], count[..., -1:])

    def _of(self, total: Tensor, count: Tensor) -> Tensor:
        return total / (count + 1e-3)

    def _with(self, frames: Frames, mean: Tensor) -> Frames:
        raise NotImplementedError

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        batch = frames.values.shape[0]
        return self._with(frames, self._mean(frames, self.initial_state(batch))[0])

    def step(self, frames: Frames, state: Sums, context: Tensor | None = None) -> tuple[Frames, Sums]:
        mean, state = self._mean(frames, state)
        return self._with(frames, mean), state


@register("running_centre")
class RunningCentre(_Running):
    """Every channel's running mean taken off. It begins at a learned mean, which counts as `PRIOR` frames."""

    PRIOR = 24.0

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.prior = nn.Parameter(torch.zeros(channels))

    def _of(self, total: Tensor, count: Tensor) -> Tensor:
        return (total + self.PRIOR * self.prior[:, None]) / (count + self.PRIOR)

    def _with(self, frames: Frames, mean: Tensor) -> Frames:
        return Frames(frames.values - mean, frames.mask).zeroed()


@register("running_context")
class RunningContext(_Running):
    """The global encoder: the running mean, squeezed, says how much of every channel is let through, 0 to 2.

    It begins as the identity, so that it can be put into a network that was trained without it.

    Source:
        Radfar et al. 2022, ConvRNN-T, section 3: squeeze and excitation (Hu et al. 2018) over the past instead of the
        whole. Ours weighs the frames of the mean, and is one a layer of the local encoder instead of a tower beside it.
    """

    def __init__(self, channels: int, squeezed_channels: int = 32) -> None:
        super().__init__(channels)
        self.squeeze = nn.Linear(channels, squeezed_channels)
        self.excite = nn.Linear(squeezed_channels, channels)
        nn.init.zeros_(self.excite.weight)
        nn.init.zeros_(self.excite.bias)

    def _with(self, frames: Frames, mean: Tensor) -> Frames:
        scale = 2 * torch.sigmoid(self.excite(torch.relu(self.squeeze(mean.transpose(1, 2))))).transpose(1, 2)
        return Frames(frames.values * scale, frames.mask).zeroed()

