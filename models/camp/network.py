"""Two predictors at the rate of phones: how long each is, and then what the melody does in it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from prosody_transfer.core.config import Channels, Classes, Config, Factor, Layers, MelConfig
from prosody_transfer.models.blocks import Frames, Stack

POINTS = 4  # of F0, voicing and energy in each token
LEVEL_MIDDLE, LEVEL_SCALE = 5.0, 0.3  # ln Hz: what voices' levels are about, and how far apart
LONGEST = 400  # frames of one token


class CampConfig(Config):
    """Settings, saved inside the checkpoint.

    `classes`: how many of each kind of class a token has (phone, stress, sign, kind of sentence), `numbers`: how many
    numbers besides, see `text.prosody_tokens`. `speakers`: voices that it knows; others speak by their level alone.
    """

    mel: MelConfig = MelConfig()
    speakers: tuple[str, ...] = ()
    classes: tuple[Classes, ...] = (40, 4, 6, 10)
    numbers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 13
    channels: Channels = 112
    layers: Layers = 4
    expansion: Factor = 3
    kernel_size: Factor = 9
    voice_channels: Channels = 24

    @property
    def n_phones(self) -> int:
        return self.classes[0]


class CampInputs(NamedTuple):
    """What is predicted from.

    Attributes:
        classes: (B, K, P) int64.
        numbers: (B, N, P) float.
        mask: (B, P) bool.
        voice: (B,) int64, row of the voice; -1 where it is not known.
        level: (B,) ln Hz, the voice's median F0.
        pace: (B,) mean ln of how much longer than usual phones are to be; 0 is usual.
    """

    classes: Tensor
    numbers: Tensor
    mask: Tensor
    voice: Tensor
    level: Tensor
    pace: Tensor


class Timing(NamedTuple):
    """Of P tokens, each (B, P).

    Attributes:
        log_frames: ln frames of each phone.
        pause_logit: Whether a gap is a pause.
        log_pause: ln frames of each gap, where it is one.
    """

    log_frames: Tensor
    pause_logit: Tensor
    log_pause: Tensor


class Melody(NamedTuple):
    """Of P tokens, each (B, 4, P), at the middles of its four quarters.

    Attributes:
        log_f0: ln F0 relative to the voice's level.
        voicing_logit: Whether it is voiced.
        energy: dB relative to the speech level, in tens.
    """

    log_f0: Tensor
    voicing_logit: Tensor
    energy: Tensor


class Predictor(nn.Module):
    """Classes and numbers of tokens, and a voice, to some numbers a token."""

    def __init__(self, config: CampConfig, extra: int, outputs: int, name: str) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, config.channels) for size in config.classes)
        self.numbers = nn.Linear(config.numbers + extra, config.channels)
        self.voice = nn.Embedding(len(config.speakers) + 1, config.voice_channels)
        context = config.voice_channels + 2
        layer = {
            "block": "convnext", "channels": config.channels, "expansion": config.expansion,
            "kernel_size": config.kernel_size, "context_channels": context,
        }  # fmt: skip
        last = {"block": "pointwise", "in_channels": config.channels, "out_channels": outputs}
        self.stack = Stack([*[layer] * config.layers, last], name=name)

    def forward(self, inputs: CampInputs, extra: Tensor | None = None) -> Tensor:
        """(B, outputs, P); `extra` (B, E, P) are more numbers a token."""
        numbers = inputs.numbers if extra is None else torch.cat([inputs.numbers, extra], 1)  # (B, N + E, P)
        hidden = self.numbers(numbers.transpose(1, 2))  # (B, P, C)
        for table, classes in zip(self.tables, inputs.classes.unbind(1), strict=True):
            hidden = hidden + table(classes)  # (B, P, C)
        level = (inputs.level - LEVEL_MIDDLE) / LEVEL_SCALE
        context = torch.cat([self.voice(inputs.voice + 1), level[:, None], inputs.pace[:, None]], 1)  # (B, D)
        frames = Frames(hidden.transpose(1, 2), inputs.mask).zeroed()  # (B, C, P)
        return self.stack(frames, context).values


class Camp(nn.Module):
    """Prosody from text, not variational.

    Source:
        Hodari et al. 2021, CAMP. Differs from it in: a word's embedding is how prominent it is and whether a boundary
        follows, numbers that people read and edit, instead of a learnt vector; what is predicted is durations, F0,
        voicing and energy at the rate of phones, for a decoder that was trained without it; convolutions, no LSTM.
    """

    def __init__(self, config: CampConfig) -> None:
        super().__init__()
        self.config = config
        self.timing_network = Predictor(config, 0, 3, "timing")
        self.melody_network = Predictor(config, 2, 3 * POINTS, "melody")

    def timing(self, inputs: CampInputs) -> Timing:
        """How long."""
        return Timing(*self.timing_network(inputs).unbind(1))

    def melody(self, inputs: CampInputs, frames: Tensor) -> Melody:
        """F0, voicing and energy of tokens of `frames` (B, P)."""
        lasting = frames.clamp(max=LONGEST).to(inputs.numbers.dtype)
        extra = torch.stack([torch.log1p(lasting), (frames > 0).to(lasting.dtype)], 1)  # (B, 2, P)
        return Melody(*self.melody_network(inputs, extra).chunk(3, 1))

    def forward(self, inputs: CampInputs, frames: Tensor) -> tuple[Timing, Melody]:
        """Both, the melody with durations that are given."""
        return self.timing(inputs), self.melody(inputs, frames)
