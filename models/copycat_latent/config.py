"""Settings of CopyCat's latent alone."""

from __future__ import annotations

from prosody_transfer.core.config import Channels, Factor, Layers
from prosody_transfer.models.copycat.config import CopyCatConfig


class CopyCatLatentConfig(CopyCatConfig):
    """Those of CopyCat, with an embedding that is wider and twice as fine in time: it carries all prosody."""

    layers: Layers = 8
    latent_channels: Channels = 8
    temporal_downsampling: Factor = 4
