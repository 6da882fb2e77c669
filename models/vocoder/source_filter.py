"""The part of the vocoder that makes sound: pulses and noise, filtered frame by frame, overlapped and added.

Every function here works on (B, T) frames of `hop_length` samples, as in `overlap`.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from prosody_transfer.models.blocks import Frames, StreamingBlock, register
from prosody_transfer.models.vocoder.overlap import overlap_add, spectra

NOISE_SAMPLES = 1 << 18  # a fixed table (11 s at 24 kHz): the same input always gives the same output, streamed or not


def sample_f0(log_f0: Tensor, mask: Tensor, hop_length: int) -> Tensor:
    """F0 in Hz on every sample, (B, T) -> (B, T, hop): straight lines between frame centres, held after the last."""
    f0 = log_f0.exp()
    following = torch.cat([f0[:, 1:], f0[:, -1:]], 1)
    following_real = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)
    following = torch.where(following_real, following, f0)
    slope = torch.arange(hop_length, device=f0.device, dtype=f0.dtype) / hop_length
    return f0[..., None] + (following - f0)[..., None] * slope


def advance(f0: Tensor, mask: Tensor, start: Tensor, sample_rate: int) -> tuple[Tensor, Tensor]:
    """Phase in cycles, in [-0.5, 0.5), on every sample.

    Args:
        f0: (B, T, hop) Hz.
        mask: (B, T); the phase stands still outside it.
        start: (B,) float64, cycles, at the first sample.

    Returns:
        (B, T, hop) phase, and (B, T + 1) float64: the phase at every frame's start, and after the last.
    """
    steps = f0.double() / sample_rate * mask[..., None]
    per_frame = torch.cumsum(steps, -1)
    at_start = torch.cat([start[:, None], start[:, None] + torch.cumsum(per_frame[..., -1], 1)], 1)
    phase = at_start[:, :-1, None] + per_frame - steps
    return (phase - torch.floor(phase + 0.5)).to(f0.dtype), at_start - torch.floor(at_start)


def pulse_train(phase: Tensor, f0: Tensor, limit_hz: float) -> Tensor:
    """A band-limited pulse train of unit power: all harmonics of F0 below `limit_hz`, equally strong, in closed form.

    The sum of cosines is Dirichlet's kernel; the highest harmonic fades in and out so that a gliding F0 makes no
    clicks.
    """
    count = limit_hz / f0.clamp(min=20.0)
    whole = count.floor()
    denominator = torch.sin(math.pi * phase)
    near = denominator.abs() < 1e-4
    kernel = torch.sin(math.pi * (2 * whole + 1) * phase) / torch.where(near, torch.ones_like(phase), denominator)
    kernel = torch.where(near, 2 * whole + 1, kernel)
    fading = 2 * (count - whole) * torch.cos(2 * math.pi * (whole + 1) * phase)
    return (kernel + fading) / torch.sqrt(2 * count + 1)


def minimum_phase(log_magnitude: Tensor) -> Tensor:
    """The phase (radians) of the minimum-phase filter with this log magnitude (..., n_fft/2 + 1), by the cepstrum."""
    n_fft = 2 * (log_magnitude.shape[-1] - 1)
    cepstrum = torch.fft.irfft(log_magnitude.to(torch.complex64), n=n_fft, dim=-1)
    fold = torch.zeros(n_fft, device=cepstrum.device)
    fold[1 : n_fft // 2] = 1.0
    fold[n_fft // 2 + 1 :] = -1.0
    # The odd part of the folded cepstrum transforms into i times the phase.
    return torch.fft.rfft(cepstrum * fold, dim=-1).imag


@register("source_filter")
class SourceFilter(StreamingBlock):
    """Filter parameters and F0 -> waveform.

    Input channels: `n_fft/2 + 1` log magnitudes of the harmonic filter, as many phases (radians, added to the minimum
    phase), as many log magnitudes of the noise filter, and log F0 last. Output: (B, 1, T * hop_length).
    """

    def __init__(self, sample_rate: int = 24000, n_fft: int = 1024, hop_length: int = 256) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.bins = n_fft // 2 + 1
        self.in_channels, self.out_channels = 3 * self.bins + 1, 1
        from fractions import Fraction

        self.ratio = Fraction(hop_length)
        self.side = n_fft // 2 // hop_length  # frames that a window reaches to either side
        # Overlap-add, the excitation under the last window, and one frame to glide F0 to.
        self.latency = 2 * self.side + 1
        self.history = 2 * self.side + 1
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        generator = torch.Generator().manual_seed(20200504)
        noise = torch.randn(NOISE_SAMPLES, generator=generator, device="cpu")  # also where only shapes are wanted
        self.register_buffer("noise", noise, persistent=False)
        self.window: Tensor
        self.noise: Tensor

    def excitation(
        self, log_f0: Tensor, mask: Tensor, phase: Tensor, first_frame: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Pulses and noise, (B, T * hop) each, zero outside the mask, and the phases at frame starts (B, T + 1)."""
        f0 = sample_f0(log_f0, mask, self.hop_length)  # (B, T, hop)
        cycles, starts = advance(f0, mask, phase, self.sample_rate)
        real = mask[..., None].to(f0.dtype)
        pulses = pulse_train(cycles, f0, 0.46 * self.sample_rate) * real
        index = first_frame[:, None] * self.hop_length + torch.arange(f0.shape[1] * self.hop_length, device=f0.device)
        noise = self.noise.to(f0.dtype)[index % NOISE_SAMPLES].view_as(f0) * real
        return pulses.flatten(1), noise.flatten(1), starts

    def render(self, frames: Frames, phase: Tensor, first_frame: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T * hop) samples for these frames, and the phases (B, T + 1) at their starts."""
        values, mask = frames
        size = values.shape[-1]
        pulses, noise, starts = self.excitation(values[:, -1], mask, phase, first_frame)
        harmonic, turn, breath = values[:, :-1].transpose(1, 2).chunk(3, dim=-1)  # (B, T, bins) each
        angle = turn + minimum_phase(harmonic)
        magnitude = torch.exp(harmonic)
        voice = torch.complex(magnitude * torch.cos(angle), magnitude * torch.sin(angle))
        window, hop = self.window, self.hop_length
        filtered = spectra(pulses, window, hop, size) * voice + spectra(noise, window, hop, size) * torch.exp(breath)
        audio = overlap_add(filtered, mask, window, hop)
        return audio * mask.repeat_interleave(self.hop_length, -1), starts

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        batch = frames.values.shape[0]
        device = frames.values.device
        phase = torch.zeros(batch, dtype=torch.float64, device=device)
        audio, _ = self.render(frames, phase, torch.zeros(batch, dtype=torch.long, device=device))
        return Frames(audio[:, None], frames.mask.repeat_interleave(self.hop_length, -1))

    def initial_state(self, batch: int, first_frame: int = 0) -> Any:
        """`first_frame`: how many masked frames an earlier block puts before the first real one, negative."""
        memory = self.latency + self.history
        values = torch.zeros(batch, self.in_channels, memory)
        mask = torch.zeros(batch, memory, dtype=torch.bool)
        start = torch.full((batch,), first_frame - memory, dtype=torch.long)
        return values, mask, torch.zeros(batch, dtype=torch.float64), start

    def step(self, frames: Frames, state: Any, context: Tensor | None = None) -> tuple[Frames, Any]:
        device = frames.values.device
        values, mask, phase, start = (part.to(device) for part in state)
        count = frames.mask.shape[-1]
        window = Frames(torch.cat([values.to(frames.values), frames.values], -1), torch.cat([mask, frames.mask], -1))
        audio, starts = self.render(window, phase, start)
        done = slice(self.history * self.hop_length, (self.history + count) * self.hop_length)
        out_mask = window.mask[:, self.history : self.history + count].repeat_interleave(self.hop_length, -1)
        state = window.values[..., count:], window.mask[:, count:], starts[:, count], start + count
        return Frames(audio[:, None, done] * out_mask[:, None], out_mask), state
