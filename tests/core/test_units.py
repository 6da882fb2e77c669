"""One rounding rule for seconds, samples and frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.core.units import boundaries_to_durations, frames_to_seconds, samples_to_frames, seconds_to_frames

RATES = st.sampled_from([(24000, 256), (16000, 128), (22050, 200), (48000, 480)])


@given(st.integers(0, 10**7), RATES)
def test_frames_survive_the_way_through_seconds(frames, rate):
    assert seconds_to_frames(frames_to_seconds(frames, *rate), *rate) == frames


@given(st.floats(0, 1e5), RATES)
def test_rounding_errs_by_half_a_frame_at_most(seconds, rate):
    error = frames_to_seconds(seconds_to_frames(seconds, *rate), *rate) - seconds
    assert abs(error) <= 0.5 * rate[1] / rate[0] + 1e-9


@given(st.floats(0, 1e4), st.floats(0, 1e4), RATES)
def test_time_order_is_kept(a, b, rate):
    low, high = sorted([a, b])
    assert seconds_to_frames(low, *rate) <= seconds_to_frames(high, *rate)


@given(st.integers(0, 10**8), st.integers(1, 4096))
def test_frames_cover_the_samples(samples, hop):
    frames = samples_to_frames(samples, hop)
    assert (frames - 1) * hop >= samples > (frames - 2) * hop


@st.composite
def phones(draw):
    steps = draw(st.lists(st.floats(0, 0.5), min_size=1, max_size=40))
    ends = [sum(steps[: i + 1]) for i in range(len(steps))]
    return ends, draw(st.integers(len(ends), len(ends) + 400))


@given(phones(), RATES)
def test_durations_sum_to_the_frames(case, rate):
    ends, n_frames = case
    durations = boundaries_to_durations(ends, n_frames, *rate)
    assert len(durations) == len(ends) and sum(durations) == n_frames and min(durations) >= 1


@given(phones(), RATES, st.floats(0, 0.3))
def test_a_later_boundary_never_comes_earlier(case, rate, later):
    """Moving every end later moves no boundary back."""
    ends, n_frames = case
    edges = lambda e: [sum(d[: i + 1]) for d in [boundaries_to_durations(e, n_frames, *rate)] for i in range(len(d))]
    assert all(a <= b for a, b in zip(edges(ends), edges([e + later for e in ends]), strict=True))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), RATES)
def test_boundaries_on_frames_are_kept(durations, rate):
    ends = [frames_to_seconds(sum(durations[: i + 1]), *rate) for i in range(len(durations))]
    assert boundaries_to_durations(ends, sum(durations), *rate) == durations


def test_by_hand():
    assert boundaries_to_durations([0.1, 0.2], 30, 24000, 256) == [9, 21]
    assert boundaries_to_durations([0.0, 0.0, 0.0], 3, 24000, 256) == [1, 1, 1]
    assert boundaries_to_durations([9.0, 9.0, 9.0], 5, 24000, 256) == [3, 1, 1], "what comes late is squeezed, not lost"
    assert boundaries_to_durations([], 5, 24000, 256) == []
    with pytest.raises(ValueError, match="3 phones do not fit in 2 frames"):
        boundaries_to_durations([0.1, 0.2, 0.3], 2, 24000, 256)


def test_alignment_uses_the_rule():
    intervals = (PhoneInterval("SIL", 0.0, 0.1), PhoneInterval("AH0", 0.1, 0.1), PhoneInterval("K", 0.1, 0.5))
    alignment = Alignment(intervals, (), 0.5, "textgrid")
    assert alignment.durations(48, 24000, 256) == [9, 1, 38]
    moved = alignment.shifted(1.5)
    assert [p.start for p in moved.phones] == [1.5, 1.6, 1.6] and moved.duration == 0.5 and moved.aligner == "textgrid"
