"""The level is that of the speech, and gain never clips."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.audio.loudness import apply_gain, frame_power, normalise_level, speech_level_db

RATE = 16000


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise whose level moves as syllables do."""
    n = int(seconds * RATE)
    wave = 10 ** -(np.arange(n) * 4 / RATE % 1)
    return (0.1 * wave * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def test_full_scale_sine_is_minus_three() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert speech_level_db(tone, RATE) == pytest.approx(-3.01, abs=0.02)


def test_frame_power_averages_the_short_last_frame() -> None:
    power = frame_power(np.full(700, 0.5, np.float32), RATE)
    np.testing.assert_allclose(power, [0.25, 0.25])
    assert frame_power(np.zeros(0), RATE).shape == (0,)


def test_frame_power_of_many_frames_equals_plain_means() -> None:
    signal = np.random.default_rng(0).standard_normal(5000 * 16).astype(np.float32)
    np.testing.assert_allclose(frame_power(signal, 1000, 0.016), (signal.reshape(-1, 16).astype(float) ** 2).mean(1))


@pytest.mark.parametrize("share", [0.3, 0.8, 0.97])
@pytest.mark.parametrize("snr", [60, 30, 20])
def test_pauses_do_not_lower_it(share: float, snr: float) -> None:
    speech = babble(4)
    level = speech_level_db(speech, RATE)
    silence = np.zeros(int(len(speech) * share / (1 - share)), np.float32)
    long = np.concatenate([silence, speech, silence])
    noise = np.random.default_rng(1).standard_normal(len(long)) * 10 ** ((level - snr) / 20)
    assert speech_level_db(long + noise, RATE) == pytest.approx(level, abs=1.0)


def test_gain_shifts_it_exactly() -> None:
    speech = babble(2)
    assert speech_level_db(speech / 10, RATE) == pytest.approx(speech_level_db(speech, RATE) - 20, abs=1e-3)


def test_normalise_reaches_the_target_and_reports_the_gain() -> None:
    quiet = babble(2) * np.float32(0.05)
    out, gain = normalise_level(quiet, RATE, -26.0)
    assert speech_level_db(out, RATE) == pytest.approx(-26, abs=1e-3)
    np.testing.assert_allclose(out, quiet * 10 ** (gain / 20), rtol=1e-5)
    assert out.dtype == np.float32


def test_normalise_gain_is_limited() -> None:
    faint = babble(2) * np.float32(1e-3)
    assert normalise_level(faint, RATE)[1] == 60.0


def test_normalise_leaves_silence() -> None:
    out, gain = normalise_level(np.zeros(RATE), RATE)
    assert gain == 0.0 and not out.any()
    assert speech_level_db(np.zeros(0), RATE) == -120.0


def test_peak_guard_scales_the_whole_signal() -> None:
    speech = babble(1)
    out, gain = apply_gain(speech, 40.0)
    assert gain < 40
    assert np.abs(out).max() == pytest.approx(0.99, abs=1e-5)
    np.testing.assert_allclose(out / speech, 10 ** (gain / 20), rtol=1e-4)


def test_gain_below_the_guard_is_as_asked() -> None:
    out, gain = apply_gain(np.array([[0.1, -0.2]], np.float32), 6.0)
    assert gain == 6.0
    np.testing.assert_allclose(out, [[0.19953, -0.39905]], atol=1e-4)
    assert apply_gain(np.zeros(3), 20.0)[1] == 20.0
