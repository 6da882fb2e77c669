"""Registered building blocks: one definition for training, offline use and streaming."""

from prosody_transfer.models.blocks.base import (
    REGISTRY,
    Frames,
    SequenceBlock,
    StreamableBlock,
    build,
    frames_from,
    register,
)
from prosody_transfer.models.blocks.basic import (
    AveragePool,
    ChannelNorm,
    Conv,
    ConvNeXt,
    InstanceNorm,
    Pointwise,
    Repeat,
)
from prosody_transfer.models.blocks.stack import Stack

__all__ = [
    "REGISTRY", "AveragePool", "ChannelNorm", "Conv", "ConvNeXt", "Frames", "InstanceNorm", "Pointwise", "Repeat",
    "SequenceBlock", "Stack", "StreamableBlock", "build", "frames_from", "register",
]  # fmt: skip
