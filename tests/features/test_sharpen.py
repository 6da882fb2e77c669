"""Sharpening of decoded mels: against scipy's filter, what it must not touch, and how much of it a voice needs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from prosody_transfer.features.sharpen import BANDS, FRAMES, MOST, RESTORED, USUAL, lost_detail, sharpen

MEL = np.random.default_rng(0).normal(-5, 2, (100, 50)).astype(np.float32)


def test_it_is_what_scipy_makes() -> None:
    wide = uniform_filter1d(MEL.astype(float), BANDS, axis=0, mode="nearest")
    long = uniform_filter1d(MEL.astype(float), FRAMES, axis=1, mode="nearest")
    expected = MEL + 0.2 * (MEL - wide) + 0.3 * (MEL - long)
    np.testing.assert_allclose(sharpen(MEL, (0.2, 0.3)), expected, rtol=1e-5)


def test_flat_spectra_and_gain_pass() -> None:
    np.testing.assert_allclose(sharpen(np.full((100, 9), -3.0, np.float32)), -3.0, rtol=1e-6)
    np.testing.assert_allclose(sharpen(MEL + 2), sharpen(MEL) + 2, atol=1e-4)
    assert sharpen(MEL[:, :1]).shape == (100, 1)


@pytest.mark.parametrize("kept", [0.75, 0.65])
def test_what_is_lost_is_given_back(kept: float) -> None:
    flat = np.full_like(MEL, -5.0)
    said = flat + kept * (MEL - flat)
    amounts = lost_detail([(MEL, said, np.zeros(50))])
    assert amounts == pytest.approx((RESTORED / kept - 1,) * 2, abs=1e-3)


def test_detail_of_pauses_does_not_count_and_bounds_hold() -> None:
    energy_db = np.where(np.arange(50) < 25, 0.0, -60.0)
    said = MEL.copy()
    said[:, 30:] = -5.0
    assert lost_detail([(MEL, said, energy_db)]) == USUAL  # nothing is lost in speech
    assert lost_detail([(MEL, np.full_like(MEL, -5.0), energy_db)]) == (MOST, MOST)
