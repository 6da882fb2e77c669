"""The integration layer: addons, the components that run them, and the runtimes under those. It imports no torch."""

from prosody_transfer.integration.addon import Addon, open_addon
from prosody_transfer.integration.components import (
    REGISTRY,
    Flow,
    Ledger,
    SequenceBlock,
    Stream,
    StreamableBlock,
    load_components,
    register,
)
from prosody_transfer.integration.layer import Layer, build_layer
from prosody_transfer.integration.networks import Networks

__all__ = [
    "REGISTRY", "Addon", "Flow", "Layer", "Ledger", "Networks", "SequenceBlock", "Stream", "StreamableBlock",
    "build_layer", "load_components", "open_addon", "register",
]  # fmt: skip
