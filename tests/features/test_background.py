"""What is always there does not set the register, and soft speech is not taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.evaluation.trackers import track
from prosody_transfer.features.background import above_background, voice_frames
from prosody_transfer.features.pitch import track_f0

RATE, HOP = 24000, 256
EXAMPLE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return normalise_level(high_pass(read_audio(EXAMPLE, RATE).waveform, RATE), RATE)[0]


def pitch(wave: np.ndarray) -> tuple[float, float]:
    """Median F0 in Hz and voiced seconds."""
    n_frames = 1 + len(wave) // HOP
    log_f0, voiced = track_f0(wave, RATE, HOP, n_frames)
    return float(np.exp(np.median(log_f0[voiced]))), float(voiced.sum() * HOP / RATE)


def hum(mains: float, size: int, level_db: float) -> np.ndarray:
    time = np.arange(size) / RATE
    tones = sum(np.sin(2 * np.pi * mains * k * time + k) for k in (1, 2, 3))
    return 10 ** (level_db / 20) * tones / np.std(tones)


@pytest.mark.parametrize("mains", [50, 60])
def test_hum_over_long_pauses_does_not_move_the_register(voice: np.ndarray, mains: int) -> None:
    expected, seconds = pitch(voice)
    wave = np.pad(voice, (3 * RATE, 3 * RATE))
    found, found_seconds = pitch(wave + hum(mains, len(wave), -60))
    assert found == pytest.approx(expected, rel=0.06) and 0.6 * seconds < found_seconds < 1.35 * seconds


def test_the_judges_tracker_keeps_the_register_too(voice: np.ndarray) -> None:
    from prosody_transfer.audio.resample import resample

    wave = np.pad(voice, (3 * RATE, 3 * RATE))
    plain, humming = (
        track(resample(w.astype(np.float32), RATE, 16000)) for w in (wave, wave + hum(60, len(wave), -60))
    )
    middle = lambda c: np.median(c.log_f0[c.voiced])
    assert middle(humming) == pytest.approx(middle(plain), abs=0.06)


def test_rumble_as_strong_as_the_speech_changes_neither_voicing_nor_pitch(voice: np.ndarray) -> None:
    rumble = 10 ** (-26 / 20) * np.sqrt(2) * np.sin(2 * np.pi * 25 * np.arange(len(voice)) / RATE)
    wave = high_pass((voice + rumble).astype(np.float32), RATE)
    assert pitch(wave) == pytest.approx(pitch(voice), rel=0.03)


@pytest.mark.parametrize("low", [60, 66, 72])
def test_low_voices_keep_their_voicing(low: int) -> None:
    time = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * low * (time + 0.004 * np.sin(2 * np.pi * 2 * time))
    buzz = 0.05 * sum(np.sin(k * phase) / k for k in range(1, 30)) * (np.sin(2 * np.pi * 1.0 * time) > -0.5)
    n_frames = 1 + len(buzz) // HOP
    before = track_f0(buzz, RATE, HOP, n_frames)[1].mean()
    after = track_f0(high_pass(buzz, RATE), RATE, HOP, n_frames)[1].mean()
    assert after > 0.95 * before


def test_soft_speech_is_not_background(voice: np.ndarray) -> None:
    wave = np.concatenate([voice, voice * np.float32(0.25)])  # what is softer is raised first, `level_source`
    n_frames = 2 * len(voice) // HOP
    carried, _, lines = voice_frames(wave, RATE, HOP, n_frames)
    assert carried[n_frames // 2 :].mean() > 0.8 * carried[: n_frames // 2].mean() and not lines


def test_harmonics_that_stand_out_are_named(voice: np.ndarray) -> None:
    wave = np.pad(voice, (RATE, RATE))
    *_, lines = voice_frames(wave + hum(60, len(wave), -60), RATE, HOP, 1 + len(wave) // HOP)
    assert lines == [60.0, 120.0, 180.0]


def test_silence_and_steady_noise_hold_no_voice() -> None:
    noise = 0.01 * np.random.default_rng(0).standard_normal(2 * RATE)
    assert track_f0(noise, RATE, HOP, 188)[1].mean() < 0.1
    assert above_background(np.full(100, -50.0), 0.01).shape == (100,)
