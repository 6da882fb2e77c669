"""The anchors: what the standard asks of a low-pass; a voice without melody; a voice through the vocoder."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.audio.resample import resample
from prosody_transfer.core.errors import AudioError
from prosody_transfer.evaluation.listening import anchors
from prosody_transfer.features.pitch import track_f0
from prosody_transfer.store.weights import shipped

RATE = 24000


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_the_low_pass_is_that_of_the_standard(rate: int) -> None:
    """BS.1534-3: within 0.1 dB up to 3.5 kHz, at least 25 dB down at 4 kHz and 50 dB at 4.5 kHz."""
    taps = anchors.low_pass_taps(rate)
    response = 20 * np.log10(np.abs(np.fft.rfft(taps, 1 << 16)) + 1e-12)
    frequency = np.fft.rfftfreq(1 << 16, 1 / rate)
    assert np.abs(response[frequency <= 3500]).max() < 0.1
    assert response[frequency >= 4000].max() < -60
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)  # linear phase


def test_the_low_pass_is_scipys() -> None:
    signal = pytest.importorskip("scipy.signal")
    taps = anchors.low_pass_taps(RATE)
    beta = signal.kaiser_beta(anchors.STOP_BAND_DB)
    np.testing.assert_allclose(taps, signal.firwin(len(taps), 3750, window=("kaiser", beta), fs=RATE), atol=1e-9)
    noise = np.random.default_rng(0).normal(size=5000)
    expected = signal.convolve(noise, taps, mode="same", method="direct")
    np.testing.assert_allclose(anchors.low_pass(noise, RATE), expected, atol=1e-5)


def test_the_low_pass_keeps_time_and_what_lies_below() -> None:
    time = np.arange(RATE) / RATE
    low, high = np.sin(2 * np.pi * 1000 * time), np.sin(2 * np.pi * 6000 * time)
    out = anchors.low_pass(low + high, RATE)
    assert out.shape == low.shape and out.dtype == np.float32
    np.testing.assert_allclose(out[2000:-2000], low[2000:-2000], atol=2e-3)
    np.testing.assert_array_equal(anchors.low_pass(low, 8000), low.astype(np.float32))


def test_a_monotone_copy_has_one_pitch_and_the_same_rhythm(make_voice) -> None:
    waveform = make_voice(seconds=2.0, glide=0.4)
    flat = anchors.monotone(waveform, RATE)
    assert flat.shape == waveform.shape and flat.dtype == np.float32
    track = lambda wave: track_f0(wave, RATE, 240, len(wave) // 240 + 1)
    (before, voiced), (after, still) = track(waveform), track(flat)
    both = voiced & still
    assert both.sum() > 0.8 * voiced.sum()
    cents = 1200 / np.log(2)
    assert cents * before[both].std() > 100
    assert np.median(np.abs(after[both] - np.median(before[voiced]))) * cents < 20
    assert np.percentile(np.abs(after[both] - np.median(after[both])), 95) * cents < 30
    power = lambda wave: np.log((wave[: 240 * 199].reshape(199, 240) ** 2).mean(1) + 1e-6)
    assert np.corrcoef(power(waveform), power(flat))[0, 1] > 0.95
    np.testing.assert_array_equal(flat, anchors.monotone(waveform, RATE))  # always the same


def test_there_is_no_monotone_copy_of_noise() -> None:
    with pytest.raises(AudioError, match="nothing voiced"):
        anchors.monotone(np.zeros(RATE), RATE)


@pytest.mark.skipif(not shipped("vocoder").exists(), reason="the weights are not there")
def test_copy_synthesis_keeps_length_pitch_and_loudness(make_voice) -> None:
    waveform = resample(make_voice(seconds=1.0), RATE, 48000)
    copy = anchors.copy_synthesis(waveform, 48000)
    assert copy.shape == waveform.shape and copy.dtype == np.float32
    track = lambda wave: track_f0(resample(wave, 48000, RATE), RATE, 240, 101)
    (before, voiced), (after, still) = track(waveform), track(copy)
    assert np.median(np.abs(before - after)[voiced & still]) < 0.02
    assert not np.allclose(copy, waveform, atol=1e-3)
