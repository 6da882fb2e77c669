"""The pitch tracker's input and network: what a tone looks like, and that chunks leave no trace."""

from __future__ import annotations

import numpy as np
import torch

from prosody_transfer.models.tracker.network import Tracker, TrackerConfig
from prosody_transfer.models.tracker.spectrum import SpectrumConfig, spectrum

CONFIG = SpectrumConfig()


def tone(f0_hz: float, harmonics: range, seconds: float = 1.0) -> np.ndarray:
    at = np.arange(int(seconds * CONFIG.sample_rate)) / CONFIG.sample_rate
    return (0.05 * sum(np.sin(2 * np.pi * k * f0_hz * at + k) for k in harmonics)).astype(np.float32)


def test_harmonics_lie_where_the_shifts_say():
    seen = spectrum(tone(150.0, range(1, 9)), CONFIG, 90)[:, 45]
    candidate = round(CONFIG.bins_per_octave * np.log2(150.0 / CONFIG.lowest_hz))
    stacked = np.array([seen[shift : shift + CONFIG.pitches] for shift in CONFIG.shifts[1:9]])
    assert abs(int(stacked.mean(0).argmax()) - candidate) <= 1
    assert CONFIG.shifts[:3] == (0, 60, 120) and len(CONFIG.shifts) == CONFIG.harmonics + 1
    assert CONFIG.candidates_hz()[-1] > 700


def test_correlation_knows_the_period_without_a_fundamental():
    seen = spectrum(tone(120.0, range(4, 20)), CONFIG, 90)[CONFIG.bins :, 45]
    high = CONFIG.candidates_hz() > 80  # below lie multiples of the period, as good as itself
    best = CONFIG.candidates_hz()[high][seen[high].argmax()]
    assert abs(1200 * np.log2(best / 120.0)) < 25


def test_silence_and_very_short_signals_have_a_spectrum():
    for size in (0, 1, 500):
        seen = spectrum(np.zeros(size, np.float32), CONFIG, 5)
        assert seen.shape == (CONFIG.channels, 5) and np.isfinite(seen).all()


def test_chunks_leave_no_trace():
    torch.manual_seed(0)
    network = Tracker(TrackerConfig(channels=16, layers=2, harmonic_channels=4)).eval()
    sound = np.random.default_rng(1).standard_normal(20000).astype(np.float32) * 0.05
    whole, parts = network.listen(sound, 157, 2048), network.listen(sound, 157, 32)
    assert whole.shape == (CONFIG.pitches + 3, 157)
    assert np.abs(whole - parts).max() < 1e-4


def test_the_look_ahead_is_as_stated():
    """20 frames of the mel's, 213 ms, beside half of the spectrum's window."""
    assert Tracker(TrackerConfig()).stack.latency == 20
