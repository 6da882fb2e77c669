"""Perturbations: what they may change and what they must leave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.training.perturb import (
    FLOOR,
    change_tempo,
    mask_mel,
    perturb_energy,
    perturb_mel,
    reverberate,
    smooth_noise,
    soften_phones,
    warp_bands,
)


def test_warp_moves_peaks():
    mel = np.full((100, 3), -8.0)
    mel[40] = 0.0
    for factor in (0.9, 1.0, 1.1):
        assert warp_bands(mel, factor)[:, 0].argmax() == pytest.approx(40 / factor, abs=1)
    assert np.array_equal(warp_bands(mel, 1.0), mel)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_perturbed_mels_are_sound(seed, size):
    mel = np.random.default_rng(0).normal(-5, 2, (100, size)).astype(np.float32)
    before = mel.copy()
    out = perturb_mel(mel, np.random.default_rng(seed))
    assert out.shape == mel.shape and out.dtype == np.float32
    assert np.isfinite(out).all() and out.min() >= FLOOR and out.max() < 15
    assert np.array_equal(mel, before), "the original is left alone"
    assert np.array_equal(out, perturb_mel(mel, np.random.default_rng(seed)))


def test_no_warp_keeps_formants():
    """Without warping, equalisation and noise keep the strongest band of a clear peak."""
    mel = np.full((100, 4), -9.0)
    mel[30] = 3.0
    assert all(perturb_mel(mel, np.random.default_rng(s), warp=0.0)[:, 0].argmax() == 30 for s in range(30))


def test_a_room_adds_a_tail_that_falls_by_60_db_in_its_time():
    mel = np.full((3, 90), FLOOR)
    mel[1, 10] = 2.0
    wet = reverberate(mel, 0.4, -2.0, 80.0)  # 32 frames
    assert (wet >= mel).all() and (wet[[0, 2]] < FLOOR + 0.8).all() and wet[1, 10] == pytest.approx(2.0, abs=1e-3)
    assert wet[1, 11] == pytest.approx(2.0 - 2.0 - 6.908 / 32, abs=1e-3)
    assert wet[1, 11] - wet[1, 27] == pytest.approx(6.908 / 2, abs=0.05), "30 dB in half of it"


@given(st.integers(0, 10**6), st.integers(1, 60))
def test_masks_are_stripes_at_the_mean(seed, size):
    mel = np.random.default_rng(1).normal(-5, 2, (100, size)).astype(np.float32)
    out = mask_mel(mel, np.random.default_rng(seed), bands=12, frames=8)
    hidden = out != mel
    assert (out[hidden] == np.broadcast_to(mel.mean(1, keepdims=True), mel.shape)[hidden]).all()
    bands, frames = hidden.all(1), hidden.all(0)
    assert size < 17 or (bands.sum() <= 24 and frames.sum() <= 16)
    assert not hidden[~bands][:, ~frames].any()


@given(st.integers(2, 80), st.integers(1, 120))
def test_tempo_moves_sounds_and_labels_together(before, after):
    mel = np.tile(np.arange(before, dtype=float), (2, 1))
    said, labels = change_tempo(mel, np.arange(before), after)
    assert said.shape == (2, after) and labels.shape == (after,)
    assert (np.abs(said[0] - labels) <= 0.5 + 1e-9).all() and labels[0] == 0
    assert after == 1 or (labels[-1] == before - 1 and (np.diff(said[0]) >= 0).all())


@given(st.integers(0, 10**6))
def test_energy_is_only_raised_and_only_in_pauses(seed):
    energy = np.linspace(-50, 10, 61).astype(np.float32)
    out = perturb_energy(energy, np.random.default_rng(seed))
    assert out.dtype == np.float32 and (out >= energy - 1e-4).all()
    assert np.abs(out - energy)[energy > 0].max() < 0.5, "a noise floor does not reach speech"


@given(st.integers(0, 10**6))
def test_soft_phones_stay_distributions(seed):
    rng = np.random.default_rng(seed)
    one_hot = np.eye(5, dtype=np.float32)[rng.integers(0, 5, 12)]
    before = one_hot.copy()
    soft = soften_phones(one_hot, np.full((5, 5), 0.2), rng)
    assert np.allclose(soft.sum(1), 1, atol=1e-5) and (soft >= 0).all()
    assert np.array_equal(one_hot, before)
    assert (soft[np.arange(12), one_hot.argmax(1)] >= 0.2 - 1e-6).all()


def test_smooth_noise_is_smooth():
    curve = smooth_noise(np.random.default_rng(0), 200, 6, 1.0)
    assert curve.shape == (200,) and np.abs(np.diff(curve)).max() < 0.15 and curve.std() > 0.2
