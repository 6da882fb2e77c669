"""CopyCat as parts that run by themselves: phone encoder, reference encoder, and the decoder chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.blocks import Frames
from prosody_transfer.models.copycat.inputs import N_POSITION, PhoneInputs, ProsodyInputs, upsample
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.parts import Part, flatten_state, restore_state, state_ports

PHONES = (32, 64, 128, 256)
SOURCE_FRAMES = (256, 512, 1024, 2048)
CHUNK_FRAMES = (32,)


class PhoneEncoderPart(nn.Module):
    """(B, P, V) phones, (B, P) stress, (B, P) mask -> (B, C, P)."""

    def __init__(self, network: CopyCat) -> None:
        super().__init__()
        self.network = network

    def forward(self, phones: Tensor, stress: Tensor, phone_mask: Tensor) -> tuple[Tensor, ...]:
        return (self.network.encode_phones(PhoneInputs(phones, stress, stress, phone_mask)),)


class ReferenceEncoderPart(nn.Module):
    """Source mel and encoded phones -> mean of the prosody embedding, a step for every so many frames.

    Where the embedding has a step for each phone or word it gives (B, D, R), a step a frame: averaging over frames
    commutes with the last layer, which is linear, and is left to whoever knows the units.
    """

    def __init__(self, network: CopyCat) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, source_mel: Tensor, source_mask: Tensor, phone_encoding: Tensor, source_durations: Tensor, known: Tensor
    ) -> tuple[Tensor, ...]:
        # `frame_to_phone` with comparisons: searchsorted has no counterpart in ONNX.
        frames = torch.arange(source_mel.shape[2], device=source_mel.device)
        index = (source_durations.cumsum(1)[:, :, None] <= frames).sum(1).clamp(max=phone_encoding.shape[2] - 1)
        values = self.network.reference_frames(source_mel, source_mask, upsample(phone_encoding, index), known).values
        return (values.chunk(2, 1)[0],)


class DecoderPart(nn.Module):
    """`CopyCat.decode` on a chunk of frames, with what it remembers as an argument and a result."""

    def __init__(self, network: CopyCat) -> None:
        super().__init__()
        self.network = network
        self.lag = network.decoder_early.latency + network.decoder_late.latency

    def initial_state(self, batch: int) -> list[object]:
        return [self.network.decoder_early.initial_state(batch), self.network.decoder_late.initial_state(batch)]

    def forward(
        self, phone_encoding: Tensor, position: Tensor, log_f0: Tensor, voiced: Tensor, energy: Tensor, latent: Tensor,
        mask: Tensor, keep: Tensor, speaker: Tensor, level: Tensor, *state: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        network = self.network
        prosody = ProsodyInputs(log_f0, voiced, energy, keep)
        values = network.decoder_inputs(phone_encoding, position, prosody, latent, level)
        early_state, late_state = restore_state(self.initial_state(1), state)
        early, early_state = network.decoder_early.step(Frames(values, mask).zeroed(), early_state, speaker)
        late, late_state = network.decoder_late.step(early, late_state, speaker)
        out = network.head(late.values.transpose(1, 2)).transpose(1, 2)  # (B, M + 2, T)
        results = 3.0 * out[:, :-2] - 5.0, out[:, -2], out[:, -1]
        return (*results, *flatten_state([early_state, late_state]))


def parts(network: CopyCat) -> dict[str, Part]:
    """The parts of an acoustic model by name."""
    config = network.config
    frames, source = ("B", "T"), ("B", "R")
    encoding = Port(name="phone_encoding", axes=("B", config.phone_channels, "P"))
    steps = f"R/{config.temporal_downsampling}" if config.latent_unit == "frames" else "R"
    decoder = DecoderPart(network)
    return {
        "phone_encoder": Part(
            PhoneEncoderPart(network),
            (Port(name="phones", axes=("B", "P", config.n_phones)), Port(name="stress", axes=("B", "P"), dtype="int64"),
             Port(name="phone_mask", axes=("B", "P"), dtype="bool")),
            (encoding,), role="encoder", reach={"P": network.phone_encoder.latency}, fixed={"P": PHONES},
        ),
        "reference_encoder": Part(
            ReferenceEncoderPart(network),
            (Port(name="source_mel", axes=("B", config.mel.n_mels, "R")),
             Port(name="source_mask", axes=source, dtype="bool"),
             encoding, Port(name="source_durations", axes=("B", "P"), dtype="int64"), Port(name="known", axes=("B",))),
            (Port(name="latent", axes=("B", config.latent_channels, steps)),),
            role="encoder", fixed={"P": PHONES, "R": SOURCE_FRAMES},
        ),
        "decoder": Part(
            decoder,
            (Port(name="phone_encoding", axes=("B", config.phone_channels, "T")),
             Port(name="position", axes=("B", N_POSITION, "T")), Port(name="log_f0", axes=frames),
             Port(name="voiced", axes=frames), Port(name="energy", axes=frames),
             Port(name="latent", axes=("B", config.latent_channels, "T")),
             Port(name="mask", axes=frames, dtype="bool"), Port(name="keep", axes=("B", 3)),
             Port(name="speaker", axes=("B", config.speaker_channels)), Port(name="level", axes=("B",))),
            (Port(name="mel", axes=("B", config.mel.n_mels, "T")), Port(name="own_log_f0", axes=frames),
             Port(name="voicing_logit", axes=frames)),
            state_ports(decoder.initial_state(1)), "decoder", decoder.lag, fixed={"T": CHUNK_FRAMES},
        ),
    }  # fmt: skip


def addon(network: CopyCat, header: Mapping[str, Any]) -> dict[str, Any]:
    """How its components are wired."""
    return stack_of("Upsampler", "OwnProsody", "EasedEnergy", "GuidedDecoder", "Sharpener")


def stack_of(*around: str) -> dict[str, Any]:
    """All encoders, and components by name one after the other."""
    frames = {"type": "StreamableStack", "stack": [{"type": name} for name in around]}
    whole = {"type": "StreamablePipeline", "sequence_block": {"type": "Encoders"}, "streamable_block": frames}
    return {"stack": [whole]}
