"""Cuts cover the recording, fall into pauses, and joining undoes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.audio.segment import (
    crossfade_join,
    cut_at_pauses,
    has_speech,
    liveliness,
    require_speech,
    speech_regions,
)
from prosody_transfer.core.errors import AudioError, ShapeError

RATE = 16000


def syllables(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Voiced, with a level and a pitch that move four times a second."""
    t = np.arange(int(seconds * rate)) / rate
    level = 10 ** (np.sin(2 * np.pi * 4 * t + seed) - 1)
    phase = 2 * np.pi * (120 * t + 3 * np.sin(2 * np.pi * 2 * t))
    voice = sum(np.sin(h * phase) / h for h in range(1, 25))
    return (0.1 * level * voice).astype(np.float32)


def with_pauses(lengths: list[float], pause: float) -> tuple[np.ndarray, list[tuple[float, float]]]:
    parts, places, at = [], [], 0.0
    for i, length in enumerate(lengths):
        parts += [syllables(length, i), np.zeros(int(pause * RATE), np.float32)]
        places.append((at + length, at + length + pause))
        at += length + pause
    signal = np.concatenate(parts)
    return signal + (1e-4 * np.random.default_rng(0).standard_normal(len(signal))).astype(np.float32), places


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.001, 6), st.sampled_from([0.0, 1e-4, 0.1, 0.1])), min_size=0, max_size=25),
    st.floats(0.1, 4),
    st.floats(2, 5),
    st.sampled_from([1000, 1999]),
)
def test_cuts_cover_the_recording(parts: list, least: float, ratio: float, rate: int) -> None:
    rng = np.random.default_rng(0)
    signal = np.concatenate([np.zeros(0)] + [rng.standard_normal(int(s * rate)) * a for s, a in parts])
    pieces = cut_at_pauses(signal, rate, max_seconds=least * ratio, min_seconds=least)
    assert pieces[0][0] == 0 and pieces[-1][1] == len(signal)
    assert all(a[1] == b[0] for a, b in zip(pieces[:-1], pieces[1:], strict=True))
    assert all(stop - start <= least * ratio * rate for start, stop in pieces)
    if len(pieces) > 1:
        assert all(stop - start >= int(least * rate) for start, stop in pieces)


def test_cuts_fall_into_the_pauses() -> None:
    signal, pauses = with_pauses([4, 5, 3, 6, 4, 5, 7, 3, 4], 0.4)
    pieces = cut_at_pauses(signal, RATE, max_seconds=12, min_seconds=3)
    assert 4 <= len(pieces) <= 6
    for _, stop in pieces[:-1]:
        assert any(a + 0.05 < stop / RATE < b - 0.05 for a, b in pauses)


def test_a_short_recording_is_one_piece() -> None:
    assert cut_at_pauses(np.zeros(RATE), RATE) == [(0, RATE)]
    assert cut_at_pauses(np.zeros(0), RATE) == [(0, 0)]


def test_without_pauses_the_quietest_place_near_the_limit_is_cut() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(25 * RATE)
    noise[17 * RATE : 17 * RATE + 800] *= 0.3  # 50 ms: a dip, no pause
    (_, cut), _ = cut_at_pauses(noise, RATE)
    assert 17 * RATE <= cut <= 17 * RATE + 800


def test_impossible_lengths_are_refused() -> None:
    with pytest.raises(ShapeError, match="twice"):
        cut_at_pauses(np.zeros(10), RATE, max_seconds=5, min_seconds=3)
    with pytest.raises(ShapeError):
        cut_at_pauses(np.zeros((2, 10)), RATE)


def test_regions_find_the_speech() -> None:
    signal, pauses = with_pauses([2, 3, 1.5], 0.8)
    regions = speech_regions(signal, RATE)
    expected = [(0, 2), (2.8, 5.8), (6.6, 8.1)]
    assert len(regions) == 3
    for (start, end), (a, b) in zip(regions, expected, strict=True):
        assert start == pytest.approx(a, abs=0.15)
        assert b - 0.15 <= end <= b + 0.3


def test_regions_follow_a_noise_that_rises() -> None:
    signal, _ = with_pauses([2] * 15, 2.0)
    rng = np.random.default_rng(0)
    level = np.where(np.arange(len(signal)) < len(signal) // 2, 1e-4, 3e-3)
    regions = speech_regions(signal + level * rng.standard_normal(len(signal)), RATE)
    assert 13 <= len(regions) <= 17
    assert 25 < sum(b - a for a, b in regions) < 38


def test_regions_of_nothing() -> None:
    assert speech_regions(np.zeros(0), RATE) == []
    assert speech_regions(np.zeros(RATE), RATE) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30000), st.integers(0, 5), st.sampled_from([8000, 22050]))
def test_regions_are_ordered_and_inside(samples: int, seed: int, rate: int) -> None:
    rng = np.random.default_rng(seed)
    on = rng.random(samples // 2000 + 1).repeat(2000)[:samples] > 0.5
    regions = speech_regions(rng.standard_normal(samples) * on, rate)
    edges = [edge for region in regions for edge in region]
    assert edges == sorted(edges)
    assert all(0 <= edge <= samples / rate + 1e-9 for edge in edges)


def noise(seconds: float, rate: int, tilt: float) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(int(seconds * rate)))
    out = np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** tilt, int(seconds * rate))
    return 0.3 * out / np.abs(out).max()


def steady(rate: int, seconds: float) -> dict[str, np.ndarray]:
    t = np.arange(int(rate * seconds)) / rate
    hum = sum(0.1 / h * np.sin(2 * np.pi * 50 * h * t + h * h) for h in range(1, 30))
    tone = 0.3 * np.sin(2 * np.pi * 440 * t)
    return {
        "silence": 0 * t,
        "offset": 0 * t + 0.2,
        "white": noise(seconds, rate, 0.0),
        "pink": noise(seconds, rate, 0.5),
        "rumble": noise(seconds, rate, 1.0),
        "tone": tone,
        "low tone": 0.3 * np.sin(2 * np.pi * 50 * t),
        "beep in silence": tone * (t > seconds / 3),
        "hum": hum,
        "hum and hiss": hum + 0.01 * np.random.default_rng(0).standard_normal(len(t)),
    }


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
@pytest.mark.parametrize("seconds", [1.0, 3.0, 20.0])
def test_steady_sound_is_no_speech(rate: int, seconds: float) -> None:
    for name, signal in steady(rate, seconds).items():
        assert not has_speech(signal.astype(np.float32), rate), name
        with pytest.raises(AudioError, match="no speech found"):
            require_speech(signal, rate, "a.wav")


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.0])
def test_moving_voice_is_speech(rate: int, seconds: float) -> None:
    require_speech(syllables(seconds, rate=rate), rate)


def test_a_few_words_in_a_minute_of_noise_are_found() -> None:
    signal = 0.003 * np.random.default_rng(0).standard_normal(60 * RATE)
    signal[30 * RATE : 32 * RATE] += syllables(2)
    assert has_speech(signal, RATE)


def test_whispers_pass() -> None:
    t = np.arange(3 * RATE) / RATE
    assert has_speech(0.02 * np.random.default_rng(0).standard_normal(len(t)) * (1 + np.sin(2 * np.pi * 4 * t)), RATE)


def test_speech_too_short_to_tell_is_none() -> None:
    assert liveliness(np.zeros(10), RATE) == 0.0


@given(st.lists(st.integers(20, 60), min_size=1, max_size=6), st.integers(0, 10))
def test_joining_undoes_cutting_with_overlap(sizes: list[int], overlap: int) -> None:
    signal = np.random.default_rng(0).standard_normal(sum(sizes)).astype(np.float32)
    edges = np.cumsum([0, *sizes])
    pieces = [signal[a : b + (overlap if b < len(signal) else 0)] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    np.testing.assert_array_equal(crossfade_join(pieces, overlap), signal)


def test_the_seam_is_a_straight_fade() -> None:
    out = crossfade_join([np.ones(100), -np.ones(100)], 50)
    assert out.shape == (150,)
    assert np.abs(np.diff(out)).max() <= 2 / 50 + 1e-6
    assert out[0] == 1 and out[-1] == -1


def test_pieces_shorter_than_their_overlaps_are_refused() -> None:
    with pytest.raises(ShapeError, match="piece 1"):
        crossfade_join([np.ones(9), np.ones(9), np.ones(9)], 5)
    with pytest.raises(ShapeError, match="0 pieces"):
        crossfade_join([], 5)
