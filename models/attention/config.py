"""Settings of the attention model."""

from __future__ import annotations

from typing import Annotated

import msgspec

from prosody_transfer.core.config import Channels, Classes, Config, Factor, Layers, MelConfig

PROSODY = 5  # numbers a phone is told: F0, share of voiced frames, energy, ln frames, and whether any are told


class AttentionConfig(Config):
    """Saved inside the checkpoint. `frames_per_step`: mel frames that each step of the decoder makes."""

    mel: MelConfig = MelConfig()
    speakers: Annotated[tuple[str, ...], msgspec.Meta(max_length=100_000)] = ()
    n_phones: Classes = 40
    phone_channels: Channels = 192
    phone_layers: Layers = 4
    speaker_channels: Channels = 128
    prenet_channels: Channels = 96
    cell_channels: Channels = 192
    attention_channels: Channels = 96
    location_kernel: Factor = 15
    frames_per_step: Factor = 5
    channels: Channels = 192
    layers: Layers = 3
    expansion: Factor = 3
