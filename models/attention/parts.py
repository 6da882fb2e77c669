"""The attention model as networks that run by themselves: phones, one step of attention, and what comes after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.attention.config import PROSODY
from prosody_transfer.models.attention.network import Attention, Memory, State
from prosody_transfer.models.blocks import Frames
from prosody_transfer.models.parts import Part, flatten_state, restore_state, state_ports

CHUNK_FRAMES = (40,)


class PhoneEncoderPart(nn.Module):
    """Phones, and what is told of each, (B, P, 5) -> what is attended to, (B, C, P), and its keys, (B, A, P)."""

    def __init__(self, network: Attention) -> None:
        super().__init__()
        self.network = network

    def forward(self, phones: Tensor, stress: Tensor, phone_mask: Tensor, told: Tensor) -> tuple[Tensor, ...]:
        nobody = torch.zeros(phones.shape[0], dtype=torch.long, device=phones.device)
        memory = self.network.remember(phones, stress, phone_mask, told, nobody)
        return memory.values.transpose(1, 2), memory.keys.transpose(1, 2)


class StepPart(nn.Module):
    """`Attention.step`: the last frame and what is remembered -> the next frames, and what is remembered then."""

    def __init__(self, network: Attention) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, previous: Tensor, first: Tensor, second: Tensor, context: Tensor, weights: Tensor, past: Tensor,
        phone_encoding: Tensor, phone_keys: Tensor, phone_mask: Tensor, speaker: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        memory = Memory(phone_encoding.transpose(1, 2), phone_keys.transpose(1, 2), phone_mask, speaker)
        made, state = self.network.step(previous, State(first, second, context, weights, past), memory)
        return made, *state


class AfterPart(nn.Module):
    """`Attention.refine` on a chunk of frames, with what it remembers as an argument and a result."""

    def __init__(self, network: Attention) -> None:
        super().__init__()
        self.network, self.lag = network, network.after.latency

    def initial_state(self, batch: int) -> list[object]:
        coarse = torch.zeros(batch, self.network.config.mel.n_mels, self.lag)  # what the results belong to comes later
        return [self.network.after.initial_state(batch), coarse]

    def forward(
        self, coarse: Tensor, context: Tensor, mask: Tensor, speaker: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        network = self.network
        before, held = restore_state(self.initial_state(1), state)
        after, before = network.after.step(Frames(torch.cat([coarse, context], 1), mask).zeroed(), before, speaker)
        out = network.head(after.values.transpose(1, 2)).transpose(1, 2)  # (B, M + 2, T)
        held = torch.cat([held, coarse], 2)
        early, held = held[..., : coarse.shape[2]], held[..., coarse.shape[2] :]
        results = 3.0 * (early + out[:, :-2]) - 5.0, out[:, -2], out[:, -1]
        return (*results, *flatten_state([before, held]))


def parts(network: Attention) -> dict[str, Part]:
    """The parts of an attention model by name."""
    config = network.config
    bands, hidden = config.mel.n_mels, config.cell_channels
    each = lambda name: Port(name=name, axes=("B", hidden))
    phones = lambda name: Port(name=name, axes=("B", "P"))
    mask = Port(name="phone_mask", axes=("B", "P"), dtype="bool")
    encoding = Port(name="phone_encoding", axes=("B", config.phone_channels, "P"))
    keys = Port(name="phone_keys", axes=("B", config.attention_channels, "P"))
    speaker = Port(name="speaker", axes=("B", config.speaker_channels))
    context = Port(name="context", axes=("B", config.phone_channels))
    remembered = (each("first"), each("second"), context, phones("weights"), phones("past"))
    after, frames = AfterPart(network), ("B", "T")
    return {
        "phone_encoder": Part(
            PhoneEncoderPart(network),
            (Port(name="phones", axes=("B", "P", config.n_phones)), Port(name="stress", axes=("B", "P"), dtype="int64"),
             mask, Port(name="told", axes=("B", "P", PROSODY))),
            (encoding, keys), role="encoder",
        ),
        "attention": Part(
            StepPart(network),
            (Port(name="previous", axes=("B", bands)), *remembered, encoding, keys, mask, speaker),
            (Port(name="made", axes=("B", bands, config.frames_per_step)),
             *(Port(name=f"new_{port.name}", axes=port.axes) for port in remembered)),
        ),
        "decoder": Part(
            after,
            (Port(name="coarse", axes=("B", bands, "T")), Port(name="context", axes=("B", config.phone_channels, "T")),
             Port(name="mask", axes=frames, dtype="bool"), speaker),
            (Port(name="mel", axes=("B", bands, "T")), Port(name="own_log_f0", axes=frames),
             Port(name="voicing_logit", axes=frames)),
            state_ports(after.initial_state(1)), "decoder", after.lag, fixed={"T": CHUNK_FRAMES},
        ),
    }  # fmt: skip


def addon(network: Attention, header: Mapping[str, Any]) -> dict[str, Any]:
    """How its components are wired."""
    around = ("AttentiveDecoder", "Decoder", "OwnMelody", "Sharpener")
    frames = {"type": "StreamableStack", "stack": [{"type": name} for name in around]}
    return {"stack": [{
        "type": "StreamablePipeline", "sequence_block": {"type": "Encoders"}, "streamable_block": frames,
    }]}  # fmt: skip
