"""Power mel-spectrograms as librosa makes them by default, for networks that were trained on those."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

_LINEAR_HZ = 200.0 / 3.0  # a mel below 1 kHz
_KNEE_HZ, _STEP = 1000.0, np.log(6.4) / 27.0  # from there on each mel is this much higher


def _to_mel(hz: float) -> float:
    return hz / _LINEAR_HZ if hz < _KNEE_HZ else _KNEE_HZ / _LINEAR_HZ + float(np.log(hz / _KNEE_HZ)) / _STEP


def _to_hz(mel: np.ndarray) -> np.ndarray:
    knee = _KNEE_HZ / _LINEAR_HZ
    return np.where(mel < knee, mel * _LINEAR_HZ, _KNEE_HZ * np.exp(_STEP * (np.maximum(mel, knee) - knee)))


@functools.lru_cache(maxsize=4)
def slaney_filterbank(sample_rate: int, n_fft: int, n_mels: int) -> np.ndarray:
    """Triangular filters of equal area, (M, n_fft // 2 + 1) float32, on Slaney's mel scale from 0 Hz to Nyquist.

    Equals `librosa.filters.mel(norm="slaney", htk=False)` (tested).
    """
    edges = _to_hz(np.linspace(0.0, _to_mel(sample_rate / 2), n_mels + 2))  # Hz, (M + 2,)
    bins = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    areas = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * areas[:, None]).astype(np.float32)


def power_mel_array(waveform: np.ndarray, sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> np.ndarray:
    """`power_mel` without torch, the same to rounding: (N,) float32 -> (M, T) float32."""
    turn = 2 * np.pi * np.arange(n_fft) / n_fft
    window = (0.5 - 0.5 * np.cos(turn)).astype(np.float32)
    padded = np.pad(waveform.astype(np.float32), n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]
    power = np.square(np.abs(np.fft.rfft(frames * window, axis=-1)))
    return (power @ slaney_filterbank(sample_rate, n_fft, n_mels).T).T  # type: ignore[no-any-return]


def power_mel(waveform: Tensor, sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> Tensor:
    """Mel-spectrogram of the power, no logarithm: (N,) -> (M, T), T = 1 + N // hop_length, zeros beyond both ends.

    Equals `librosa.feature.melspectrogram` (tested).
    """
    import torch

    window = torch.hann_window(n_fft, device=waveform.device, dtype=waveform.dtype)
    spectrum = torch.stft(
        waveform, n_fft, hop_length, n_fft, window, center=True, pad_mode="constant", return_complex=True
    )
    bank = torch.from_numpy(slaney_filterbank(sample_rate, n_fft, n_mels)).to(waveform)
    return bank @ spectrum.abs().square()
