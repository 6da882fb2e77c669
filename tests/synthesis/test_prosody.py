"""Rhythm plans and the settings of a transfer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.synthesis.prosody import ASPECTS, TransferSettings, plan_rhythm, shape_pitch

AVERAGE = np.linspace(0.5, 3.0, 40)
PLANS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 39)), min_size=1, max_size=20)


def arrays(phones):
    durations, ids = np.array(phones).T
    return durations, ids


@settings(deadline=None)
@given(PLANS, st.floats(0, 1), st.floats(0.25, 4))
def test_a_plan_is_whole_and_moves_forward(phones, weight, scale):
    durations, ids = arrays(phones)
    total = max(1, round(durations.sum() * scale))
    plan = plan_rhythm(durations, ids, AVERAGE, weight, total)
    assert plan.durations.sum() == total == len(plan.source_frame)
    assert (plan.durations >= 0).all()
    assert (np.diff(plan.source_frame) >= 0).all()
    assert plan.source_frame.min() >= 0 and plan.source_frame.max() < durations.sum()
    # Every output frame is taken from the phone that it belongs to.
    assert np.array_equal(
        np.repeat(np.arange(len(durations)), durations)[plan.source_frame],
        np.repeat(np.arange(len(durations)), plan.durations),
    )


@given(PLANS)
def test_the_full_rhythm_is_the_sources(phones):
    durations, ids = arrays(phones)
    plan = plan_rhythm(durations, ids, AVERAGE, 1.0, int(durations.sum()))
    assert np.array_equal(plan.durations, durations)
    assert np.array_equal(plan.source_frame, np.arange(durations.sum()))


@given(PLANS)
def test_pauses_and_the_stretches_between_them_keep_their_length(phones):
    durations, ids = arrays(phones)
    plan = plan_rhythm(durations, ids, AVERAGE, 0.0, int(durations.sum()))
    borders = [0, *(np.flatnonzero(np.diff(ids == 0)) + 1), len(ids)]
    for a, b in zip(borders, borders[1:], strict=False):
        assert plan.durations[a:b].sum() == durations[a:b].sum()


def test_no_rhythm_is_the_voices_own_by_hand():
    average = np.zeros(40)
    average[1], average[2] = np.log(2.0), np.log(6.0)
    plan = plan_rhythm(np.array([3, 8, 8, 5]), np.array([0, 1, 2, 0]), average, 0.0, 24)
    assert plan.durations.tolist() == [3, 4, 12, 5]
    half = plan_rhythm(np.array([3, 8, 8, 5]), np.array([0, 1, 2, 0]), average, 0.5, 24)
    assert half.durations.tolist() == [3, 6, 10, 5]  # geometric means 4 and 6.9, brought to 16 frames


def test_twice_as_long_by_hand():
    plan = plan_rhythm(np.array([2, 1]), np.array([1, 2]), AVERAGE, 1.0, 6)
    assert plan.durations.tolist() == [4, 2] and plan.source_frame.tolist() == [0, 0, 1, 1, 2, 2]


def test_more_phones_than_output_frames():
    plan = plan_rhythm(np.ones(8, int), np.arange(1, 9), AVERAGE, 1.0, 2)
    assert plan.durations.sum() == 2 == len(plan.source_frame)


def test_pitch_by_hand():
    changed = TransferSettings(f0_range_scale=2.0, f0_shift_semitones=12.0)
    assert shape_pitch(np.array([-0.1, 0.0, 0.2]), changed) == pytest.approx(np.log(2) + np.array([-0.2, 0.0, 0.4]))
    assert np.array_equal(shape_pitch(np.array([-0.1, 0.2]), TransferSettings()), np.array([-0.1, 0.2]))


@pytest.mark.parametrize("wrong", [
    {"keep": ("rythm",)}, {"strength": 1.1}, {"strength": -0.1}, {"strength": float("nan")}, {"f0_range_scale": 5.0},
    {"f0_shift_semitones": 30.0}, {"duration_scale": 0.0}, {"duration_scale": float("inf")}, {"recognise": "letters"},
])  # fmt: skip
def test_settings_out_of_range_are_named(wrong):
    (name,) = wrong
    with pytest.raises(UsageError) as caught:
        TransferSettings(**wrong).check()
    assert caught.value.place == "--" + name.replace("_", "-") and caught.value.remedy and caught.value.exit_code == 2


def test_the_neutral_settings_pass():
    assert TransferSettings().check() == TransferSettings(keep=ASPECTS)
    assert TransferSettings(keep=(), strength=0.0, duration_scale=4.0).check().keep == ()
