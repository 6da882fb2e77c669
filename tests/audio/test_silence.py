"""Where a source is silent for good, its transfer is as silent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.audio.silence import SILENT_DB, Silence, keep_silent, moved, silences

RATE = 24000


def speech(seconds: float = 1.0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 200 * t + 1)).astype(np.float32)


def test_digital_silence_is_found_to_the_sample() -> None:
    wave = speech()
    wave[5003:15017] = 0
    assert silences(wave, RATE) == [Silence(5003, 15017, 0.0)]


@pytest.mark.parametrize("offset", [0.0, 0.01])
def test_the_last_bit_may_switch_and_the_middle_lie_elsewhere(offset: float) -> None:
    wave = speech()
    wave[5000:15000] = np.random.default_rng(0).integers(0, 2, 10000) / 32768
    (found,) = silences(wave + np.float32(offset), RATE)
    assert abs(found.start - 5000) <= 3 and abs(found.stop - 15000) <= 3
    assert 0 < found.peak < 10 ** (SILENT_DB / 20)


def test_soft_sound_and_short_gaps_are_no_silence() -> None:
    wave = speech()
    wave[5000:5300] = 0  # 12 ms
    wave[10000:20000] = 1e-4 * np.random.default_rng(0).standard_normal(10000)  # room at -80 dBFS
    assert silences(wave, RATE) == []


def test_all_or_nothing() -> None:
    assert silences(np.zeros(RATE, np.float32), RATE) == [Silence(0, RATE, 0.0)]
    assert silences(np.zeros(10, np.float32), RATE) == [] and silences(np.zeros(0, np.float32), RATE) == []


@pytest.mark.parametrize("rate", [24000, 44100, 48000])
def test_silence_is_silent_at_any_rate_and_nothing_clicks(rate: int) -> None:
    hum = (0.3 * np.sin(2 * np.pi * 100 * np.arange(rate) / rate)).astype(np.float32)
    out = keep_silent(hum.copy(), [Silence(6001, 12003, 0.0)], RATE, rate)
    assert not out[6001 * rate // RATE : 12003 * rate // RATE].any()
    assert np.abs(np.diff(out)).max() < 0.3 * 2 * np.pi * 100 / rate + 0.3 * np.pi / 2 / (0.004 * rate) + 1e-3
    fade = round(0.005 * rate)
    np.testing.assert_array_equal(out[: 6001 * rate // RATE - fade], hum[: 6001 * rate // RATE - fade])


def test_a_last_bit_of_noise_stays_one() -> None:
    out = keep_silent(speech(), [Silence(0, 12000, 2e-5)], RATE, RATE)
    assert 1e-6 < np.abs(out[:12000]).max() <= 2.1e-5 and np.abs(out[12000:]).max() > 0.29


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=4), st.sampled_from([16000, 24000, 48000])
)
def test_nothing_grows_and_stretches_never_leave_the_signal(spans: list[tuple[int, int]], rate: int) -> None:
    wave = np.random.default_rng(0).uniform(-1, 1, 3 * rate // 100).astype(np.float32)
    found = [Silence(start, start + size, 0.0) for start, size in spans]
    out = keep_silent(wave.copy(), found, RATE, rate)
    assert len(out) == len(wave) and (np.abs(out) <= np.abs(wave)).all()


def test_a_stretched_signal_is_silent_where_its_frames_are_from_silence() -> None:
    frames = np.repeat(np.arange(10), 2)  # twice as long
    assert moved([Silence(200, 500, 0.0)], frames, 100) == [Silence(400, 1000, 0.0)]
    assert moved([Silence(210, 490, 0.0)], frames, 100) == [Silence(600, 800, 0.0)]
