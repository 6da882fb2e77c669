"""Settings of the acoustic model."""

from __future__ import annotations

from typing import Literal

from prosody_transfer.core.config import Config, MelConfig


class CopyCatConfig(Config):
    """Saved inside the checkpoint: loading needs nothing but the file.

    `speakers` are the target voices, in the order of the table. `temporal_downsampling` is in mel frames per embedding
    step. `latent_unit`: what the embedding has one step for: so many "frames", a "phone", or a "word" (which needs a
    transcript; a pause is a word). `instance_norm`: False normalises the reference encoder's layers over channels
    instead of over time, which leaves in what is constant over an utterance.
    """

    mel: MelConfig = MelConfig()
    speakers: tuple[str, ...] = ()
    n_phones: int = 40
    phone_channels: int = 192
    phone_layers: int = 4
    channels: int = 256
    layers: int = 6
    expansion: int = 3
    speaker_channels: int = 128
    reference_channels: int = 160
    reference_layers: int = 5
    source_channels: int = 64
    latent_channels: int = 4
    temporal_downsampling: int = 8
    latent_unit: Literal["frames", "phone", "word"] = "frames"
    instance_norm: bool = True
