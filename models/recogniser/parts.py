"""The phone recogniser as a part that runs by itself."""

from __future__ import annotations

from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.parts import Part
from prosody_transfer.models.recogniser.network import Recogniser

FRAMES = (256, 512, 1024, 2048, 4096)


class RecogniserPart(nn.Module):
    """(B, M, T) mel, (B, T) mask, (B, T) which frames count for the means -> (B, V, T) logits."""

    def __init__(self, network: Recogniser) -> None:
        super().__init__()
        self.network = network

    def forward(self, mel: Tensor, mask: Tensor, counted: Tensor) -> tuple[Tensor, ...]:
        return (self.network(mel, mask, counted),)


def parts(network: Recogniser) -> dict[str, Part]:
    """The parts of a recogniser by name. The means are of the whole: it can't be split."""
    config = network.config
    inputs = (
        Port(name="mel", axes=("B", config.mel.n_mels, "T")), Port(name="mask", axes=("B", "T"), dtype="bool"),
        Port(name="counted", axes=("B", "T"), dtype="bool"),
    )  # fmt: skip
    outputs = (Port(name="logits", axes=("B", config.n_phones, "T")),)
    return {"recogniser": Part(RecogniserPart(network), inputs, outputs, fixed={"T": FRAMES})}
