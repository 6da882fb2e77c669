"""Frame-wise phone posteriors from a log-mel, for sources without a transcript and for catching wrong transcripts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prosody_transfer.core.config import Channels, Classes, Config, Factor, Layers, MelConfig
from prosody_transfer.models.blocks import Frames, Stack


class RecogniserConfig(Config):
    """Settings, saved inside the checkpoint: `n_phones` classes, silence first; `kernel_size` frames a layer."""

    mel: MelConfig = MelConfig()
    n_phones: Classes = 40
    channels: Channels = 192
    layers: Layers = 6
    expansion: Factor = 3
    kernel_size: Factor = 7


class Recogniser(nn.Module):
    """Convolutions over the mel, band means over the utterance removed, to a logit per phone and frame.

    Holds a phone bigram, estimated on the training phones, for decoding: `bigram` (V, V), natural-log probability of
    phone j after phone i.
    """

    def __init__(self, config: RecogniserConfig) -> None:
        super().__init__()
        self.config = config
        layer = {
            "block": "convnext", "channels": config.channels, "expansion": config.expansion,
            "kernel_size": config.kernel_size,
        }  # fmt: skip
        self.network = Stack(
            [
                {"block": "conv", "in_channels": config.mel.n_mels, "out_channels": config.channels, "kernel_size": 5},
                *[layer] * config.layers,
                {"block": "pointwise", "in_channels": config.channels, "out_channels": config.n_phones},
            ],
            name="recogniser",
        )
        uniform = torch.full((config.n_phones, config.n_phones), 1.0 / config.n_phones).log()
        self.register_buffer("bigram", uniform)
        self.bigram: Tensor

    def forward(self, mel: Tensor, mask: Tensor, counted: Tensor | None = None) -> Tensor:
        """Logits (B, V, T) from log-mel (B, M, T), natural log, and mask (B, T); the means are of `counted` (B, T)."""
        scaled = (mel.clamp(min=-11.5) + 5.0) / 3.0
        weight = (mask if counted is None else mask & counted)[:, None].to(mel.dtype)
        mean = (scaled * weight).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True).clamp(min=1)
        return self.network(Frames(scaled - mean, mask).zeroed()).values
