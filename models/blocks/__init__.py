"""Registered building blocks: one definition for training, offline use and streaming."""

from prosody_transfer.models.blocks.base import (
    REGISTRY,
    Block,
    Frames,
    StreamingBlock,
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
from prosody_transfer.models.blocks.context import RunningCentre, RunningContext
from prosody_transfer.models.blocks.stack import Stack

__all__ = [
    "REGISTRY", "AveragePool", "Block", "ChannelNorm", "Conv", "ConvNeXt", "Frames", "InstanceNorm", "Pointwise",
    "Repeat", "RunningCentre", "RunningContext", "Stack", "StreamingBlock", "build", "frames_from", "register",
]  # fmt: skip
