"""The judge of speakers as a part that runs by itself."""

from __future__ import annotations

from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.parts import Part
from prosody_transfer.models.verifier.network import Verifier


class VerifierPart(nn.Module):
    """(B, M, T) windows of a power mel-spectrogram -> (B, D)."""

    def __init__(self, network: Verifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, mel: Tensor) -> tuple[Tensor, ...]:
        return (self.network(mel),)


def parts(network: Verifier) -> dict[str, Part]:
    """The parts of a verifier by name."""
    config = network.config
    inputs = (Port(name="mel", axes=("B", config.n_mels, config.window_frames)),)
    return {"verifier": Part(VerifierPart(network), inputs, (Port(name="embedding", axes=("B", config.embedding)),))}
