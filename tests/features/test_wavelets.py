"""The wavelet transform against closed forms, and lines that follow peaks over scales."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.features.wavelets import C_DELTA, PSI_0, lines_of_maxima, peaks, transform

TIME = np.arange(600.0)


def bump(at: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((TIME - at) / width) ** 2)


def of_bump(scale: float, width: float, away: float, octave: float) -> float:
    """The transform of a Gaussian by hand: the integral of hat and Gaussian is a hat as wide as both together."""
    both = width**2 + scale**2
    height = 2 / (np.sqrt(3) * np.pi**0.25) * np.sqrt(2 * np.pi) * width * scale**2 / both**1.5
    return octave / (C_DELTA * PSI_0) * height * (1 - away**2 / both) * np.exp(-(away**2) / both / 2)


@pytest.mark.parametrize("scale", [4.0, 9.5, 30.0])
@pytest.mark.parametrize("away", [0, 7, 25])
def test_a_gaussian_by_hand(scale: float, away: int) -> None:
    found = transform(bump(300, 8.0), np.array([scale]), 0.25)[0]
    assert found[300 + away] == pytest.approx(of_bump(scale, 8.0, away, 0.25), abs=2e-5)


def test_all_scales_together_are_the_signal() -> None:
    signal = bump(200, 10) - 0.7 * bump(330, 14)
    scales = 2 * 2.0 ** np.arange(0, 8, 0.25)
    again = transform(signal, scales, 0.25).sum(0)
    assert np.corrcoef(again[100:500], signal[100:500])[0, 1] > 0.99
    assert again[200] == pytest.approx(1, abs=0.06)


def test_a_constant_has_no_transform() -> None:
    assert np.abs(transform(np.full(50, 3.0), np.array([1.0, 8.0, 64.0]), 0.25)).max() < 1e-9


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_peaks_are_higher_than_what_is_beside(values: list[int]) -> None:
    row = np.array(values, float)
    found = peaks(row)
    by_hand = []
    for i in range(1, len(row)):
        end = i
        while end + 1 < len(row) and row[end + 1] == row[i]:
            end += 1
        if row[i - 1] < row[i] and end + 1 < len(row) and row[end + 1] < row[i]:
            by_hand.append(i)
    assert list(found) == by_hand


def test_lines_join_and_the_strongest_goes_on() -> None:
    """Two peaks at 2 and 6 become one at 5: by hand, the second goes on, and its strength is the sum along it."""
    matrix = np.array([[0, 1, 2, 1, 0, 1, 4, 1, 0, 0], [0, 0, 1, 2, 3, 5, 3, 1, 0, 0], [0, 0, 1, 2, 4, 3, 2, 1, 0, 0]])
    lines = lines_of_maxima(matrix.astype(float), np.array([1.0, 2.0, 4.0]))
    assert lines == [(2.0, 2.0), (5.0, 13.0)]


def test_a_line_does_not_leap() -> None:
    matrix = np.zeros((2, 40))
    matrix[0, 5], matrix[1] = 1.0, np.r_[np.linspace(0, 1, 36), 0.5, 0.4, 0.3, 0.2]
    assert lines_of_maxima(matrix, np.array([1.0, 2.0])) == [(5.0, 1.0)]
