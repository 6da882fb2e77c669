"""Speaker statistics: measured on contours worked by hand, shrunk by the stated formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ShapeError
from prosody_transfer.features.statistics import SpeakerPrior, SpeakerStatistics, measure_speaker, shrink

SECOND = 24000 / 256  # frames
PRIOR = SpeakerPrior()


def clip(hz: float, seconds: float, spread: float = 0.15) -> SpeakerStatistics:
    return SpeakerStatistics(log_f0_median=math.log(hz), log_f0_spread=spread, voiced_seconds=seconds)


def semitones(a: float, b: float) -> float:
    return 12 * (a - b) / math.log(2)


def test_measured_by_hand():
    log_f0 = np.log(np.array([100.0, 110.0, 121.0, 500.0], np.float32))
    measured = measure_speaker([(log_f0[:2], np.array([True, True])), (log_f0[2:], np.array([True, False]))])
    assert measured.log_f0_median == pytest.approx(math.log(110), abs=1e-6)
    assert measured.log_f0_spread == pytest.approx(1.4826 * math.log(1.1), abs=1e-6)
    assert measured.voiced_seconds == pytest.approx(3 / SECOND)
    slower = measure_speaker([(log_f0, np.ones(4, bool))], MelConfig(sample_rate=12000))
    assert slower.voiced_seconds == pytest.approx(8 / SECOND)


def test_spread_of_a_gaussian_contour_is_its_deviation():
    contour = np.random.default_rng(0).normal(5.0, 0.2, 20000)
    assert measure_speaker([(contour, np.ones(20000, bool))]).log_f0_spread == pytest.approx(0.2, rel=0.03)


def test_octave_errors_do_not_move_it():
    contour = np.full(200, 5.0)
    contour[:30] += math.log(2)
    measured = measure_speaker([(contour, np.ones(200, bool))])
    assert (measured.log_f0_median, measured.log_f0_spread) == (5.0, 0.0)


@pytest.mark.parametrize("recordings", [[], [(np.full(9, 5.0), np.zeros(9, bool))]])
def test_no_voice_gives_the_prior(recordings):
    measured = measure_speaker(recordings)
    assert measured.voiced_seconds == 0
    known = shrink(measured)
    assert known.log_f0_median == pytest.approx(0.59 * 4.758 + 0.41 * 5.270)
    assert known.log_f0_spread == pytest.approx(PRIOR.spread)


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ShapeError, match=r"\(3,\) does not fit voicing \(4,\)"):
        measure_speaker([(np.zeros(3), np.zeros(4, bool))])


def test_one_mode_is_plain_shrinkage():
    """(n x + kappa m) / (n + kappa), worked by hand: kappa = 0.2^2 / 0.1^2 = 4 s, n = 2 s."""
    one = SpeakerPrior(
        weights=(0.5, 0.5), means=(5.0, 5.0), deviations=(0.1, 0.1), clip_deviation=0.2, spread=0.2, spread_seconds=2.0
    )
    known = shrink(SpeakerStatistics(log_f0_median=5.3, log_f0_spread=0.1, voiced_seconds=2.0), one)
    assert known.log_f0_median == pytest.approx((2 * 5.3 + 4 * 5.0) / 6)
    assert known.log_f0_spread == pytest.approx(0.15)


def test_two_modes_by_hand():
    """x half-way between two equal modes: both are as likely, and the level stays."""
    two = SpeakerPrior(weights=(0.5, 0.5), means=(4.7, 5.3), deviations=(0.1, 0.1), clip_deviation=0.1)
    assert shrink(clip(math.exp(5.0), 1.0), two).log_f0_median == pytest.approx(5.0)
    # x on the upper mode: r = 1 / (1 + exp(-0.6^2 / 2 / 0.02)); mu_1 = (5.3 + 4.7) / 2, mu_2 = 5.3
    likely = 1 / (1 + math.exp(-(0.6**2) / 2 / 0.02))
    assert shrink(clip(math.exp(5.3), 1.0), two).log_f0_median == pytest.approx(likely * 5.3 + (1 - likely) * 5.0)


@pytest.mark.parametrize("hz", [85.0, 105.0, 120.0, 190.0, 205.0, 240.0])
def test_two_seconds_of_anyone_move_less_than_a_semitone(hz):
    known = shrink(clip(hz, 2.0))
    assert abs(semitones(known.log_f0_median, math.log(hz))) < 1.0


def test_a_shorter_clip_moves_more():
    moved = [abs(shrink(clip(300.0, seconds)).log_f0_median - math.log(300)) for seconds in (0.2, 1, 5, 25)]
    assert moved == sorted(moved, reverse=True) and moved[0] > 10 * moved[-1] > 0


LEVELS, SECONDS, SPREADS = st.floats(60, 500), st.floats(0, 1000), st.floats(0, 1)


@given(LEVELS, SECONDS, SPREADS)
def test_between_the_clip_and_the_modes(hz, seconds, spread):
    known = shrink(clip(hz, seconds, spread))
    ends = [math.log(hz), *PRIOR.means]
    assert min(ends) - 1e-9 <= known.log_f0_median <= max(ends) + 1e-9
    low, high = sorted([spread, PRIOR.spread])
    assert low - 1e-9 <= known.log_f0_spread <= high + 1e-9
    assert known.voiced_seconds == seconds


@given(st.one_of(st.floats(60, 105), st.floats(210, 500)), st.floats(1, 1000))
def test_outside_both_modes_it_goes_towards_the_nearer_one(hz, seconds):
    level = math.log(hz)
    near = min(PRIOR.means, key=lambda m: abs(m - level))
    low, high = sorted([level, near])
    assert low - 1e-9 <= shrink(clip(hz, seconds)).log_f0_median <= high + 1e-9


@given(LEVELS, SPREADS)
def test_tends_to_the_clip(hz, spread):
    known = shrink(clip(hz, 1e6, spread))
    assert known.log_f0_median == pytest.approx(math.log(hz), abs=1e-6)
    assert known.log_f0_spread == pytest.approx(spread, abs=1e-4)


@given(LEVELS)
def test_tends_to_the_prior(hz):
    known = shrink(clip(hz, 1e-9))
    assert known.log_f0_median == pytest.approx(shrink(clip(hz, 0.0)).log_f0_median, abs=1e-3)
