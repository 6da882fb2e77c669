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
    `residual`: numbers of a word that a recording tells beyond what people read and edit; 0 for none.
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
    residual: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    encoder_channels: Channels = 64

    @property
    def n_phones(self) -> int:
        return self.classes[0]

    @property
    def told(self) -> int:
        """How many numbers a token has: those of the text; with a residual, whether it is known, and it."""
        return self.numbers + (1 + self.residual if self.residual else 0)


class CampInputs(NamedTuple):
    """What is predicted from.

    Attributes:
        classes: (B, K, P) int64.
        numbers: (B, N, P) float, N as `CampConfig.told`; the last are 1 and the word's residual, or 0 where not known.
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
        self.numbers = nn.Linear(config.told + extra, config.channels)
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


class Measured(NamedTuple):
    """What was measured of P tokens of a recording.

    Attributes:
        frames: (B, P) int64.
        log_f0, voiced, energy: (B, 4, P), relative to the voice's level; share of voiced frames; tens of dB.
        word: (B, P) int64, which word each belongs to; -1 to none.
    """

    frames: Tensor
    log_f0: Tensor
    voiced: Tensor
    energy: Tensor
    word: Tensor


class WordEncoder(nn.Module):
    """What a recording does in each word, as a few numbers between -1 and 1.

    Source:
        Hodari et al. 2021, 2.1, the word-level reference encoder, not variational. Differs from it in: it is told
        durations and contours that are relative to the voice instead of a spectrogram, so that it has little to tell
        the voice by; the mean over a word's tokens, no recurrent state at its end.
    """

    def __init__(self, config: CampConfig) -> None:
        super().__init__()
        channels = config.encoder_channels
        self.phones = nn.Embedding(config.n_phones, channels)
        self.measured = nn.Linear(2 + 3 * POINTS, channels)
        layer = {"block": "convnext", "channels": channels, "expansion": 2, "kernel_size": 5}
        last = {"block": "pointwise", "in_channels": channels, "out_channels": config.residual}
        self.stack = Stack([layer, layer, last], name="words")

    def forward(self, phones: Tensor, mask: Tensor, measured: Measured) -> Tensor:
        """(B, D, P), the same in all tokens of a word; `phones` (B, P) are the classes."""
        rows = [_durations(measured.frames, measured.log_f0), measured.log_f0 * measured.voiced, measured.voiced]
        numbers = torch.cat([*rows, measured.energy], 1)  # (B, 14, P)
        hidden = self.measured(numbers.transpose(1, 2)) + self.phones(phones)  # (B, P, C)
        found = self.stack(Frames(hidden.transpose(1, 2), mask).zeroed()).values  # (B, D, P)
        same = (measured.word[:, :, None] == measured.word[:, None, :]) & mask[:, None, :]  # (B, P, P)
        share = same.to(found.dtype)
        share = share / share.sum(2, keepdim=True).clamp(min=1)
        return torch.tanh(torch.einsum("bdp,bqp->bdq", found, share))


def _durations(frames: Tensor, like: Tensor) -> Tensor:
    """(B, 2, P): ln of one more than the frames, and whether there are any."""
    lasting = frames.clamp(max=LONGEST).to(like.dtype)
    return torch.stack([torch.log1p(lasting), (frames > 0).to(like.dtype)], 1)


class Camp(nn.Module):
    """Prosody from text, not variational.

    Source:
        Hodari et al. 2021, CAMP. Differs from it in: a word's embedding begins with how prominent it is and whether a
        boundary follows, numbers that people read and edit, and the learnt vector is what is left beyond these, which
        comes from a recording alone: of it text tells too little to be predicted; what is predicted is durations, F0,
        voicing and energy at the rate of phones, for a decoder that was trained without it; convolutions, no LSTM.
    """

    def __init__(self, config: CampConfig) -> None:
        super().__init__()
        self.config = config
        self.timing_network = Predictor(config, 0, 3, "timing")
        self.melody_network = Predictor(config, 2, 3 * POINTS, "melody")
        self.word_encoder = WordEncoder(config) if config.residual else None

    def timing(self, inputs: CampInputs) -> Timing:
        """How long."""
        return Timing(*self.timing_network(inputs).unbind(1))

    def melody(self, inputs: CampInputs, frames: Tensor) -> Melody:
        """F0, voicing and energy of tokens of `frames` (B, P)."""
        return Melody(*self.melody_network(inputs, _durations(frames, inputs.numbers)).chunk(3, 1))

    def told(self, inputs: CampInputs, measured: Measured, shown: Tensor) -> CampInputs:
        """`inputs` with the residual of those words of a recording that are `shown` (B, P), 0 or 1."""
        if self.word_encoder is None:
            return inputs
        residual = self.word_encoder(inputs.classes[:, 0], inputs.mask, measured)  # (B, D, P)
        known = shown[:, None].to(residual.dtype)
        numbers = torch.cat([inputs.numbers[:, : self.config.numbers], known, residual * known], 1)  # (B, N, P)
        return inputs._replace(numbers=numbers)

    def forward(self, inputs: CampInputs, frames: Tensor) -> tuple[Timing, Melody]:
        """Both, the melody with durations that are given."""
        return self.timing(inputs), self.melody(inputs, frames)
