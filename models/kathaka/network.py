"""The utterance's networks, and a sampler: words in their context and their parse to a distribution of its vector."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prosody_transfer.core.config import Channels, Classes
from prosody_transfer.models.utterance.network import (
    CAN_BE,
    LEAST_LOG_VARIANCE,
    MOST_LOG_VARIANCE,
    Posterior,
    Utterance,
    UtteranceConfig,
)


class KathakaConfig(UtteranceConfig):
    """Settings: those of the utterance's networks, and of the sampler.

    `tags`: classes of tags, see `selection.described`; `rounds`: of messages along the arcs of the parse; `dropout`: of
    a word's numbers, in training.
    """

    tags: Classes = 18
    sampler_channels: Channels = 48
    rounds: Annotated[int, msgspec.Meta(ge=0, le=16)] = 3
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.3


class Words(NamedTuple):
    """What the sampler is told.

    Attributes:
        vectors: (B, V, W), each word in its context.
        tags: (B, W) int64.
        arcs: (B, W, W), rows of weights by which means over a word and its neighbours are taken.
        mask: (B, W) bool.
    """

    vectors: Tensor
    tags: Tensor
    arcs: Tensor
    mask: Tensor


class Sampler(nn.Module):
    """Words -> the distribution of the utterance's vector.

    Source:
        Karlapati et al. 2021, Prosodic representation learning and contextual sampling, 2.2: message passing over the
        parse, beside contextual vectors. Differs from it in: arcs of a dependency parse; means over neighbours, as in
        Hamilton et al. 2017, GraphSAGE; vectors of spaCy's tagger instead of BERT's.
    """

    def __init__(self, config: KathakaConfig) -> None:
        super().__init__()
        channels = config.sampler_channels
        self.vectors = nn.Linear(config.vector_channels, channels)
        self.tags = nn.Embedding(config.tags, channels)
        self.own = nn.ModuleList(nn.Linear(channels, channels) for _ in range(config.rounds))
        self.near = nn.ModuleList(nn.Linear(channels, channels) for _ in range(config.rounds))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(config.rounds))
        self.weight = nn.Linear(channels, 1)
        self.posterior = nn.Linear(2 * channels + 1, 2 * config.latent_channels)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, words: Words) -> Posterior:
        mask = words.mask[:, :, None].to(words.vectors.dtype)  # (B, W, 1)
        context = self.dropout(words.vectors).transpose(1, 2)  # (B, W, V)
        hidden = (self.vectors(context) + self.tags(words.tags)) * mask  # (B, W, C)
        arcs = words.arcs * mask * mask.transpose(1, 2)  # (B, W, W)
        for own, near, norm in zip(self.own, self.near, self.norms, strict=True):
            heard = torch.bmm(arcs, hidden)  # (B, W, C)
            hidden = (hidden + F.gelu(own(norm(hidden)) + near(heard))) * mask
        weight = torch.softmax(self.weight(hidden).masked_fill(mask == 0, -1e4), 1) * mask
        count = mask.sum(1)  # (B, 1)
        mean = hidden.sum(1) / count.clamp(min=1)
        found = self.dropout(torch.cat([(hidden * weight).sum(1), mean], 1))
        whole = torch.cat([found, torch.log1p(count) / 3], 1)
        mean, log_variance = self.posterior(whole).chunk(2, 1)
        return Posterior(mean.clamp(-CAN_BE, CAN_BE), log_variance.clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE))


class Kathaka(Utterance):
    """Prosody of a text from the distribution of an utterance's vector that its words and parse predict.

    Source:
        Karlapati et al. 2021; see `Utterance` for stage 1 and `Sampler` for stage 2.
    """

    def __init__(self, config: KathakaConfig) -> None:
        super().__init__(config)
        self.sampler = Sampler(config)

    def predict(self, words: Words) -> Posterior:
        """What the words predict."""
        return self.sampler(words)
