"""What lies below every voice is taken out, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.audio.highpass import high_pass

RATE = 24000


def tone(hertz: float, seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 24000, 44100, 192000])
@pytest.mark.parametrize(
    ("hertz", "most_db", "least_db"), [(25, -55, -200), (38, -55, -200), (62, 0.05, -0.3), (300, 0.02, -0.02)]
)
def test_rumble_goes_and_voices_stay(rate: int, hertz: float, most_db: float, least_db: float) -> None:
    wave = tone(hertz, 2.0, rate)
    middle = slice(rate // 2, -rate // 2)
    gain = 20 * np.log10(np.std(high_pass(wave, rate)[middle]) / np.std(wave[middle]))
    assert least_db <= gain <= most_db


def test_an_offset_leaves_no_trace_even_at_the_ends() -> None:
    voice = tone(200)
    assert np.abs(high_pass(voice + np.float32(0.5), RATE) - high_pass(voice, RATE)).max() < 1e-4


@pytest.mark.parametrize("size", [1, 2, 700, 5000, 200_001])
def test_as_long_as_before_and_at_the_same_time(size: int) -> None:
    click = np.zeros(size, np.float32)
    click[size // 2] = 1.0
    out = high_pass(click, RATE)
    assert out.shape == click.shape and out.dtype == np.float32
    assert size < 3 or int(np.abs(out).argmax()) == size // 2


def test_blocks_leave_no_seam() -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, 400_000).astype(np.float32)
    late = high_pass(wave[30_000:], RATE)
    np.testing.assert_allclose(high_pass(wave, RATE)[60_000:300_000], late[30_000:270_000], atol=1e-6)
