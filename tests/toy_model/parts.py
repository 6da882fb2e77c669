"""It as an addon: an encoder and a decoder."""

from __future__ import annotations

from torch import nn

from prosody_transfer.core.ports import Port
from prosody_transfer.models.parts import Part


class Encoder(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, phones, phone_mask):
        return ((phones @ self.network.phones.weight * phone_mask[..., None]).transpose(1, 2),)


class Decoder(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, phone_encoding, energy, mask, speaker):
        mel = phone_encoding + speaker[..., None] + self.network.loudness * energy[:, None] - 5.0
        return (mel * mask[:, None],)


def parts(network):
    bands = network.config.mel.n_mels
    phones = Port(name="phones", axes=("B", "P", network.config.n_phones))
    mask = Port(name="phone_mask", axes=("B", "P"), dtype="bool")
    encoded = Port(name="phone_encoding", axes=("B", bands, "P"))
    frames = (
        Port(name="phone_encoding", axes=("B", bands, "T")), Port(name="energy", axes=("B", "T")),
        Port(name="mask", axes=("B", "T"), dtype="bool"), Port(name="speaker", axes=("B", bands)),
    )  # fmt: skip
    mel = Port(name="mel", axes=("B", bands, "T"))
    return {
        "encoder": Part(Encoder(network), (phones, mask), (encoded,), role="encoder", reach={"P": 0}),
        "decoder": Part(Decoder(network), frames, (mel,), role="decoder", reach={"T": 0}, fixed={"T": (32,)}),
    }


def addon(network, header):
    frames = {"type": "StreamableStack", "stack": [{"type": "Upsampler"}, {"type": "ToyProsody"}, {"type": "Decoder"}]}
    whole = {"type": "StreamablePipeline", "sequence_block": {"type": "Encoders"}, "streamable_block": frames}
    return {"stack": [whole]}
