"""The live recogniser as a part that runs by itself, chunk by chunk."""

from __future__ import annotations

from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.parts import Part, flatten_state, restore_state, state_ports
from prosody_transfer.models.recogniser.network import Recogniser

CHUNK_FRAMES = (8, 64)


class LivePart(nn.Module):
    """A chunk's mel (B, M, T) and mask (B, T), and the state before it -> logits (B, V, T), and the state after it."""

    def __init__(self, network: Recogniser) -> None:
        super().__init__()
        self.network = network

    def forward(self, mel: Tensor, mask: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        before = restore_state(self.network.initial_state(1), state)
        logits, after = self.network.step(mel, mask, before)
        return (logits.values, *flatten_state(after))


def parts(network: Recogniser) -> dict[str, Part]:
    """The part of a live recogniser by name."""
    config = network.config
    inputs = (
        Port(name="mel", axes=("B", config.mel.n_mels, "T")), Port(name="mask", axes=("B", "T"), dtype="bool"),
    )  # fmt: skip
    outputs = (Port(name="logits", axes=("B", config.n_phones, "T")),)
    state, lag = state_ports(network.initial_state(1)), network.network.latency
    return {"recogniser": Part(LivePart(network), inputs, outputs, state, lag=lag, fixed={"T": CHUNK_FRAMES})}
