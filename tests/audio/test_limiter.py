"""Only the moment that would clip is turned down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.audio.limiter import describe, limit

RATE = 24000


def speech(strong_db: float = 8.0) -> np.ndarray:
    """3 s of syllables that peak at -3 dB, one of them stronger."""
    t = np.arange(3 * RATE) / RATE
    wave = 0.7 * np.sin(2 * np.pi * 150 * t) * np.maximum(0, np.sin(2 * np.pi * 3 * t))
    return (wave * np.where((t > 1.33) & (t < 1.5), 10 ** (strong_db / 20), 1)).astype(np.float32)


def test_one_strong_word_is_limited_and_the_rest_stays_bit_for_bit() -> None:
    wave = speech()
    out, moments = limit(wave, RATE)
    assert np.abs(out).max() <= 0.99 and len(moments) == 1
    changed = np.flatnonzero(out != wave) / RATE
    assert changed.min() > 1.32 and changed.max() < 1.6
    assert moments[0].depth_db == pytest.approx(20 * np.log10(np.abs(wave).max() / 0.99), abs=0.01)
    assert "at 1.36 s" in describe(moments) and "5.0 dB" in describe(moments)


def test_what_fits_comes_back_untouched_and_nothing_is_said() -> None:
    wave = speech(0)
    out, moments = limit(wave, RATE)
    assert np.array_equal(out, wave) and not moments and describe(moments) == ""


def test_the_gain_has_no_step() -> None:
    wave = speech(15)
    out, _ = limit(wave, RATE)
    loud = np.abs(wave) > 0.05
    gain = 20 * np.log10(np.abs(out[loud] / wave[loud]))
    near = np.diff(np.flatnonzero(loud)) == 1
    assert np.abs(np.diff(gain))[near].max() < 0.3


@given(st.integers(0, 10_000), st.floats(0.5, 200.0), st.sampled_from([8000, 24000, 48000]), st.integers(0, 3000))
def test_nothing_passes_the_peak(seed: int, gain: float, rate: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    wave = (gain * rng.normal(0, 0.2, size) * (rng.random(size) < 0.2)).astype(np.float32)
    out, moments = limit(wave, rate)
    assert out.shape == wave.shape and np.abs(out).max(initial=0) <= np.float32(0.99)
    assert bool(moments) == bool(np.abs(wave).max(initial=0) > 0.99)
    assert (np.abs(out) <= np.abs(wave) + 1e-6).all()
