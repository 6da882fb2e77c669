"""Loudness of one recording given to another: what it does, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.audio.follow import FLOOR_DB, compared_power, envelope, follow_loudness

RATE = 24_000


def noise(seed: int, seconds: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, round(seconds * RATE)).astype(np.float32)


def swell(waveform: np.ndarray, depth_db: float) -> np.ndarray:
    time = np.arange(len(waveform)) / RATE
    return (waveform * 10 ** (depth_db * np.sin(2 * np.pi * 2 * time) / 20)).astype(np.float32)


def level_of(waveform: np.ndarray) -> np.ndarray:
    return envelope(waveform, RATE, 0.06)


def follow(waveform: np.ndarray, model: np.ndarray, sample_rate: int, **options: float) -> np.ndarray:
    return follow_loudness(waveform, compared_power(model, sample_rate), sample_rate, **options)


def test_a_recording_follows_itself_unchanged() -> None:
    wave = swell(noise(0), 5)
    np.testing.assert_array_equal(follow(wave, wave, RATE), wave)


def test_a_steady_recording_takes_on_a_swell() -> None:
    model, plain = swell(noise(1), 4), noise(2)
    before = np.abs(level_of(plain) - level_of(model)).mean()
    after = np.abs(level_of(follow(plain, model, RATE)) - level_of(model)).mean()
    assert before > 2 and after < 0.6
    half = np.abs(level_of(follow(plain, model, RATE, strength=0.5)) - level_of(model)).mean()
    assert after < half < before


def test_what_is_quieter_than_its_surroundings_is_followed_faster() -> None:
    plain = noise(8, 4.0)
    plain[RATE:] *= 10 ** (-30 / 20)
    flutter = 10 ** (4 * np.sin(2 * np.pi * 8 * np.arange(len(plain)) / RATE) / 20)
    gain_db = 20 * np.log10(follow(plain, (plain * flutter).astype(np.float32), RATE) / plain)
    depth = lambda start: float(np.ptp(gain_db[round((start + 0.2) * RATE) : round((start + 0.8) * RATE)]))
    assert depth(0) < 2 < 6 < depth(1)
    assert depth(2.5) < 2, "what was loud more than a second ago does not count"


@given(st.floats(0.5, 12), st.integers(0, 3))
def test_the_gain_stays_within_its_limit(limit: float, seed: int) -> None:
    wave, model = noise(seed, 0.2), swell(noise(9, 0.2), 30)
    gain = follow(wave, model, RATE, limit_db=limit) / wave
    assert np.all(np.abs(20 * np.log10(gain)) <= limit + 1e-3)


def test_what_is_nearly_silent_in_both_is_left_alone() -> None:
    wave, model = noise(3), noise(4)
    wave[: RATE // 2] *= 1e-4
    model[: RATE // 2] *= 3e-5
    out = follow(wave, model, RATE)
    quiet = slice(0, RATE // 2 - RATE // 10)
    np.testing.assert_allclose(out[quiet], wave[quiet], rtol=0.06)
    assert level_of(wave)[0] == pytest.approx(level_of(wave).max() + FLOOR_DB)


@pytest.mark.parametrize("size", [1, 119, 120, 121, 7777])
def test_any_length(size: int) -> None:
    wave = noise(5)[:size]
    assert follow(wave, noise(6)[:size], RATE).shape == (size,)
    assert np.isfinite(follow(np.zeros(size, np.float32), wave, RATE)).all()


def test_what_lies_above_8_khz_does_not_count() -> None:
    wave = noise(7)
    hiss = (0.2 * np.sin(2 * np.pi * 10_000 * np.arange(len(wave)) / RATE)).astype(np.float32)
    gain = follow(wave, (wave + hiss).astype(np.float32), RATE) / wave
    np.testing.assert_allclose(20 * np.log10(gain[RATE // 10 : -RATE // 10]), 0, atol=0.3)
