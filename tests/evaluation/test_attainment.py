"""How much of the natural margin is reached: neighbours, few sources, and recordings of several people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.evaluation.attainment import LEAST, LEAST_LOW, Attained, attained, margins
from prosody_transfer.evaluation.identity import unit


def recordings(direction: int, count: int, noise: float = 0.15, seed: int = 0, size: int = 64) -> np.ndarray:
    """(count, size) about one axis."""
    rng = np.random.default_rng(seed + 100 * direction)
    return unit(np.eye(size)[direction] + noise * rng.standard_normal((count, size)) / np.sqrt(size))


def test_the_speakers_own_recordings_reach_all_of_it():
    known, centres = recordings(0, 12), np.eye(64)[[1, 2, 3] * 5]
    made, natural = margins(recordings(0, 15, seed=7), known, centres)
    found = attained(made, natural)
    assert found.ratio == pytest.approx(1, abs=0.01) and not found.failed()


def test_outputs_halfway_to_the_source_are_refused_with_what_the_sources_can_show():
    centres = np.eye(64)[[1, 2, 3] * 5]
    found = attained(*margins(unit(recordings(0, 15, seed=7) + centres), recordings(0, 12), centres))
    assert found.ratio == pytest.approx(0, abs=0.05)
    assert len(found.failed()) == 2 and "not 0.85" in found.failed()[0] and "bound" in found.failed()[1]
    assert "15 sources can show a shortfall of" in found.line()


def test_a_natural_neighbour_alone_does_not_decide():
    """One source of fourteen from whom the speaker's own recordings are hardly told: its own ratio is -5."""
    natural = np.array([0.3] * 13 + [0.01])
    made = np.array([0.29] * 13 + [-0.05])
    found = attained(made, natural)
    assert (made / natural).mean() < 0.6 < LEAST < found.ratio and found.low >= LEAST_LOW and not found.failed()


def test_one_bad_source_in_three_fails_by_the_bound():
    found = attained([0.3] * 8 + [0.0] * 4, [0.3] * 12)
    assert found.ratio == pytest.approx(2 / 3) and found.low < LEAST_LOW and len(found.failed()) == 2


@pytest.mark.parametrize("natural", [0.0, -0.05])
def test_a_speaker_without_a_margin_of_their_own_cannot_pass(natural):
    found = attained([0.3] * 5, [natural] * 5)
    assert found.ratio is None and found.low is None and found.line() == ""
    assert "hardly nearer to each other" in found.failed()[0]


def test_more_sources_show_smaller_shortfalls():
    rng = np.random.default_rng(0)
    made = 0.27 + 0.05 * rng.standard_normal(160)
    few, many = attained(made[:10], [0.3] * 10), attained(made, [0.3] * 160)
    assert few.shortfall > 2.5 * many.shortfall > 0


@pytest.mark.parametrize("count", [3, 6, 24])
def test_both_margins_are_compared_with_the_same_centres(count):
    """With few recordings the centre that leaves one out is farther off for both: the ratio does not depend on it."""
    centres, ratios = np.eye(64)[[1, 2, 3] * 20], []
    for seed in range(30):
        ratios.append(attained(*margins(recordings(0, 60, 1.0, 99), recordings(0, count, 1.0, seed), centres)).ratio)
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)


def test_what_is_hard_for_every_voice_is_no_shortfall_of_this_one():
    natural, made = np.full(12, 0.3), np.array([0.27] * 8 + [0.09] * 4)
    alone, beside = attained(made, natural), attained(made, natural, {"ann": (made, natural)})
    assert alone.failed() and not beside.failed()
    assert beside.ratio == pytest.approx(1) == beside.low and beside.of_natural == alone.ratio == beside.usual
    assert beside.shortfall == pytest.approx(0, abs=1e-9), "drawn together, source by source"


def test_the_shipped_voice_that_reaches_least_is_the_yardstick():
    natural = np.full(12, 0.3)
    shipped = {"ann": (0.8 * natural, natural), "bea": (0.6 * natural, natural), "cay": (1.2 * natural, natural)}
    found = attained(0.54 * natural, natural, shipped)
    assert (found.least, found.usual, found.ratio) == ("bea", pytest.approx(0.6), pytest.approx(0.9))
    why = attained(0.48 * natural, natural, shipped).failed()[0]
    assert "reach 0.48 of the margin" in why and "0.80 of what the shipped voice bea does, not 0.85" in why


def test_shipped_voices_make_it_no_stricter():
    natural = np.full(12, 0.3)
    for theirs in (1.2 * natural, -natural):
        found = attained(0.9 * natural, natural, {"ann": (theirs, natural)})
        assert found.ratio == pytest.approx(0.9) and found.least == ""


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=20))
def test_any_margins_give_a_verdict(pairs):
    found = attained([m for m, _ in pairs], [n for _, n in pairs])
    assert isinstance(found, Attained) and found == attained([m for m, _ in pairs], [n for _, n in pairs])
    assert found.ratio is None or np.isfinite(found.ratio)
    assert all("\n" not in line for line in found.failed())
    assert bool(found.failed()) == (
        found.ratio is None or found.low is None or found.ratio < LEAST or found.low < LEAST_LOW
    )
