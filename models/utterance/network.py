"""A variational encoder of how an utterance was said, and predictors of prosody that are told a text and that."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from prosody_transfer.core.config import Channels, Classes, Config, Factor, Layers, MelConfig
from prosody_transfer.models.blocks import Frames, Stack
from prosody_transfer.models.blocks.tokens import (
    LEVEL_MIDDLE,
    LEVEL_SCALE,
    POINTS,
    Melody,
    Timing,
    TokenPredictor,
    duration_rows,
)

LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -9.0, 3.0
LONGEST_SENTENCE = 40  # words of a sentence of the bank
MEASURED = 2 + 3 * POINTS
FIRST_LOG_VARIANCE = -3.0
CAN_BE = 6.0  # a posterior's mean, from 0; none that was learnt goes so far


class UtteranceConfig(Config):
    """Settings, saved inside the checkpoint.

    `speakers`: whose recordings it learnt from; it is told the level of a voice alone. `classes`, `numbers`: of a
    token, see `text.prosody_tokens`. `bank`: sentences of the training whose posterior is kept; `vector_channels`: of a
    word's contextual vector.
    """

    mel: MelConfig = MelConfig()
    speakers: tuple[str, ...] = ()
    classes: tuple[Classes, ...] = (40, 4, 6, 10)
    numbers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 13
    channels: Channels = 80
    layers: Layers = 3
    expansion: Factor = 3
    kernel_size: Factor = 7
    latent_channels: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    encoder_channels: Channels = 48
    encoder_layers: Layers = 2
    vector_channels: Channels = 96
    bank: Annotated[int, msgspec.Meta(ge=0, le=20000)] = 0

    @property
    def n_phones(self) -> int:
        return self.classes[0]


class Text(NamedTuple):
    """What is told of P tokens, and of the voice.

    Attributes:
        classes: (B, K, P) int64.
        numbers: (B, N, P) float.
        mask: (B, P) bool.
        level: (B,) ln Hz, the voice's median F0.
    """

    classes: Tensor
    numbers: Tensor
    mask: Tensor
    level: Tensor


class Said(NamedTuple):
    """What was measured of R phones and pauses of an utterance.

    Attributes:
        phones: (B, R) int64, 0 for pauses.
        mask: (B, R) bool.
        frames: (B, R) int64.
        log_f0, voiced, energy: (B, 4, R): relative to the utterance's own median; share of voiced frames; tens of dB.
    """

    phones: Tensor
    mask: Tensor
    frames: Tensor
    log_f0: Tensor
    voiced: Tensor
    energy: Tensor


class Posterior(NamedTuple):
    """Each (B, D)."""

    mean: Tensor
    log_variance: Tensor


class Encoder(nn.Module):
    """What was measured of an utterance -> the distribution of its vector."""

    middle: Tensor
    scale: Tensor

    def __init__(self, config: UtteranceConfig) -> None:
        super().__init__()
        channels = config.encoder_channels
        self.phones = nn.Embedding(config.n_phones, channels)
        self.measured = nn.Linear(MEASURED, channels)
        layer = {"block": "convnext", "channels": channels, "expansion": 2, "kernel_size": 5}
        self.stack = Stack([layer] * config.encoder_layers, name="utterance")
        self.posterior = nn.Linear(2 * channels + 2 * MEASURED, 2 * config.latent_channels)
        # Loud, and with little noise at first: what is drowned before it says anything is never listened to.
        nn.init.normal_(self.posterior.weight[: config.latent_channels, -2 * MEASURED :].detach(), std=0.2)
        nn.init.constant_(self.posterior.bias[config.latent_channels :].detach(), FIRST_LOG_VARIANCE)
        self.register_buffer("middle", torch.zeros(2 * MEASURED))
        self.register_buffer("scale", torch.ones(2 * MEASURED))

    def forward(self, said: Said) -> Posterior:
        hidden = self.measured(_rows(said).transpose(1, 2)) + self.phones(said.phones)  # (B, R, C)
        found = self.stack(Frames(hidden.transpose(1, 2), said.mask).zeroed()).values  # (B, C, R)
        whole = torch.cat([pooled(found, said.mask), (self.read_off(said) - self.middle) / self.scale], 1)
        mean, log_variance = self.posterior(whole).chunk(2, 1)
        return Posterior(mean.clamp(-CAN_BE, CAN_BE), log_variance.clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE))


    @staticmethod
    def read_off(said: Said) -> Tensor:
        """Means and deviations of what was measured, (B, 2 N): tempo and range are as good as read off."""
        return pooled(_rows(said), said.mask)


def _rows(said: Said) -> Tensor:
    durations = duration_rows(said.frames, said.log_f0)
    return torch.cat([durations, said.log_f0 * said.voiced, said.voiced, said.energy], 1)  # (B, N, R)


def pooled(values: Tensor, mask: Tensor) -> Tensor:
    """Mean and deviation over what the mask leaves, (B, C, R) -> (B, 2 C)."""
    weight = mask[:, None].to(values.dtype)
    count = weight.sum(2).clamp(min=1)
    mean = (values * weight).sum(2) / count  # (B, C)
    spread = (((values - mean[:, :, None]) ** 2 * weight).sum(2) / count + 1e-5).sqrt()
    return torch.cat([mean, spread], 1)


class Utterance(nn.Module):
    """How a text is said, by one vector an utterance that tempo, range and manner are known from.

    Source:
        Tyagi et al. 2020, Dynamic prosody generation, 2.1; Karlapati et al. 2021, Kathaka, stage 1. Differs from them
        in: the encoder is told measured durations and contours instead of a spectrogram, which have little of the voice
        in them; durations, F0, voicing and energy are predicted instead of a spectrogram, for a decoder that was
        trained without them; convolutions, no recurrent state.
    """

    def __init__(self, config: UtteranceConfig) -> None:
        super().__init__()
        self.config = config
        common = {
            "channels": config.channels, "layers": config.layers, "expansion": config.expansion,
            "kernel_size": config.kernel_size,
        }  # fmt: skip
        context = config.latent_channels + 1
        self.encoder = Encoder(config)
        self.timing_network = TokenPredictor(config.classes, config.numbers, context, 3, name="timing", **common)
        self.melody_network = TokenPredictor(
            config.classes, config.numbers + 2, context, 3 * POINTS, name="melody", **common
        )
        size, longest, nothing = config.bank, LONGEST_SENTENCE, torch.zeros
        self.register_buffer("bank_means", nothing(size, config.latent_channels))
        self.register_buffer("bank_log_variances", nothing(size, config.latent_channels))
        self.register_buffer("bank_distances", nothing(size, longest))
        self.register_buffer("bank_tags", nothing(size, longest))
        self.register_buffer("bank_words", nothing(size))
        self.register_buffer("bank_kinds", nothing(size))
        self.register_buffer("bank_vectors", nothing(size, config.vector_channels))

    def encode(self, said: Said) -> Posterior:
        """The posterior of an utterance."""
        return self.encoder(said)

    def timing(self, text: Text, latent: Tensor) -> Timing:
        """How long each token is; `latent` (B, D)."""
        found = self.timing_network(text.classes, text.numbers, text.mask, _context(text, latent))
        return Timing(*found.unbind(1))

    def melody(self, text: Text, latent: Tensor, frames: Tensor) -> Melody:
        """F0, voicing and energy of tokens of `frames` (B, P)."""
        numbers = torch.cat([text.numbers, duration_rows(frames, text.numbers)], 1)
        found = self.melody_network(text.classes, numbers, text.mask, _context(text, latent))
        return Melody(*found.chunk(3, 1))


def _context(text: Text, latent: Tensor) -> Tensor:
    return torch.cat([latent, (text.level[:, None] - LEVEL_MIDDLE) / LEVEL_SCALE], 1)  # (B, D + 1)
