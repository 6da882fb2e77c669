"""What recordings are made to suffer: each kind does what it says."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.training.degrade import CODECS, add_noise, band, coded, convolve, degrade, loudness, mu_law, room
from prosody_transfer.training.noises import NOISES

RATE = 12000


@pytest.fixture
def voice() -> np.ndarray:
    at = np.arange(2 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 140 * k * at + k) / k for k in range(1, 30))
    return (0.05 * tone * (np.sin(2 * np.pi * 1.5 * at) > -0.3)).astype(np.float32)


def power(signal: np.ndarray, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(signal)) ** 2
    hertz = np.fft.rfftfreq(len(signal), 1 / RATE)
    return float(spectrum[(hertz >= low) & (hertz < high)].sum())


def test_a_telephone_line_leaves_nothing_of_the_fundamental(voice):
    line = band(voice, RATE, 300, 3400)
    assert power(line, 60, 280) < 1e-9 * power(voice, 60, 280)
    assert power(line, 500, 3000) == pytest.approx(power(voice, 500, 3000), rel=1e-3)


def test_a_room_begins_with_the_direct_sound(voice):
    response = room(RATE, np.random.default_rng(2))
    assert response[0] == 1 and np.abs(response[1:]).max() < 1
    early, late = (np.square(response[a:b]).mean() for a, b in ((10, 1000), (-400, -200)))
    assert late < 0.2 * early
    assert len(convolve(voice, response)) == len(voice)


@pytest.mark.parametrize("kind", NOISES)
def test_every_noise_is_as_loud_as_asked(kind, voice):
    noise = NOISES[kind][1](len(voice), RATE, np.random.default_rng(4))
    assert noise.dtype == np.float32 and np.sqrt(np.mean(noise**2)) == pytest.approx(1, abs=0.01)
    added = add_noise(voice, noise, 5.0) - voice
    assert 20 * np.log10(loudness(voice) / np.sqrt(np.mean(added**2))) == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("codec", CODECS)
def test_codecs_keep_the_time(codec, voice):
    if codec == "amr":
        av = pytest.importorskip("av")
        try:
            av.Codec("libopencore_amrnb", "w")
        except av.FFmpegError:
            pytest.skip("this FFmpeg has no AMR encoder")
    heard = coded(voice, RATE, codec, CODECS[codec][2][-1])
    assert len(heard) == len(voice) and not np.array_equal(heard, voice)
    levels = [np.square(x).reshape(-1, 240).mean(1) for x in (heard, voice)]  # AMR keeps no phases
    assert np.corrcoef(*levels)[0, 1] > 0.9


def test_eight_bits_are_nearly_enough(voice):
    assert 0 < np.abs(mu_law(voice) - voice).max() < 0.02


def test_degraded_crops_are_finite_levelled_and_the_same_again(voice):
    quiet = lambda size: np.random.default_rng(0).standard_normal(size).astype(np.float32)
    for seed in range(25):
        once, again = (degrade(voice, RATE, np.random.default_rng(seed), quiet) for _ in range(2))
        assert np.array_equal(once, again) and np.isfinite(once).all()
        assert once.dtype == np.float32 and len(once) == len(voice)
        assert 0.01 < loudness(once) < 0.3
