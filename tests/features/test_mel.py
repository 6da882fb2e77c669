"""Mels against librosa, energy against what the signal's power is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.mel import ENERGY_FLOOR_DB, energy_from_mel, log_mel, mel_filterbank
from prosody_transfer.models.vocoder.mel_vocoder import htk_filterbank

CONFIGS = [
    MelConfig(),
    MelConfig(sample_rate=16000, n_fft=512, win_length=512, hop_length=128, n_mels=40),
    MelConfig(sample_rate=22050, n_fft=1024, win_length=800, hop_length=200, n_mels=80, floor=1e-5),
]
IDS = [f"{c.sample_rate} Hz" for c in CONFIGS]


def speech_like(seconds: float, sample_rate: int = 24000, f0: float = 140.0) -> np.ndarray:
    """Harmonics under a 1/f envelope with a little noise, at -26 dBFS."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    harmonics = sum(np.cos(2 * np.pi * f0 * k * t + k * k) / k for k in range(1, 25))
    signal = harmonics + 0.02 * np.random.default_rng(0).standard_normal(len(t))
    return (signal * 10 ** (-26 / 20) / np.sqrt(np.mean(signal**2))).astype(np.float32)


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_filterbank_equals_librosa(config):
    librosa_filters = pytest.importorskip("librosa.filters")
    theirs = librosa_filters.mel(sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels, htk=True, norm=None)
    ours = mel_filterbank(config)
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-5


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_networks_use_the_same_filters(config):
    assert np.abs(htk_filterbank(config).numpy() - mel_filterbank(config)).max() < 1e-6


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_log_mel_equals_librosa(config):
    librosa = pytest.importorskip("librosa")
    waveform = speech_like(0.5, config.sample_rate)
    waveform = waveform[: len(waveform) // config.hop_length * config.hop_length]
    theirs = librosa.feature.melspectrogram(
        y=waveform, sr=config.sample_rate, n_fft=config.n_fft, hop_length=config.hop_length,
        win_length=config.win_length, window="hann",
        center=True, pad_mode="reflect", power=1.0, n_mels=config.n_mels, htk=True, norm=None,
    )  # fmt: skip
    ours = log_mel(torch.from_numpy(waveform)[None], config)[0].numpy()
    assert ours.shape == theirs.shape == (config.n_mels, len(waveform) // config.hop_length + 1)
    assert np.abs(ours - np.log(np.maximum(theirs, config.floor))).max() < 2e-3


def test_silence_is_the_floor():
    mel = log_mel(torch.zeros(1, 4096), MelConfig(floor=1e-5))
    assert torch.allclose(mel, torch.full_like(mel, np.log(1e-5)))


def test_batch_rows_are_independent():
    both = torch.from_numpy(np.stack([speech_like(0.3)[:7168], speech_like(0.3, f0=210)[:7168]]))
    together = log_mel(both, MelConfig())
    for row in range(2):
        assert torch.allclose(together[row], log_mel(both[row : row + 1], MelConfig())[0], atol=1e-5)


def true_energy_db(waveform: np.ndarray, config: MelConfig) -> np.ndarray:
    """Mean square under the analysis window, in dB re -26 dBFS: energy by its definition."""
    weights = np.hanning(config.win_length + 1)[:-1] ** 2
    padded = np.pad(waveform.astype(np.float64) ** 2, config.n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.win_length)[:: config.hop_length]
    return 10 * np.log10(frames @ weights / weights.sum()) + 26


@pytest.mark.parametrize("kind", ["noise", "harmonics"])
def test_energy_follows_the_true_power(kind):
    config = MelConfig()
    size = 256 * 187
    if kind == "noise":
        carrier = 10 ** (-26 / 20) * np.random.default_rng(1).standard_normal(size)
    else:
        carrier = speech_like(2.0)[:size].astype(np.float64)
    swing_db = 15 * np.sin(2 * np.pi * 2 * np.arange(size) / 24000) - 5  # syllables: 2 Hz, +10 to -20 dB
    waveform = (carrier * 10 ** (swing_db / 20)).astype(np.float32)
    measured = energy_from_mel(log_mel(torch.from_numpy(waveform)[None], config), config)[0].numpy()
    true = true_energy_db(waveform, config)
    inside = slice(4, -4)
    assert np.corrcoef(measured[inside], true[inside])[0, 1] > 0.99
    error = measured[inside] - true[inside]
    assert np.std(error) < 1.0
    # Bands' mean magnitudes squared: white noise reads Rayleigh's 1 dB low, speech at -26 dBFS a little above or below
    # 0.
    assert abs(np.mean(error)) < 3.0


def test_energy_of_a_gain_is_the_gain():
    config = MelConfig()
    waveform = torch.from_numpy(speech_like(0.5)[:11776])[None]
    loud, soft = (energy_from_mel(log_mel(waveform * g, config), config) for g in (1.0, 0.1))
    assert (loud - soft)[..., 4:-4].sub(20).abs().max() < 0.1


def test_energy_has_a_floor():
    mel = torch.full((1, 100, 5), np.log(1e-7))
    assert torch.equal(energy_from_mel(mel, MelConfig()), torch.full((1, 5), ENERGY_FLOOR_DB))
