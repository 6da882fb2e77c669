"""Settings of the acoustic model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from prosody_transfer.core.config import Channels, Classes, Config, Factor, Layers, MelConfig

# How prosody enters the network: about unit range.
ENERGY_SCALE_DB = 10.0
F0_SCALE = 0.25
N_POSITION = 3  # channels of `inputs.position_features`
# How the decoder is asked, see `speaking`.
LOWEST_HZ, HIGHEST_HZ = 50.0, 800.0
SURELY_UNVOICED = -0.5  # logit of voicing, by the phones alone, below which the tracker is not believed
ENERGY_SHARE = 0.3  # of the source's energy in what the decoder is told; chosen on 12 development pairs
LOUDEST_DB = 20.0  # over the speech level: no voice's own energy is more
GUIDANCE = 0.05  # how much further from the mean of all voices than the decoder puts the target


class CopyCatConfig(Config):
    """Saved inside the checkpoint: loading needs nothing but the file.

    `speakers` are the target voices, in the order of the table. `temporal_downsampling` is in mel frames per embedding
    step. `latent_unit`: what the embedding has one step for: so many "frames", a "phone", or a "word" (which needs a
    transcript; a pause is a word). `instance_norm`: False normalises the reference encoder's layers over channels
    instead of over time, which leaves in what is constant over an utterance.
    """

    mel: MelConfig = MelConfig()
    speakers: Annotated[tuple[str, ...], msgspec.Meta(max_length=100_000)] = ()
    n_phones: Classes = 40
    phone_channels: Channels = 192
    phone_layers: Layers = 4
    channels: Channels = 256
    layers: Layers = 6
    expansion: Factor = 3
    speaker_channels: Channels = 128
    reference_channels: Channels = 160
    reference_layers: Layers = 5
    source_channels: Channels = 64
    latent_channels: Channels = 4
    temporal_downsampling: Factor = 8
    latent_unit: Literal["frames", "phone", "word"] = "frames"
    instance_norm: bool = True


def adaptable(names: Iterable[str]) -> list[str]:
    """Which of the acoustic model's parameters a new voice may change, beside its row of the speaker table.

    The speaker conditioning of every decoder block, all else of the later blocks, and the head. Phone encoder,
    reference encoder and the early blocks stay: what is read from a source does not depend on the voice.

    >>> adaptable(["decoder_early.blocks.1.norm.modulation.bias", "decoder_early.blocks.1.gain", "head.bias"])
    ['decoder_early.blocks.1.norm.modulation.bias', 'head.bias']
    """
    starts = ("decoder_late.", "head.")
    return [n for n in names if n.startswith(starts) or (n.startswith("decoder_early.") and ".norm.modulation." in n)]
