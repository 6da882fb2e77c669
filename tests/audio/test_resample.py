"""Lengths are exact, times stay, and blocks make no difference."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.audio.resample import Resampler, fit_length, resample, resampled_length
from prosody_transfer.core.errors import ShapeError

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000)


@given(st.integers(0, 10**10), st.integers(1, 400_000), st.integers(1, 400_000))
def test_length_rounds_half_up(samples: int, from_rate: int, to_rate: int) -> None:
    exact = Fraction(samples * to_rate, from_rate)
    assert resampled_length(samples, from_rate, to_rate) == floor(exact + Fraction(1, 2))


@given(st.integers(0, 10**7), st.sampled_from(RATES), st.sampled_from(RATES))
def test_there_and_back_loses_at_most_half_a_coarse_sample(samples: int, from_rate: int, to_rate: int) -> None:
    back = resampled_length(resampled_length(samples, from_rate, to_rate), to_rate, from_rate)
    assert abs(back - samples) <= from_rate / to_rate / 2 + 0.5
    if to_rate >= from_rate:
        assert back == samples


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4000), st.sampled_from(RATES), st.sampled_from(RATES))
def test_resample_gives_that_length(samples: int, from_rate: int, to_rate: int) -> None:
    out = resample(np.ones(samples, np.float32), from_rate, to_rate)
    assert out.shape == (resampled_length(samples, from_rate, to_rate),)
    assert out.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 3000), min_size=1, max_size=6),
    st.sampled_from(RATES),
    st.sampled_from(RATES),
    st.integers(1, 3),
)
def test_blocks_equal_the_whole(sizes: list[int], from_rate: int, to_rate: int, channels: int) -> None:
    signal = np.random.default_rng(0).standard_normal((sum(sizes), channels)).astype(np.float32)
    whole = resample(signal.T, from_rate, to_rate)
    stream, at, parts = Resampler(from_rate, to_rate, channels), 0, []
    for i, size in enumerate(sizes):
        parts.append(stream.push(signal[at : at + size], last=i == len(sizes) - 1))
        at += size
    joined = np.concatenate(parts).T
    assert joined.shape == whole.shape
    np.testing.assert_allclose(joined, whole, atol=2e-5)


@pytest.mark.parametrize("from_rate", RATES)
def test_a_tone_keeps_its_time_and_level(from_rate: int) -> None:
    seconds = 0.5
    tone = np.sin(2 * np.pi * 440 * np.arange(int(seconds * from_rate)) / from_rate)
    out = resample(tone, from_rate, 24000)
    expected = np.sin(2 * np.pi * 440 * np.arange(len(out)) / 24000)
    assert np.abs(out - expected)[500:-500].max() < 1e-3


def test_equal_rates_give_a_copy() -> None:
    signal = np.ones(10, np.float32)
    out = resample(signal, 24000, 24000)
    out[0] = 5
    assert signal[0] == 1


def test_fit_length_holds_the_last_value() -> None:
    assert fit_length(np.array([1.0, 2.0]), 4).tolist() == [1, 2, 2, 2]
    assert fit_length(np.array([[1.0, 2.0]]), 1).tolist() == [[1]]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match="not \\(1, 1, 4\\)"):
        resample(np.zeros((1, 1, 4)), 8000, 16000)
    with pytest.raises(ShapeError, match="positive"):
        resample(np.zeros(4), 0, 16000)
