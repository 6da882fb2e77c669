"""The networks that run by themselves: how long, what the melody does, and how an utterance was said."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.blocks.tokens import POINTS, TokenPredictor
from prosody_transfer.models.parts import Part
from prosody_transfer.models.utterance.network import Said, Text, Utterance

TOKENS = (32, 64, 128, 256)
_MEASURED = ("log_f0", "voiced", "energy")


class TimingPart(nn.Module):
    """What `Text` holds and a latent -> what `Timing` holds."""

    def __init__(self, network: Utterance) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, classes: Tensor, numbers: Tensor, mask: Tensor, level: Tensor, latent: Tensor
    ) -> tuple[Tensor, ...]:
        return tuple(self.network.timing(Text(classes, numbers, mask, level), latent))


class MelodyPart(nn.Module):
    """The same, and (B, P) frames of each token -> what `Melody` holds."""

    def __init__(self, network: Utterance) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, classes: Tensor, numbers: Tensor, mask: Tensor, level: Tensor, latent: Tensor, frames: Tensor
    ) -> tuple[Tensor, ...]:
        return tuple(self.network.melody(Text(classes, numbers, mask, level), latent, frames))


class EncoderPart(nn.Module):
    """What `Said` holds -> what `Posterior` holds."""

    def __init__(self, network: Utterance) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, phones: Tensor, said_mask: Tensor, frames: Tensor, log_f0: Tensor, voiced: Tensor, energy: Tensor
    ) -> tuple[Tensor, ...]:
        return tuple(self.network.encode(Said(phones, said_mask, frames, log_f0, voiced, energy)))


def parts(network: Utterance) -> dict[str, Part]:
    """The parts by name."""
    config, tokens, one = network.config, ("B", "P"), ("B",)
    latent = Port(name="latent", axes=("B", config.latent_channels))
    inputs = (
        Port(name="classes", axes=("B", len(config.classes), "P"), dtype="int64"),
        Port(name="numbers", axes=("B", config.numbers, "P")), Port(name="mask", axes=tokens, dtype="bool"),
        Port(name="level", axes=one), latent,
    )  # fmt: skip
    frames = Port(name="frames", axes=tokens, dtype="int64")
    timing = tuple(Port(name=name, axes=tokens) for name in ("log_frames", "pause_logit", "log_pause"))
    melody = tuple(Port(name=name, axes=("B", POINTS, "P")) for name in ("log_f0", "voicing_logit", "energy"))
    said = (
        Port(name="phones", axes=tokens, dtype="int64"), Port(name="said_mask", axes=tokens, dtype="bool"), frames,
        *(Port(name=name, axes=("B", POINTS, "P")) for name in _MEASURED),
    )  # fmt: skip
    posterior = tuple(Port(name=name, axes=latent.axes) for name in ("mean", "log_variance"))
    made: dict[str, tuple[nn.Module, Any, Any, TokenPredictor]] = {
        "timing": (TimingPart(network), inputs, timing, network.timing_network),
        "melody": (MelodyPart(network), (*inputs, frames), melody, network.melody_network),
    }
    found = {
        name: Part(module, taken, given, reach={"P": predictor.stack.latency}, fixed={"P": TOKENS})
        for name, (module, taken, given, predictor) in made.items()
    }
    return {**found, "encoder": Part(EncoderPart(network), said, posterior, fixed={"P": TOKENS})}
