"""What is done after the vocoder as sound comes is what is done to whole recordings."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.audio.follow import compared_power, follow_loudness
from prosody_transfer.audio.limiter import limit
from prosody_transfer.audio.silence import keep_silent, silences
from prosody_transfer.core.config import MelConfig
from prosody_transfer.streaming.finishing import LoudnessFollower, SilenceKeeper, StreamLimiter
from prosody_transfer.streaming.levels import GainCurve, Register
from prosody_transfer.streaming.timeline import Timeline

RATE = 24000
SIZES = [7, 333, 4096, 1 << 20]


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Something with syllables at about the speech level."""
    time = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(seed)
    carrier = np.sign(np.sin(2 * np.pi * (120 + 5 * seed) * time)) + 0.1 * rng.standard_normal(len(time))
    return (0.1 * carrier * np.abs(np.sin(np.pi * (2.1 + seed) * time)) ** 3).astype(np.float32)


def fed(push, sound: np.ndarray, size: int) -> np.ndarray:
    parts = [push(sound[at : at + size], at + size >= len(sound)) for at in range(0, len(sound), size)]
    return np.concatenate(parts)


@pytest.mark.parametrize("size", SIZES[1:])
def test_loudness_is_followed_as_in_a_whole_recording(size: int) -> None:
    own, other = speech(3.0), speech(3.0, seed=1)
    power = compared_power(other, RATE)
    follower = LoudnessFollower(RATE)
    follower.model.append(power)
    found, expected = fed(follower.push, own, size), follow_loudness(own, power, RATE)
    assert len(found) == len(own)
    assert np.abs(expected - own).max() > 0.02
    error = np.square(found - expected).mean()
    assert error < 1e-3 * np.square(expected).mean()  # it does not know how loud it will get


@pytest.mark.parametrize("size", SIZES)
def test_peaks_are_limited_as_in_a_whole_recording(size: int) -> None:
    sound = speech(2.0) * 14
    found, (expected, moments) = fed(StreamLimiter(RATE).push, sound, size), limit(sound, RATE)
    assert moments and np.abs(found).max() <= 0.99
    assert np.abs(found - expected).max() < 5e-3  # half a millisecond before each ramp, where that one has a step


def test_what_is_within_the_peak_comes_back_bit_for_bit() -> None:
    sound = speech(0.5)
    assert np.array_equal(fed(StreamLimiter(RATE).push, sound, 777), sound)


@pytest.mark.parametrize("size", [50, 4096])
def test_silence_is_kept_as_in_a_whole_recording(size: int) -> None:
    source, sound = speech(1.0), speech(1.0, seed=2)
    source[8000:15000] = 0
    found = silences(source, RATE)
    keeper = SilenceKeeper(RATE)
    keeper.stretches = [(s.start, s.stop) for s in found]
    mine = fed(lambda part, last: keeper.push(part), sound, size)
    assert len(found) == 1 and not mine[8100:14900].any()
    assert np.abs(mine - keep_silent(sound.copy(), found, RATE, RATE)).max() < 1e-6


def test_the_level_settles_and_never_jumps() -> None:
    gain, sound = GainCurve(RATE), Timeline()
    sound.append(np.concatenate([np.zeros(2 * RATE, np.float32), speech(10.0) * 0.1]))
    for start in range(0, 10 * RATE, 2 * RATE):
        gain.extend(sound, start, start + 2 * RATE, start + 2 * RATE + 8000, speaks=start > 0)
    curve = gain.curve.part(0, 1000)
    assert np.abs(curve[:200]).max() == 0  # nothing has been heard
    assert np.abs(np.diff(curve)).max() < 3
    assert np.ptp(curve[400:]) < 1 and curve[400] > 15
    assert np.abs(gain.factor(96000, 96100) * gain.factor(96000, 96100, -1) - 1).max() < 1e-5


def test_the_register_begins_with_what_is_usual_and_settles() -> None:
    register, rng = Register(MelConfig()), np.random.default_rng(0)
    nothing = register.add(np.full(50, 5.0), np.zeros(50, bool))
    assert np.exp(nothing).mean() == pytest.approx(144, abs=5)
    ends = []
    for _ in range(20):
        log_f0 = (np.log(210) + 0.1 * rng.standard_normal(200)).astype(np.float32)
        levels = register.add(log_f0, np.ones(200, bool))
        assert np.abs(np.diff(levels)).max() < 0.05
        ends.append(levels[-1])
    assert abs(ends[0] - np.log(210)) < 0.05 and abs(ends[-1] - np.log(210)) < 0.01
    for _ in range(500):  # another speaker, for ten minutes
        levels = register.add(np.full(200, np.log(110), np.float32), np.ones(200, bool))
    assert abs(levels[-1] - np.log(110)) < 0.05


def test_a_timeline_keeps_what_is_asked_for() -> None:
    line = Timeline()
    assert line.held(3, 5).tolist() == [0, 0]
    line.append(np.arange(10))
    line.replace_from(8, np.array([80, 90, 100]))
    line.forget(4)
    assert (line.first, line.stop) == (4, 11)
    assert line.part(0, 6).tolist() == [4, 5]
    assert line.held(3, 13).tolist() == [4, 4, 5, 6, 7, 80, 90, 100, 100, 100]
