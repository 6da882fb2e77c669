"""Samples as overlapping windows around frame centres, and back: what both sound-making blocks do.

Frame t is centred on sample t * hop and owns the samples from there up to the next centre.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def spectra(signal: Tensor, window: Tensor, hop_length: int, size: int) -> Tensor:
    """(B, N) -> (B, T, bins): windowed spectra around the first `size` frame centres, zeros beyond the ends."""
    n_fft = len(window)
    padded = F.pad(signal, (n_fft // 2, n_fft // 2))
    frames = padded.unfold(-1, n_fft, hop_length)[:, :size]
    return torch.fft.rfft(frames * window.to(signal.dtype), dim=-1)


def overlap_add(values: Tensor, mask: Tensor, window: Tensor, hop_length: int) -> Tensor:
    """(B, T, bins) -> (B, T * hop), divided by the sum of the squared windows of the real frames, mask (B, T)."""
    n_fft = len(window)
    window = window.to(values.real.dtype)
    real = mask[..., None].to(window.dtype)
    frames = torch.fft.irfft(values, n=n_fft, dim=-1) * window * real
    weights = (window**2).expand_as(frames) * real
    size = (frames.shape[1] - 1) * hop_length + n_fft
    stacked = torch.cat([frames, weights]).transpose(1, 2)  # (2B, n_fft, T)
    summed = F.fold(stacked, (1, size), (1, n_fft), stride=(1, hop_length))[:, 0, 0]
    summed = summed[:, n_fft // 2 : n_fft // 2 + frames.shape[1] * hop_length]
    signal, weight = summed.chunk(2)
    return signal / weight.clamp(min=1e-3)
