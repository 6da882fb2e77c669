"""Losses that know nothing of a particular model. Under torchrun each is that of the whole batch, in every process."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from prosody_transfer.training.distributed import shared_mean, shared_norm, total


def multi_resolution_stft(output: Tensor, target: Tensor, sizes: tuple[int, ...] = (2048, 1024, 512, 256)) -> Tensor:
    """Spectral convergence and log-magnitude L1, averaged over resolutions; waveforms (B, N).

    Source: Yamamoto et al. 2020, Parallel WaveGAN, section 2.2; hop is a quarter of the window.
    """
    loss = output.new_zeros(())
    for size in sizes:
        window = torch.hann_window(size, device=output.device)
        both = (
            torch.stft(torch.cat([output, target]), size, size // 4, size, window, return_complex=True)
            .abs()
            .clamp(min=1e-5)
        )
        got, wanted = both.chunk(2)
        convergence = shared_norm(wanted - got) / shared_norm(wanted).clamp(min=1e-3)
        loss = loss + convergence + shared_mean(F.l1_loss(got.log(), wanted.log()), wanted.numel())
    return loss / len(sizes)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B, C, T) or (B, T) over the frames where mask (B, T) is True."""
    weight = (mask[:, None] if values.dim() == 3 else mask).to(values.dtype).expand_as(values)
    return total((values * weight).sum()) / total(weight.sum()).clamp(min=1)


def mel_l1(output: Tensor, target: Tensor, mask: Tensor, delta: float = 0.3) -> Tensor:
    """L1 of mels (B, M, T) and, weighted by `delta`, of their differences over time and over bands."""
    loss = masked_mean((output - target).abs(), mask)
    over_time = (output.diff(dim=-1) - target.diff(dim=-1)).abs()
    over_bands = (output.diff(dim=1) - target.diff(dim=1)).abs()
    return loss + delta * (masked_mean(over_time, mask[:, 1:] & mask[:, :-1]) + masked_mean(over_bands, mask))


def capacity_kl(mean: Tensor, log_variance: Tensor, mask: Tensor, target_nats: float) -> tuple[Tensor, Tensor]:
    """|KL - target| and KL, nats per latent step against N(0, I); tensors (B, D, T'), mask (B, T').

    Holding the rate at a target keeps the latent neither dead nor wide open (Burgess et al. 2018).
    """
    kl = masked_mean(0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1), mask)
    return (kl - target_nats).abs(), kl
