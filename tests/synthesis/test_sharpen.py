"""Sharpening of decoded mels: against scipy's filter, and what it must not touch."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from prosody_transfer.synthesis.speak import SHARPEN_BANDS, SHARPEN_FRAMES, SHARPENING, sharpen

MEL = np.random.default_rng(0).normal(-5, 2, (100, 50)).astype(np.float32)


def test_it_is_what_scipy_makes() -> None:
    wide = uniform_filter1d(MEL.astype(float), SHARPEN_BANDS, axis=0, mode="nearest")
    long = uniform_filter1d(MEL.astype(float), SHARPEN_FRAMES, axis=1, mode="nearest")
    expected = MEL + SHARPENING * (MEL - wide) + SHARPENING * (MEL - long)
    np.testing.assert_allclose(sharpen(MEL), expected, rtol=1e-5)


def test_flat_spectra_and_gain_pass() -> None:
    np.testing.assert_allclose(sharpen(np.full((100, 9), -3.0, np.float32)), -3.0, rtol=1e-6)
    np.testing.assert_allclose(sharpen(MEL + 2), sharpen(MEL) + 2, atol=1e-4)
    assert sharpen(MEL[:, :1]).shape == (100, 1)
