"""Perturbations: what they may change and what they must leave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.training.perturb import (
    FLOOR,
    perturb_energy,
    perturb_mel,
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
