"""Tokens of a text to numbers of each: what predictors of prosody are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from prosody_transfer.models.blocks.base import Frames
from prosody_transfer.models.blocks.stack import Stack

POINTS = 4  # of F0, voicing and energy in each token
LEVEL_MIDDLE, LEVEL_SCALE = 5.0, 0.3  # ln Hz: what voices' levels are about, and how far apart
LONGEST = 400  # frames of one token


class Timing(NamedTuple):
    """Of P tokens, each (B, P): ln frames of a phone; whether a gap is a pause, a logit; ln frames of a pause."""

    log_frames: Tensor
    pause_logit: Tensor
    log_pause: Tensor


class Melody(NamedTuple):
    """Of P tokens, each (B, 4, P): ln F0 relative to the voice's level; voicing, a logit; energy in tens of dB."""

    log_f0: Tensor
    voicing_logit: Tensor
    energy: Tensor


class TokenPredictor(nn.Module):
    """Classes and numbers of tokens, and a context, to some numbers a token.

    Args:
        classes: How many of each kind of class there are.
        numbers: How many numbers a token has besides.
        context: Channels of what is told of the whole.
    """

    def __init__(
        self, classes: Sequence[int], numbers: int, context: int, outputs: int, *, channels: int, layers: int,
        expansion: int, kernel_size: int, name: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, channels) for size in classes)
        self.numbers = nn.Linear(numbers, channels)
        self.context = nn.Linear(context, channels)  # beside the layers' own way in, which is closed at first
        layer = {
            "block": "convnext", "channels": channels, "expansion": expansion, "kernel_size": kernel_size,
            "context_channels": context,
        }  # fmt: skip
        last = {"block": "pointwise", "in_channels": channels, "out_channels": outputs}
        self.stack = Stack([*[layer] * layers, last], name=name)

    def forward(self, classes: Tensor, numbers: Tensor, mask: Tensor, context: Tensor) -> Tensor:
        """(B, K, P), (B, N, P), (B, P), (B, D) -> (B, outputs, P)."""
        hidden = self.numbers(numbers.transpose(1, 2)) + self.context(context)[:, None]  # (B, P, C)
        for table, rows in zip(self.tables, classes.unbind(1), strict=True):
            hidden = hidden + table(rows)  # (B, P, C)
        frames = Frames(hidden.transpose(1, 2), mask).zeroed()  # (B, C, P)
        return self.stack(frames, context).values


def duration_rows(frames: Tensor, like: Tensor) -> Tensor:
    """(B, 2, P): ln of one more than the frames, and whether there are any."""
    lasting = frames.clamp(max=LONGEST).to(like.dtype)
    return torch.stack([torch.log1p(lasting), (frames > 0).to(like.dtype)], 1)
