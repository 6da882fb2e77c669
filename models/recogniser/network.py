"""Frame-wise phone posteriors from a log-mel, for sources without a transcript and for catching wrong transcripts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from prosody_transfer.core.config import Channels, Classes, Config, Factor, Layers, MelConfig
from prosody_transfer.core.errors import UsageError
from prosody_transfer.models.blocks import Frames, Stack

FIRST_KERNEL = 5


class RecogniserConfig(Config):
    """Settings, saved inside the checkpoint: `n_phones` classes, silence first; `kernel_size` frames a layer.

    `look_ahead`: frames after the present one that a posterior depends on; it streams by the blocks' law. None: every
    layer hears half its reach, and band means are of the whole recording. `global_context`: a summary of all
    frames so far beside every layer.
    """

    mel: MelConfig = MelConfig()
    n_phones: Classes = 40
    channels: Channels = 192
    layers: Layers = 6
    expansion: Factor = 3
    kernel_size: Factor = 7
    look_ahead: int | None = None
    global_context: bool = False


def _shares(config: RecogniserConfig) -> list[int]:
    """The look-ahead of the first convolution and of each layer, as even as can be, the last ones first."""
    kernels = [FIRST_KERNEL, *[config.kernel_size] * config.layers]
    most, asked = sum(kernels) - len(kernels), config.look_ahead or 0
    if not 0 <= asked <= most:
        raise UsageError(f"is {asked}", place="network.look_ahead", remedy=f"give 0 to {most} frames")
    shares = [0] * len(kernels)
    while asked:
        for i in reversed(range(len(kernels))):
            if asked and shares[i] < kernels[i] - 1:
                shares[i], asked = shares[i] + 1, asked - 1
    return shares


def _blocks(config: RecogniserConfig) -> list[dict[str, Any]]:
    """The specification of the stack."""
    bands, channels = config.mel.n_mels, config.channels
    first: dict[str, Any] = {
        "block": "conv", "in_channels": bands, "out_channels": channels, "kernel_size": FIRST_KERNEL,
    }  # fmt: skip
    layer: dict[str, Any] = {
        "block": "convnext", "channels": channels, "expansion": config.expansion, "kernel_size": config.kernel_size,
    }  # fmt: skip
    around = [{"block": "running_context", "channels": channels}] if config.global_context else []
    last = {"block": "pointwise", "in_channels": channels, "out_channels": config.n_phones}
    if config.look_ahead is None:
        return [first, *[layer, *around] * config.layers, last]
    shares = _shares(config)
    layers = [block for share in shares[1:] for block in ({**layer, "look_ahead": share}, *around)]
    return [{"block": "running_centre", "channels": bands}, {**first, "look_ahead": shares[0]}, *layers, last]


class Recogniser(nn.Module):
    """Convolutions over the mel, band means over the utterance removed, to a logit per phone and frame.

    Holds a phone bigram, estimated on the training phones, for decoding: `bigram` (V, V), natural-log probability of
    phone j after phone i.
    """

    def __init__(self, config: RecogniserConfig) -> None:
        super().__init__()
        self.config = config
        self.network = Stack(_blocks(config), name="recogniser")
        uniform = torch.full((config.n_phones, config.n_phones), 1.0 / config.n_phones).log()
        self.register_buffer("bigram", uniform)
        self.bigram: Tensor

    def forward(self, mel: Tensor, mask: Tensor, counted: Tensor | None = None) -> Tensor:
        """Logits (B, V, T) from log-mel (B, M, T), natural log, and mask (B, T); the means are of `counted` (B, T)."""
        scaled = scale(mel)
        if self.config.look_ahead is None:
            weight = (mask if counted is None else mask & counted)[:, None].to(mel.dtype)
            scaled = scaled - (scaled * weight).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True).clamp(min=1)
        return self.network(Frames(scaled, mask).zeroed()).values  # type: ignore[no-any-return]

    def initial_state(self, batch: int) -> list[Any]:
        """The state before the first chunk of a stream; ModelError without a look-ahead."""
        return self.network.initial_state(batch)

    def step(self, mel: Tensor, mask: Tensor, state: list[Any]) -> tuple[Frames, list[Any]]:
        """Logits (B, V, T) of a chunk's log-mel (B, M, T), `network.latency` frames late, and the state after it."""
        return self.network.step(Frames(scale(mel), mask).zeroed(), state)


def scale(mel: Tensor) -> Tensor:
    """A log-mel as the network hears it."""
    return (mel.clamp(min=-11.5) + 5.0) / 3.0
