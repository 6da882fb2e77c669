"""Soft lines reach the networks as loud as others, and go back to where they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.levelling import level_source
from prosody_transfer.audio.loudness import speech_level_db

RATE = 24000
EXAMPLE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"
LEVELS = [0, -10, -20, -30, -40, -45]


@pytest.fixture(scope="module")
def line() -> np.ndarray:
    wave = read_audio(EXAMPLE, RATE).waveform
    return wave * np.float32(10 ** ((-20 - speech_level_db(wave, RATE)) / 20))


def scene(line: np.ndarray, levels: list[int], noise_db: float | None) -> tuple[np.ndarray, list[slice]]:
    gap = np.zeros(round(0.4 * RATE), np.float32)
    parts = [part for level in levels for part in (line * np.float32(10 ** (level / 20)), gap)]
    wave = np.concatenate(parts)
    if noise_db is not None:
        wave = wave + 10 ** (noise_db / 20) * np.random.default_rng(0).standard_normal(len(wave)).astype(np.float32)
    step = len(line) + len(gap)
    return wave, [slice(i * step, i * step + len(line)) for i in range(len(levels))]


@pytest.mark.parametrize("noise_db", [None, -80])
@pytest.mark.parametrize("order", [1, -1])
def test_soft_lines_are_raised_to_the_others(line: np.ndarray, order: int, noise_db: float | None) -> None:
    wave, lines = scene(line, LEVELS[::order], noise_db)
    levelled = level_source(wave, RATE)
    reached = [speech_level_db(levelled.waveform[part], RATE) for part in lines]
    assert max(reached) < -18 and min(reached) > -50, reached
    by_level = dict(zip(LEVELS[::order], reached, strict=True))
    assert by_level[0] == pytest.approx(-23.5, abs=3.5)
    assert all(by_level[k] > by_level[0] - 16 for k in LEVELS), by_level


def test_what_was_raised_goes_back_to_where_it_was(line: np.ndarray) -> None:
    wave, lines = scene(line, LEVELS, -80)
    levelled = level_source(wave, RATE)
    back, limited = levelled.level.give_back(levelled.waveform)
    assert not limited and len(back) == len(wave)
    for part in lines:
        assert speech_level_db(back[part], RATE) == pytest.approx(speech_level_db(wave[part], RATE), abs=0.2)


def test_a_line_by_itself_is_only_scaled(line: np.ndarray) -> None:
    assert level_source(line, RATE).level.ride_db is None
    long_pause = np.pad(line, (8 * RATE, 8 * RATE))
    noise = np.random.default_rng(0).standard_normal(len(long_pause)).astype(np.float32) * np.float32(0.001)
    assert level_source(long_pause, RATE).level.ride_db is None
    assert level_source(long_pause + noise, RATE).level.ride_db is None


def test_a_stretched_output_is_softened_where_its_lines_are(line: np.ndarray) -> None:
    wave, _ = scene(line, [0, -40], None)
    levelled = level_source(wave, RATE)
    ones = levelled.level.unridden(np.ones(2 * len(wave), np.float32))
    same = levelled.level.unridden(np.ones(len(wave), np.float32))
    np.testing.assert_allclose(ones[::2], same, atol=0.01)
    assert same.min() < 0.03 and same.max() == 1.0


def test_an_offset_does_not_count_as_loudness(line: np.ndarray) -> None:
    assert level_source(line + np.float32(0.3), RATE).level.gain_db == pytest.approx(
        level_source(line, RATE).level.gain_db, abs=0.1
    )
