"""As parts that run by themselves: those of the utterance, and the sampler."""

from __future__ import annotations

from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.kathaka.network import Kathaka, Words
from prosody_transfer.models.parts import Part
from prosody_transfer.models.utterance import parts as utterance


class SamplerPart(nn.Module):
    """What `Words` holds -> what `Posterior` holds."""

    def __init__(self, network: Kathaka) -> None:
        super().__init__()
        self.network = network

    def forward(self, vectors: Tensor, tags: Tensor, arcs: Tensor, word_mask: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network.predict(Words(vectors, tags, arcs, word_mask)))


def parts(network: Kathaka) -> dict[str, Part]:
    """The parts by name."""
    config = network.config
    words = (
        Port(name="vectors", axes=("B", config.vector_channels, "W")),
        Port(name="tags", axes=("B", "W"), dtype="int64"), Port(name="arcs", axes=("B", "W", "W")),
        Port(name="word_mask", axes=("B", "W"), dtype="bool"),
    )  # fmt: skip
    found = tuple(Port(name=name, axes=("B", config.latent_channels)) for name in ("mean", "log_variance"))
    return {**utterance.parts(network), "sampler": Part(SamplerPart(network), words, found, fixed={"W": (16, 64, 256)})}
