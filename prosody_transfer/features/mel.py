"""Natural-log mel-spectrograms with the settings of the public Vocos 24 kHz model, and energy read off them."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from prosody_transfer.core.config import MelConfig

if TYPE_CHECKING:
    from torch import Tensor

# One-sided power of a signal at -26 dBFS under a 1024-point Hann window: 10 log10(1024 * 384 / 2) - 26. Energy is
# stated relative to it, so that 0 dB is the speech level that `audio.loudness.normalise_level` brings every recording
# to.
REFERENCE_DB = 26.9
ENERGY_FLOOR_DB = -50.0


@functools.lru_cache(maxsize=4)
def mel_filterbank(config: MelConfig) -> np.ndarray:
    """Triangular filters, (M, n_fft // 2 + 1) float32: HTK mel scale from 0 Hz to Nyquist, peak 1, unnormalised.

    Equals `librosa.filters.mel(htk=True, norm=None)` (tested).
    """
    mel_top = 2595.0 * math.log10(1.0 + config.sample_rate / 2 / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(0.0, mel_top, config.n_mels + 2) / 2595.0) - 1.0)  # Hz, (M + 2,)
    bins = np.linspace(0.0, config.sample_rate / 2, config.n_fft // 2 + 1)
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(waveform: Tensor, config: MelConfig) -> Tensor:
    """Log-mel of a waveform.

    Args:
        waveform: (B, N), N a multiple of `hop_length` and more than `n_fft` / 2.

    Returns:
        (B, M, T), T = N / hop_length + 1, natural logarithm of magnitudes floored at `config.floor`.
    """
    import torch

    window = torch.hann_window(config.win_length, device=waveform.device, dtype=waveform.dtype)
    spectrum = torch.stft(
        waveform,
        config.n_fft,
        config.hop_length,
        config.win_length,
        window,
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )
    bank = torch.from_numpy(mel_filterbank(config)).to(waveform)
    return torch.log(torch.clamp(bank @ spectrum.abs(), min=config.floor))


def log_mel_array(waveform: np.ndarray, config: MelConfig) -> np.ndarray:
    """`log_mel` of one waveform without torch, the same to rounding: (N,) float32 -> (M, T) float32.

    The same to the bit with any number of threads (`band_sums`): worker processes have one, we have all.
    """
    return mel_of_frames(np.pad(waveform.astype(np.float32), config.n_fft // 2, mode="reflect"), config)


def mel_of_frames(padded: np.ndarray, config: MelConfig) -> np.ndarray:
    """(N,) float32, half a window more at either end than the frames' middles, -> (M, T) float32, all whole frames."""
    hop = config.hop_length
    window = np.zeros(config.n_fft, np.float32)
    start = (config.n_fft - config.win_length) // 2
    turn = 2 * np.pi * np.arange(config.win_length) / config.win_length
    window[start : start + config.win_length] = 0.5 - 0.5 * np.cos(turn)
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.n_fft)[::hop]
    spectrum = np.abs(np.fft.rfft(frames * window, axis=-1))
    return np.log(np.maximum(band_sums(spectrum, config), np.float32(config.floor)))


def band_sums(magnitude: np.ndarray, config: MelConfig) -> np.ndarray:
    """Magnitudes (T, n_fft // 2 + 1) float32 summed under the mel filters, (M, T) float32.

    The same to the bit with any number of threads, unlike a product by BLAS.
    """
    mel = np.empty((config.n_mels, len(magnitude)), np.float32)
    for band, row in zip(mel, mel_filterbank(config), strict=True):
        heard = slice(*(np.flatnonzero(row)[[0, -1]] + (0, 1))) if row.any() else slice(0)
        np.einsum("tf,f->t", magnitude[:, heard], row[heard], out=band)
    return mel


def energy_of_mel(mel: np.ndarray, config: MelConfig) -> np.ndarray:
    """`energy_from_mel` without torch: (..., M, T) float32 -> (..., T)."""
    power = (np.exp(2 * mel) / _areas(config)[:, None]).sum(-2)
    return np.maximum(10 * np.log10(np.maximum(power, np.float32(1e-12))) - np.float32(REFERENCE_DB), ENERGY_FLOOR_DB)


@functools.lru_cache(maxsize=4)
def _areas(config: MelConfig) -> np.ndarray:
    return np.maximum(mel_filterbank(config).sum(1), 0.5)


def energy_from_mel(mel: Tensor, config: MelConfig) -> Tensor:
    """Energy in dB relative to the normalised speech level, (..., M, T) -> (..., T), at least `ENERGY_FLOOR_DB`.

    Each band's mean magnitude is squared and weighted by the band's width, which approximates the broad-band power;
    read off the mel so that recorded and predicted spectra are measured alike.
    """
    import torch

    areas = torch.from_numpy(_areas(config)).to(mel)[:, None]
    power = (torch.exp(2 * mel) / areas).sum(-2)
    return (10.0 * torch.log10(power.clamp(min=1e-12)) - REFERENCE_DB).clamp(min=ENERGY_FLOOR_DB)
