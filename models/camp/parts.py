"""CAMP as parts that run by themselves: how long, what the melody does, and what a recording does in each word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.camp.network import POINTS, Camp, CampInputs, Measured
from prosody_transfer.models.parts import Part

TOKENS = (32, 64, 128, 256)
TIMING = ("log_frames", "pause_logit", "log_pause")
MEASURED = ("log_f0", "voiced", "energy")
MELODY = ("log_f0", "voicing_logit", "energy")


class TimingPart(nn.Module):
    """What `CampInputs` holds -> what `Timing` holds."""

    def __init__(self, network: Camp) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, classes: Tensor, numbers: Tensor, mask: Tensor, voice: Tensor, level: Tensor, pace: Tensor
    ) -> tuple[Tensor, ...]:
        return tuple(self.network.timing(CampInputs(classes, numbers, mask, voice, level, pace)))


class MelodyPart(nn.Module):
    """The same, and (B, P) frames of each token -> what `Melody` holds."""

    def __init__(self, network: Camp) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, classes: Tensor, numbers: Tensor, mask: Tensor, voice: Tensor, level: Tensor, pace: Tensor, frames: Tensor
    ) -> tuple[Tensor, ...]:
        return tuple(self.network.melody(CampInputs(classes, numbers, mask, voice, level, pace), frames))


class WordsPart(nn.Module):
    """Phones and what `Measured` holds -> (B, D, P), the residual of each token's word."""

    def __init__(self, network: Camp) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, phones: Tensor, mask: Tensor, frames: Tensor, log_f0: Tensor, voiced: Tensor, energy: Tensor, word: Tensor
    ) -> tuple[Tensor, ...]:
        assert self.network.word_encoder is not None
        return (self.network.word_encoder(phones, mask, Measured(frames, log_f0, voiced, energy, word)),)


def parts(network: Camp) -> dict[str, Part]:
    """The parts of a predictor by name."""
    config, tokens, one = network.config, ("B", "P"), ("B",)
    inputs = (
        Port(name="classes", axes=("B", len(config.classes), "P"), dtype="int64"),
        Port(name="numbers", axes=("B", config.told, "P")), Port(name="mask", axes=tokens, dtype="bool"),
        Port(name="voice", axes=one, dtype="int64"), Port(name="level", axes=one), Port(name="pace", axes=one),
    )  # fmt: skip
    frames = Port(name="frames", axes=tokens, dtype="int64")
    timing = tuple(Port(name=name, axes=tokens) for name in TIMING)
    melody = tuple(Port(name=name, axes=("B", POINTS, "P")) for name in MELODY)
    made: dict[str, tuple[nn.Module, Any, Any, Any]] = {
        "timing": (TimingPart(network), inputs, timing, network.timing_network),
        "melody": (MelodyPart(network), (*inputs, frames), melody, network.melody_network),
    }
    found = {
        name: Part(module, taken, given, reach={"P": predictor.stack.latency}, fixed={"P": TOKENS})
        for name, (module, taken, given, predictor) in made.items()
    }
    if network.word_encoder is not None:
        points = tuple(Port(name=name, axes=("B", POINTS, "P")) for name in MEASURED)
        word = Port(name="word", axes=tokens, dtype="int64")
        taken = (Port(name="phones", axes=tokens, dtype="int64"), inputs[2], frames, *points, word)
        given = (Port(name="residual", axes=("B", config.residual, "P")),)
        found["words"] = Part(WordsPart(network), taken, given, fixed={"P": TOKENS})
    return found


def addon(network: Camp, header: Mapping[str, Any]) -> dict[str, Any]:
    """How its components are wired: tokens of a text in, contours of its frames out."""
    blocks = [
        {"type": "SequenceNetwork", "network": "timing"}, {"type": "TokenLengths"},
        {"type": "SequenceNetwork", "network": "melody"},
    ]  # fmt: skip
    frames = {"type": "StreamableStack", "stack": [{"type": "Upsampler"}, {"type": "TokenContours"}]}
    container = {"type": "SequenceBlockContainer", "blocks": blocks}
    return {"stack": [{"type": "StreamablePipeline", "sequence_block": container, "streamable_block": frames}]}
