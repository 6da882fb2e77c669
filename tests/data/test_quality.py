"""What is measured against the thresholds: clipping, noise, voicing, and copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.audio.resample import resample
from prosody_transfer.core.config import MelConfig
from prosody_transfer.data.quality import Quality, clipped_share, envelope, snr_db, voiced_share
from prosody_transfer.data.reasons import REASONS
from prosody_transfer.features.extract import Features, extract

CONFIG = MelConfig()


def measured(wave: np.ndarray, sample_rate: int = 24000) -> Features:
    return extract(normalise_level(resample(wave, sample_rate, 24000), 24000)[0], CONFIG)


def syllables(seed: int = 0, seconds: float = 3.0) -> np.ndarray:
    """A tone that comes and goes, with true silence between; power of the loud parts 0.02."""
    t = np.arange(int(seconds * 24000)) / 24000
    tone = sum(np.sin(2 * np.pi * (120 + 10 * seed) * k * t) for k in range(1, 9)) / 2
    return 0.1 * tone * (np.sin(2 * np.pi * (2 + 0.2 * seed) * t + seed) > 0)


def flat_runs(wave: np.ndarray) -> float:
    """By hand: walk along, count runs of at least three equal samples at the peak."""
    count = 0
    for sign in (1, -1):
        top = sign * wave
        run = 0
        for value in [*top, -np.inf]:
            if value == top.max() and top.max() > 0.01:
                run += 1
            else:
                count += run if run >= 3 else 0
                run = 0
    return count / len(wave)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.02, 0.95), st.floats(0.05, 1.0))
def test_flat_tops_are_counted(seed, limit, gain):
    rng = np.random.default_rng(seed)
    wave = np.convolve(rng.standard_normal(600), np.ones(9) / 3, "same")  # slow enough to stay at the limit for a while
    wave = wave / np.abs(wave).max()
    clipped = gain * np.clip(wave, -limit, limit)
    assert clipped_share(clipped) == pytest.approx(flat_runs(clipped), abs=0.02)


def test_a_clean_recording_is_not_clipped():
    wave = syllables()
    assert clipped_share(wave) == 0.0 and clipped_share(np.zeros(100)) == 0.0 and clipped_share(np.zeros(0)) == 0.0
    assert clipped_share(np.clip(3 * wave, -0.2, 0.2)) > 0.01
    step = np.round(wave * 127) / 127  # 8 bits: equal samples everywhere, but not at the peak alone
    assert clipped_share(step) < Quality().max_clipped


@pytest.mark.parametrize("wanted", [5.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_noise_that_was_added_is_found(wanted, seed):
    clean = syllables(seed)
    power = float((clean[clean != 0] ** 2).mean())
    noise = np.random.default_rng(seed).standard_normal(len(clean)) * np.sqrt(power / 10 ** (wanted / 10))
    assert snr_db(measured(clean + noise)) == pytest.approx(wanted, abs=3)


def test_silence_at_the_ends_is_no_quiet_room():
    """Digital silence around a noisy recording must not make it look clean."""
    clean = syllables(2)
    noise = np.random.default_rng(0).standard_normal(len(clean)) * 0.05
    padded = np.concatenate([np.zeros(24000), clean + noise, np.zeros(24000)])
    assert snr_db(measured(padded)) == pytest.approx(snr_db(measured(clean + noise)), abs=2.5)


def test_voicing():
    assert voiced_share(measured(syllables())) > 0.7
    assert voiced_share(measured(0.05 * np.random.default_rng(0).standard_normal(48000))) < 0.1


def test_copies_have_one_shape_and_others_do_not():
    wave = syllables(1) + 0.001 * np.random.default_rng(0).standard_normal(72000)
    shape = envelope(measured(wave)).astype(int)
    for copy in (0.3 * wave, resample(resample(wave, 24000, 16000), 16000, 24000)):
        assert np.abs(envelope(measured(copy)).astype(int) - shape).max() <= 3
    assert np.abs(envelope(measured(syllables(3))).astype(int) - shape).max() > 10


def test_every_threshold_is_printed_with_its_reason():
    reasons = [reason for reason, _ in Quality().lines()]
    assert set(reasons) <= set(REASONS) and len(reasons) == len(Quality().to_dict()) - 1 == 7
    assert dict(Quality(min_snr_db=17).lines())["noisy"] == "signal-to-noise ratio under 17 dB"
