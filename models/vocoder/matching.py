"""The vocoder's last stage: bring the spectrum of what was made to the mel that was asked for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from prosody_transfer.core.config import MelConfig, load_config
from prosody_transfer.models.blocks import Frames, StreamingBlock, register
from prosody_transfer.models.blocks.basic import empty_memory, push
from prosody_transfer.models.vocoder.mel_vocoder import htk_filterbank
from prosody_transfer.models.vocoder.overlap import overlap_add, spectra

LIMIT = 3.0  # nats (26 dB) of correction a frame and band
FLOOR = 1e-7  # of magnitudes in a band


@register("mel_matching")
class MelMatching(StreamingBlock):
    """Waveform and mel -> the waveform with each band of each frame scaled to the mel's magnitude, a few times over.

    The source-filter head makes noise at random and can't know the level that it happens to have in a given band and
    frame; measured, it is 2 to 3 dB off, and speaker encoders hear that. The windows overlap, so one pass corrects most
    of it and later ones the rest. It has no weights, and gradients pass through it.

    Input channels: the `hop_length` samples that a frame owns, then M natural-log mels. Output: (B, 1, T * hop_length).

    Args:
        config: The mel's settings.
        iterations: Passes.

    Source: ours; a Griffin-Lim iteration (1984) that keeps the phase and the fine structure inside a band.
    """

    def __init__(self, config: MelConfig | dict[str, Any] | None = None, iterations: int = 1) -> None:
        super().__init__()
        if not isinstance(config, MelConfig):
            config = load_config(MelConfig, config or {}, "mel_matching")
        bank = htk_filterbank(config)
        self.hop_length, self.iterations = config.hop_length, iterations
        self.in_channels, self.out_channels = config.hop_length + config.n_mels, 1
        self.ratio = Fraction(config.hop_length)
        side = config.n_fft // 2 // config.hop_length
        self.latency = iterations * 2 * side  # every pass looks that far and adds that far
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("bank", bank, persistent=False)
        self.register_buffer("spread", bank / bank.sum(0).clamp(min=1e-6), persistent=False)
        self.window: Tensor
        self.bank: Tensor
        self.spread: Tensor

    def _once(self, signal: Tensor, mel: Tensor, mask: Tensor) -> Tensor:
        """One pass over (B, T * hop) samples; mel (B, T, M)."""
        values = spectra(signal, self.window, self.hop_length, mask.shape[1])
        magnitude = torch.sqrt(values.real**2 + values.imag**2 + 1e-14)  # its gradient is finite at 0
        got = (magnitude @ self.bank.to(magnitude).T).clamp(min=FLOOR).log()
        gain = ((mel - got).clamp(-LIMIT, LIMIT) @ self.spread.to(magnitude)).exp()
        matched = overlap_add(values * gain, mask, self.window, self.hop_length)
        return matched * mask.repeat_interleave(self.hop_length, -1)

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        hop, (values, mask) = self.hop_length, frames
        signal = values[:, :hop].transpose(1, 2).flatten(1)
        mel = values[:, hop:].transpose(1, 2)
        with torch.autocast(values.device.type, enabled=False):
            for _ in range(self.iterations):
                signal = self._once(signal, mel, mask)
        return Frames(signal[:, None], mask.repeat_interleave(hop, -1))

    def initial_state(self, batch: int) -> Any:
        return empty_memory(batch, self.in_channels, 2 * self.latency)

    def step(self, frames: Frames, state: Any, context: Tensor | None = None) -> tuple[Frames, Any]:
        count, hop = frames.mask.shape[-1], self.hop_length
        window, state = push(state, frames)
        audio = self(window)
        done = slice(self.latency * hop, (self.latency + count) * hop)
        return Frames(audio.values[..., done], audio.mask[:, done]), state
