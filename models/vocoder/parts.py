"""The vocoder's layers as a part that runs by itself, chunk by chunk; the sound itself is made without weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.blocks import Frames
from prosody_transfer.models.parts import Part, flatten_state, restore_state, state_ports
from prosody_transfer.models.vocoder.network import Vocoder

CHUNK_FRAMES = (32,)


class FiltersPart(nn.Module):
    """Mel, voicing and pitch (ln Hz) of a chunk -> what `SourceFilter` reads, without log F0: (B, 3 * bins, T)."""

    def __init__(self, network: Vocoder) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, mel: Tensor, voiced: Tensor, pitch: Tensor, mask: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        network = self.network
        values = torch.cat([mel, voiced[:, None], pitch[:, None]], 1)
        before = restore_state(network.backbone.initial_state(1), state)
        hidden, after = network.backbone.step(Frames(network.scaled(values), mask).zeroed(), before)
        filters = network.filters(hidden, hidden.values[:, :1]).values[:, :-1]
        return (filters, *flatten_state(after))


def parts(network: Vocoder) -> dict[str, Part]:
    """The parts of a vocoder by name."""
    frames, bins = ("B", "T"), network.head.bins
    return {
        "filters": Part(
            FiltersPart(network),
            (Port(name="mel", axes=("B", network.config.mel.n_mels, "T")), Port(name="voiced", axes=frames),
             Port(name="pitch", axes=frames), Port(name="mask", axes=frames, dtype="bool")),
            (Port(name="filters", axes=("B", 3 * bins, "T")),),
            state_ports(network.backbone.initial_state(1)), "vocoder", network.backbone.latency,
            fixed={"T": CHUNK_FRAMES},
        )
    }  # fmt: skip


def addon(network: Vocoder, header: Mapping[str, Any]) -> dict[str, Any]:
    """How its component is wired."""
    return {"stack": [{"type": "Vocoder", "matching": network.config.matching}]}
