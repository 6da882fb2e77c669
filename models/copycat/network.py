"""The acoustic model: phone encoder, reference encoder, parallel decoder."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.blocks import Frames, Stack
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import (
    N_POSITION,
    PhoneInputs,
    ProsodyInputs,
    frame_to_phone,
    pool_units,
    position_features,
    upsample,
)

MEL_FLOOR = -11.5  # ln magnitude; below it is the silence between recordings' noise floors, not speech


class Posterior(NamedTuple):
    """A diagonal Gaussian over the prosody embedding: mean and ln variance, (B, D, T'), and the mask (B, T')."""

    mean: Tensor
    log_variance: Tensor
    mask: Tensor

    def sample(self) -> Tensor:
        return self.mean + torch.randn_like(self.mean) * torch.exp(0.5 * self.log_variance)


class Decoded(NamedTuple):
    """What the decoder predicts: mel (B, M, T), normalised log F0 (B, T), voicing logit (B, T), the half-way mel."""

    mel: Tensor
    log_f0: Tensor
    voicing_logit: Tensor
    early_mel: Tensor


def scale_mel(mel: Tensor) -> Tensor:
    """Natural-log mel to about unit range."""
    return (mel.clamp(min=MEL_FLOOR) + 5.0) / 3.0


def speaker_statistics(mel: Tensor, mask: Tensor) -> Tensor:
    """The source-speaker vector: mean and deviation of each scaled band over the utterance, (B, 2M).

    It needs no table, so it exists for speakers never met before.
    """
    weight = mask[:, None].to(mel.dtype)
    count = weight.sum(-1).clamp(min=1)
    mean = (mel * weight).sum(-1) / count
    variance = ((mel - mean[..., None]) ** 2 * weight).sum(-1) / count
    return torch.cat([mean, torch.sqrt(variance + 1e-5)], 1)


class CopyCat(nn.Module):
    """Self-transfer model with a variational, temporally down-sampled reference encoder and explicit prosody beside it.

    Source:
        Karlapati et al. 2020, CopyCat. As there: the reference encoder reads mel, up-sampled phone encoding and a
        source-speaker vector, normalises per instance, is down-sampled in time and variational; the decoder is
        parallel and sees phones, prosody and the target speaker. Differs: no recurrent layers; speaker-normalised log
        F0, voicing and energy go in beside the latent; the source-speaker vector is measured on the mel and dropped
        half of the time, so unseen sources work.
    """

    def __init__(self, config: CopyCatConfig) -> None:
        super().__init__()
        self.config = config
        width, phone_width = config.channels, config.phone_channels
        self.phone_embedding = nn.Linear(config.n_phones, phone_width, bias=False)
        self.stress_embedding = nn.Embedding(4, phone_width)
        self.phone_encoder = Stack(
            [{"block": "convnext", "channels": phone_width, "kernel_size": 5} for _ in range(config.phone_layers)],
            name="phone_encoder",
        )
        self.source_speaker = nn.Linear(2 * config.mel.n_mels, config.source_channels)
        self.unknown_source = nn.Parameter(torch.zeros(config.source_channels))
        self.reference_encoder = Stack(self._reference_blocks(), name="reference_encoder")
        self.speaker_table = nn.Embedding(max(1, len(config.speakers)), config.speaker_channels)
        nn.init.normal_(self.speaker_table.weight, std=0.3)
        layer = {
            "block": "convnext",
            "channels": width,
            "expansion": config.expansion,
            "context_channels": config.speaker_channels,
        }
        inputs = phone_width + N_POSITION + 6 + 1 + config.latent_channels
        half = config.layers // 2
        first = {"block": "conv", "in_channels": inputs, "out_channels": width, "kernel_size": 5}
        self.decoder_early = Stack([first, *[layer] * half], name="decoder_early")
        self.decoder_late = Stack([layer] * (config.layers - half), name="decoder_late")
        self.early_head = nn.Linear(width, config.mel.n_mels)
        self.head = nn.Linear(width, config.mel.n_mels + 2)

    def _reference_blocks(self) -> list[dict[str, object]]:
        config = self.config
        blocks: list[dict[str, object]] = []
        channels = config.mel.n_mels + config.phone_channels
        for _ in range(config.reference_layers):
            blocks.append(
                {"block": "conv", "in_channels": channels, "out_channels": config.reference_channels, "kernel_size": 5}
            )
            channels = config.reference_channels
            norm = {
                "block": "instance_norm",
                "channels": channels,
                "context_channels": config.source_channels,
                "activation": False,
            }
            blocks.append(norm if config.instance_norm else {**norm, "over_time": False})
        if config.latent_unit == "frames":
            blocks.append({"block": "average_pool", "channels": channels, "factor": config.temporal_downsampling})
        blocks.append({"block": "pointwise", "in_channels": channels, "out_channels": 2 * config.latent_channels})
        return blocks

    def encode_phones(self, inputs: PhoneInputs) -> Tensor:
        """Phones in their context, (B, C, P)."""
        values = self.phone_embedding(inputs.phones) + self.stress_embedding(inputs.stress)
        return self.phone_encoder(Frames(values.transpose(1, 2), inputs.mask).zeroed()).values

    def units(self, inputs: PhoneInputs, n_frames: int) -> Tensor | None:
        """Which phone or word each frame belongs to, (B, T) long; None where embedding steps are so many frames.

        Raises:
            ModelError: The network has a step for each word, and the words are unknown.
        """
        if self.config.latent_unit == "frames":
            return None
        index = frame_to_phone(inputs.durations, n_frames)
        if self.config.latent_unit == "phone":
            return index
        if inputs.words is None:
            raise ModelError("this model needs to know the words of a recording", remedy="give a transcript")
        return inputs.words.gather(1, index)

    def encode_reference(
        self, mel: Tensor, mask: Tensor, phones_up: Tensor, known: Tensor, units: Tensor | None = None
    ) -> Posterior:
        """Encode a source mel into a prosody embedding, one step for every `latent_unit`.

        Args:
            mel: Log-mel of the source, (B, M, T), natural log.
            mask: True on real frames, (B, T). Frames outside it never change the result.
            phones_up: Phone encodings repeated by durations, (B, C, T).
            known: (B,) 1 to use the measured source-speaker vector, 0 for the vector that means "unknown".
            units: From `units`, or a crop of it.

        Returns:
            Posterior with (B, D, T'), T' = ceil(T / temporal_downsampling), or as many as there are units.
        """
        assert (units is None) == (self.config.latent_unit == "frames"), "units are those of `units`"
        values, steps = self.reference_frames(mel, mask, phones_up, known)
        if units is not None:  # the last layer is linear: pooling before or after it is the same
            values, steps = pool_units(values, mask, units - units[:, :1])
        mean, log_variance = values.chunk(2, 1)
        return Posterior(mean, log_variance.clamp(-8, 4), steps)

    def reference_frames(self, mel: Tensor, mask: Tensor, phones_up: Tensor, known: Tensor) -> Frames:
        """What the reference encoder's layers give, (B, 2D, T'), before frames are pooled to phones or words."""
        scaled = Frames(scale_mel(mel), mask).zeroed().values
        speaker = self.source_speaker(speaker_statistics(scaled, mask)) * known[:, None]
        speaker = speaker + self.unknown_source * (1 - known[:, None])
        frames = self.reference_encoder(Frames(torch.cat([scaled, phones_up], 1), mask).zeroed(), speaker)
        return Frames(frames.values.to(mel.dtype), frames.mask)  # full precision, also after half-precision layers

    def spread(self, latent: Tensor, n_frames: int, units: Tensor | None = None) -> Tensor:
        """Repeat the embedding's steps onto frames, (B, D, T') -> (B, D, T); `units` as for `encode_reference`."""
        if units is not None:
            return upsample(latent, (units - units[:, :1]).clamp(max=latent.shape[2] - 1))
        return latent.repeat_interleave(self.config.temporal_downsampling, -1)[..., :n_frames]

    def decode(
        self,
        phones_up: Tensor,
        position: Tensor,
        mask: Tensor,
        prosody: ProsodyInputs,
        latent: Tensor,
        speaker: Tensor,
        level: Tensor,
    ) -> Decoded:
        """Speak in the target voice.

        Args:
            phones_up, position: (B, C, T) and (B, 3, T), from `expand`.
            mask: (B, T).
            latent: (B, D, T) prosody embedding on frames, from `spread`; ignored where `prosody.keep[:, 2]` is 0.
            speaker: (B,) long, row of the speaker table; -1 for nobody, the mean of all rows.
            level: (B,) ln Hz, the target's median F0.
        """
        table = self.speaker_table.weight
        context = torch.where(speaker[:, None] < 0, table.mean(0), self.speaker_table(speaker.clamp(min=0)))
        values = self.decoder_inputs(phones_up, position, prosody, latent, level)
        early = self.decoder_early(Frames(values, mask).zeroed(), context)
        late = self.decoder_late(early, context)
        early_mel = self.early_head(early.values.transpose(1, 2)).transpose(1, 2).to(level.dtype)
        out = self.head(late.values.transpose(1, 2)).transpose(1, 2).to(level.dtype)  # (B, M + 2, T)
        return Decoded(3.0 * out[:, :-2] - 5.0, out[:, -2], out[:, -1], 3.0 * early_mel - 5.0)

    @staticmethod
    def decoder_inputs(
        phones_up: Tensor, position: Tensor, prosody: ProsodyInputs, latent: Tensor, level: Tensor
    ) -> Tensor:
        """All that the decoder's first layer reads, (B, C', T); the arguments are those of `decode`."""
        absolute = prosody.log_f0 * 0.25 + level[:, None] - 5.0
        absolute = (absolute * prosody.voiced * prosody.keep[:, :1])[:, None]
        latent = latent * prosody.keep[:, 2, None, None]
        return torch.cat([phones_up, position, prosody.channels(), absolute, latent], 1)

    def expand(self, inputs: PhoneInputs, n_frames: int) -> tuple[Tensor, Tensor]:
        """Phone encodings and positions on the frame axis: (B, C, T) and (B, 3, T)."""
        index = frame_to_phone(inputs.durations, n_frames)
        return upsample(self.encode_phones(inputs), index), position_features(inputs.durations, index)
