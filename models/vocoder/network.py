"""The shipped vocoder: mel, voicing and log F0 -> waveform."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

import msgspec
import torch
from torch import Tensor, nn

from prosody_transfer.core.config import Channels, Config, Factor, Layers, MelConfig
from prosody_transfer.models.blocks import Frames, Stack, StreamingBlock, register
from prosody_transfer.models.blocks.basic import empty_memory, push
from prosody_transfer.models.vocoder.matching import MelMatching
from prosody_transfer.models.vocoder.source_filter import SourceFilter


class VocoderConfig(Config):
    """Settings of the source-filter vocoder; saved inside its checkpoint. `matching`: passes of `MelMatching`."""

    mel: MelConfig = MelConfig()
    channels: Channels = 256
    layers: Layers = 6
    expansion: Factor = 3
    matching: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0


@register("vocoder")
class Vocoder(StreamingBlock):
    """A universal (speaker-independent) vocoder: ConvNeXt layers steer a harmonic and a noise filter.

    Input channels: `n_mels` natural-log mels, voicing (0 or 1), log F0 (ln Hz, continuous through unvoiced stretches).
    Output: (B, 1, T * hop_length).

    Source: the source-filter idea of Wang et al. 2019 (NSF) with the iSTFT head of Vocos (Siuzdak 2023); differs from
    both in that the filters act on a band-limited pulse train in the frequency domain, so that pitch is exact by
    construction.
    """

    def __init__(self, config: VocoderConfig | dict[str, Any] | None = None) -> None:
        super().__init__()
        from prosody_transfer.core.config import load_config

        if not isinstance(config, VocoderConfig):
            config = load_config(VocoderConfig, config or {}, "vocoder")
        self.config = config
        mel, width = config.mel, config.channels
        self.in_channels, self.out_channels = mel.n_mels + 2, 1
        self.head = SourceFilter(mel.sample_rate, mel.n_fft, mel.hop_length)
        self.ratio = Fraction(mel.hop_length)
        layers = [{"block": "convnext", "channels": width, "expansion": config.expansion} for _ in range(config.layers)]
        self.backbone = Stack(
            [
                {"block": "conv", "in_channels": self.in_channels, "out_channels": width, "kernel_size": 7},
                *layers,
                {"block": "pointwise", "in_channels": width, "out_channels": 3 * self.head.bins},
            ],
            name="vocoder",
        )
        self.matching = MelMatching(mel, config.matching)
        self.latency = self.backbone.latency + self.head.latency + self.matching.latency
        last = self.backbone.blocks[-1].linear
        assert isinstance(last, nn.Linear)
        with torch.no_grad():  # start near a quiet, flat, minimum-phase filter: training is stable from the first step
            last.weight.mul_(0.3)
            last.bias.zero_()

    @staticmethod
    def scaled(values: Tensor) -> Tensor:
        """Bring mels and log F0 to about unit range."""
        return torch.cat(
            [(values[:, :-2].clamp(min=-11.5) + 5.0) / 4.0, values[:, -2:-1], (values[:, -1:] - 5.0) * 2.0], 1
        )

    def filters(self, hidden: Frames, log_f0: Tensor) -> Frames:
        """What `SourceFilter` reads, (B, 3 * bins + 1, T), from the last layer's frames and log F0 (B, 1, T)."""
        # Filters are made in full precision, also where the layers before run in half of it.
        harmonic, turn, breath = hidden.values.to(log_f0.dtype).chunk(3, dim=1)
        # The offsets: speech at -26 dBFS needs about these gains, so the network only learns departures from them.
        limited = [(harmonic - 3.0).clamp(-12, 4), turn, (breath - 5.0).clamp(-14, 3)]
        return Frames(torch.cat([*limited, log_f0], 1), hidden.mask).zeroed()

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        hidden = self.backbone(Frames(self.scaled(frames.values), frames.mask).zeroed())
        audio = self.head(self.filters(hidden, frames.values[:, -1:]))
        return self.matching(self._beside(audio, frames)) if self.matching.iterations else audio

    def _beside(self, audio: Frames, frames: Frames) -> Frames:
        """The samples that each frame owns, and its mel: (B, hop + M, T)."""
        samples = audio.values[:, 0].unflatten(-1, (-1, self.config.mel.hop_length)).transpose(1, 2)
        return Frames(torch.cat([samples, frames.values[:, :-2]], 1), frames.mask)

    def initial_state(self, batch: int) -> Any:
        delay = self.backbone.latency
        mels = empty_memory(batch, self.in_channels, delay + self.head.latency) if self.matching.iterations else ()
        return (
            self.backbone.initial_state(batch),
            empty_memory(batch, 1, delay),
            self.head.initial_state(batch, -delay),
            mels,
            self.matching.initial_state(batch),
        )

    def step(self, frames: Frames, state: Any, context: Tensor | None = None) -> tuple[Frames, Any]:
        inner, memory, sound, mels, matched = state
        count = frames.mask.shape[-1]
        hidden, inner = self.backbone.step(Frames(self.scaled(frames.values), frames.mask).zeroed(), inner)
        delayed, memory = push(memory, Frames(frames.values[:, -1:], frames.mask))
        audio, sound = self.head.step(self.filters(hidden, delayed.values[..., :count]), sound)
        if self.matching.iterations:
            window, mels = push(mels, frames)
            asked = Frames(window.values[..., :count], window.mask[:, :count])
            audio, matched = self.matching.step(self._beside(audio, asked), matched)
        return audio, (inner, memory, sound, mels, matched)
