"""Spectral figures: against librosa and scipy, and as laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.evaluation.spectral import FIGURES, LEVEL, log_mel_power, spectral_figures

RATE = 16000


def sound(seed: int, size: int = RATE) -> np.ndarray:
    """Noise whose colour changes ten times a second."""
    random = np.random.default_rng(seed)
    out = np.zeros(size + 3200)
    for start in range(0, size, 1600):
        piece = np.convolve(random.standard_normal(3200), random.standard_normal(12), "same")
        out[start : start + 3200] += np.hanning(3200) * piece
    return 0.05 * out[:size]


def smoothed(mel: np.ndarray, frames: int) -> np.ndarray:
    """Log mels averaged over so many frames."""
    return np.stack([np.convolve(band, np.ones(frames) / frames, "same") for band in mel])


def test_the_mels_equal_librosa():
    import librosa

    signal = sound(0)
    levelled = signal * LEVEL / np.sqrt(np.mean(signal**2))
    theirs = librosa.feature.melspectrogram(y=levelled, sr=RATE, n_fft=512, hop_length=160, n_mels=60)
    assert np.allclose(log_mel_power(signal), np.log(theirs + 1e-6), atol=1e-4)


def test_the_figures_equal_scipy_on_librosa():
    """The same figures by the libraries, with the constant for an orthonormal transform of 60 bands."""
    import librosa
    from scipy.fft import dct

    sounds = [x * LEVEL / np.sqrt(np.mean(x**2)) for x in (sound(1), sound(2))]
    a, b = (
        np.log(librosa.feature.melspectrogram(y=x, sr=RATE, n_fft=512, hop_length=160, n_mels=60) + 1e-6)
        for x in sounds
    )
    heard = a.mean(0) > a.mean(0).max() - 6
    a, b = a[:, heard] - a[:, heard].mean(), b[:, heard] - b[:, heard].mean()
    cepstra = [dct(x, axis=0, norm="ortho")[1:14] / np.sqrt(30) for x in (a, b)]
    values = spectral_figures(sound(1), sound(2))
    distortion = 10 / np.log(10) * np.sqrt(2 * ((cepstra[0] - cepstra[1]) ** 2).sum(0)).mean()
    assert values["mcd13_db"] == pytest.approx(distortion, rel=1e-4)
    assert values["log_mel_db"] == pytest.approx(10 / np.log(10) * np.abs(a - b).mean(), rel=1e-4)
    assert values["gv_ratio"] == pytest.approx(np.median(b.std(1) / a.std(1)), rel=1e-4)


def test_modulation_equals_scipy():
    """Welch's method does the same on each band: a factor between two inputs is what is left of its scale."""
    from scipy.signal import welch

    a, b = log_mel_power(sound(1, 2 * RATE)), log_mel_power(sound(2, 2 * RATE))
    powers = []
    for mel in (a, b):
        at_hz, density = welch(
            mel, fs=100, window="hann", nperseg=64, noverlap=32, detrend="constant", scaling="density"
        )
        powers.append(density[:, (at_hz >= 4) & (at_hz <= 32)] / 2 * 100 / 64)
    theirs = np.abs(np.diff([10 * np.log10(p + 1e-4) for p in powers], axis=0)).mean()
    assert spectral_figures(sound(1, 2 * RATE), sound(2, 2 * RATE))["modulation_db"] == pytest.approx(theirs, rel=1e-6)


@given(st.integers(0, 1000), st.floats(0.01, 10), st.floats(0.01, 10))
@settings(max_examples=15, deadline=None)
def test_the_same_is_perfect_and_gain_does_not_matter(seed, one, other):
    a, b = sound(seed), sound(seed + 1)
    assert spectral_figures(a, a) == {"mcd13_db": 0.0, "log_mel_db": 0.0, "gv_ratio": 1.0, "modulation_db": 0.0}
    plain, scaled = spectral_figures(a, b), spectral_figures(one * a, other * b)
    for key, value in plain.items():
        assert value > 0.1 and scaled[key] == pytest.approx(value, rel=1e-6), key


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_more_noise_is_further_away(seed):
    a, noise = sound(seed), 0.05 * np.random.default_rng(seed).standard_normal(RATE)
    near, far = (spectral_figures(a, a + k * noise) for k in (0.03, 0.3))
    for key in ("mcd13_db", "log_mel_db", "modulation_db"):
        assert 0 < near[key] < far[key], key


def test_smoothing_lowers_the_variation_and_the_modulation(monkeypatch):
    from prosody_transfer.evaluation import spectral

    exact = log_mel_power(sound(3))
    by_length = {1: exact, 2: smoothed(exact, 5), 3: smoothed(exact, 11)}
    monkeypatch.setattr(spectral, "log_mel_power", lambda x: by_length[len(x)])
    values = [spectral_figures(np.ones(1), np.ones(n)) for n in (1, 2, 3)]
    assert values[0]["gv_ratio"] == 1 > values[1]["gv_ratio"] > values[2]["gv_ratio"] > 0
    assert values[0]["modulation_db"] == 0 < values[1]["modulation_db"] < values[2]["modulation_db"]


def test_a_step_of_6_db_in_time_is_heard_by_log_mel_and_not_by_cepstra():
    """c0 is left out: loudness alone is no distortion. Half the frames 6 dB down is 3 dB off each way."""
    a = sound(4)
    step = a * np.where(np.arange(RATE) < RATE // 2, 1, 10 ** (-6 / 20))
    values = spectral_figures(a, step)
    assert values["log_mel_db"] == pytest.approx(3, abs=0.15) and values["mcd13_db"] < 0.6


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_too_little_says_nothing(size):
    assert set(spectral_figures(sound(0)[:size], sound(0)).values()) == {None}
    assert set(spectral_figures(sound(0), np.zeros(RATE)).values()) == {None}
    short = spectral_figures(sound(0)[:8000], sound(0)[:8000])
    assert short["modulation_db"] is None and short["mcd13_db"] == 0


def test_definitions_belong_to_figures():
    assert sorted(spectral_figures(sound(0), sound(0))) == sorted(f.key for f in FIGURES)
