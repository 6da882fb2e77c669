"""The pitch tracker as a part that runs by itself; its spectrum is made without weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.parts import Part
from prosody_transfer.models.tracker.network import EXTRA, Tracker

FRAMES = (256, 1024, 2112)


class TrackerPart(nn.Module):
    """(B, C, T) from `spectrum`, (B, T) mask -> (B, P + 3, T); what lies outside the mask never counts."""

    def __init__(self, network: Tracker) -> None:
        super().__init__()
        self.network = network

    def forward(self, spectrum: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return (self.network(spectrum * mask[:, None].to(spectrum.dtype), mask),)


def parts(network: Tracker) -> dict[str, Part]:
    """The parts of a tracker by name."""
    config = network.config.spectrum
    inputs = (
        Port(name="spectrum", axes=("B", config.channels, "T")), Port(name="mask", axes=("B", "T"), dtype="bool"),
    )  # fmt: skip
    outputs = (Port(name="heard", axes=("B", config.pitches + EXTRA, "T")),)
    reach = {"T": network.stack.latency}
    return {"tracker": Part(TrackerPart(network), inputs, outputs, reach=reach, fixed={"T": FRAMES})}


def addon(network: Tracker, header: Mapping[str, Any]) -> dict[str, Any]:
    """What its spectrum is made with."""
    settings = {"spectrum": network.config.spectrum.to_dict(), "energy_scale_db": network.energy_scale_db}
    return {"settings": settings}
