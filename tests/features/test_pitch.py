"""F0 on signals whose F0 is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from prosody_transfer.features.pitch import DEFAULT_F0_HZ, continuous_log_f0, track_f0

RATE, HOP = 24000, 256


def harmonic(f0: np.ndarray, sounding: np.ndarray | None = None, noise: float = 0.003) -> np.ndarray:
    """A vowel-like tone with this F0 on every sample, harmonics up to 4 kHz, silent where `sounding` is False."""
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    tone = sum(np.where(k * f0 < 4000, np.sin(k * phase), 0) / k for k in range(1, 40))
    gate = 1.0 if sounding is None else np.convolve(sounding, np.hanning(240) / np.hanning(240).sum(), "same")
    return 0.1 * tone * gate + noise * np.random.default_rng(0).standard_normal(len(f0))


def cents(log_f0: np.ndarray, f0: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    true = np.log(f0[np.minimum(np.arange(len(log_f0)) * HOP, len(f0) - 1)])
    return 1200 / math.log(2) * (log_f0 - true)[voiced]


@pytest.mark.parametrize(("low", "high"), [(80, 130), (110, 180), (170, 300), (250, 420)])
def test_glides(low, high):
    size = HOP * 187
    f0 = low * (high / low) ** (0.5 - 0.5 * np.cos(2 * np.pi * 1.5 * np.arange(size) / RATE))
    log_f0, voiced = track_f0(harmonic(f0), RATE, HOP, 188)
    assert log_f0.shape == voiced.shape == (188,) and log_f0.dtype == np.float32 and voiced.dtype == bool
    assert voiced.mean() > 0.9
    error = cents(log_f0, f0, voiced)
    assert abs(np.median(error)) < 5 and np.median(np.abs(error)) < 20
    assert np.percentile(np.abs(error), 95) < 60


def test_frames_are_centred_on_their_samples():
    """A linear glide, tracked late or early by a frame, would be off by 18 cents all along."""
    size = HOP * 94
    f0 = 120 * 2 ** (np.arange(size) / RATE)  # one octave a second: 12.8 cents a frame
    log_f0, voiced = track_f0(harmonic(f0), RATE, HOP, 95)
    assert abs(np.median(cents(log_f0, f0, voiced))) < 4


def test_voicing_follows_the_gate():
    size = HOP * 187
    sounding = np.zeros(size)
    for start, end in ((0.2, 0.7), (0.9, 1.1), (1.3, 1.9)):
        sounding[int(start * RATE) : int(end * RATE)] = 1
    _, voiced = track_f0(harmonic(np.full(size, 150.0), sounding), RATE, HOP, 188)
    true = sounding[np.minimum(np.arange(188) * HOP, size - 1)] > 0
    assert (voiced != true).mean() < 0.06
    from_edge = np.abs(np.arange(188)[:, None] - np.flatnonzero(np.diff(true))[None]).min(1)
    assert voiced[true & (from_edge > 3)].all(), "no gap within a tone"
    assert voiced[~true & (from_edge > 6)].mean() < 0.2, "little in the pauses, which hold faint noise"


def test_noise_and_silence_are_unvoiced():
    noise = 0.1 * np.random.default_rng(0).standard_normal(HOP * 100)
    assert track_f0(noise, RATE, HOP, 101)[1].mean() < 0.1
    log_f0, voiced = track_f0(np.zeros(HOP * 20), RATE, HOP, 21)
    assert not voiced.any() and np.allclose(log_f0, math.log(DEFAULT_F0_HZ))


@pytest.mark.parametrize("n_frames", [50, 95, 130])
def test_as_many_frames_as_asked_for(n_frames):
    log_f0, voiced = track_f0(harmonic(np.full(HOP * 94, 150.0)), RATE, HOP, n_frames)
    assert len(log_f0) == len(voiced) == n_frames and np.isfinite(log_f0).all()


def test_straight_lines_through_unvoiced_stretches():
    log_f0, voiced = continuous_log_f0(np.array([0, 0, 100, 0, 0, 0, 200, 0], float))
    assert voiced.tolist() == [False, False, True, False, False, False, True, False]
    steps = np.exp(log_f0).tolist()
    assert steps == pytest.approx([100, 100, 100, 100 * 2**0.25, 100 * 2**0.5, 100 * 2**0.75, 200, 200], rel=1e-5)


@pytest.mark.parametrize("mains_hz", [60])
def test_mains_hum_is_not_the_voice(mains_hz):
    """Found on 5 of 150 LibriSpeech speakers: hum 10 dB below the speech made all of it "voiced" at 60 Hz."""
    size = HOP * 187
    sounding = (np.arange(size) // 9600 % 2).astype(float)
    f0 = 205 * 2 ** (0.2 * np.sin(2 * np.pi * 1.5 * np.arange(size) / RATE))
    speech = harmonic(f0, sounding)
    hum = 10 ** (-10 / 20) * np.sqrt(2 * np.mean(speech**2)) * np.sin(2 * np.pi * mains_hz * np.arange(size) / RATE)
    log_f0, voiced = track_f0(speech + hum, RATE, HOP, 188)
    assert abs(np.exp(np.median(log_f0[voiced])) - 205) < 15
    assert voiced.mean() < 0.7


@pytest.mark.parametrize("hum_db", [-6, -9])
def test_hum_that_only_the_second_pass_follows(hum_db):
    """Found in a LibriSpeech source: the register was the voice's, but nine frames in ten were "voiced" at 60 Hz."""
    size = HOP * 187
    time = np.arange(size) / RATE
    speech = harmonic(100 * 2 ** (0.15 * np.sin(2 * np.pi * 1.5 * time)), (np.arange(size) // 9600 % 2).astype(float))
    level = np.sqrt(np.mean(speech**2))
    noise = 10 ** (-10 / 20) * level * np.random.default_rng(0).normal(0, 1, size)
    hum = 10 ** (hum_db / 20) * level * np.sqrt(2) * np.sin(2 * np.pi * 60 * time)
    log_f0, voiced = track_f0(speech + noise + hum, RATE, HOP, 188)
    assert abs(np.exp(np.median(log_f0[voiced])) - 100) < 8 and voiced.mean() < 0.6
