"""Tests against hand-worked examples and scipy, and the one promise that counts: no differences that are not there."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.analysis import ALL_ASPECTS, analyse, find_effects, score_systems
from prosody_transfer.evaluation.listening.comparisons import TESTS, compare, min_f, pair_tests
from prosody_transfer.evaluation.listening.cube import Cube, make_cube
from prosody_transfer.evaluation.listening.effects import effect
from prosody_transfer.evaluation.listening.panel import Panel
from prosody_transfer.evaluation.listening.ratings import Rating
from prosody_transfer.evaluation.statistics import holm


def simulate(rng: np.random.Generator, means: list[float], listeners: int = 20, items: int = 12) -> np.ndarray:
    """(L, I, S) ratings: listeners and items differ in level (10, 8 points) and in what they do to a system (5, 5)."""
    shape = listeners, items, len(means)
    effects = [(10, (listeners, 1, 1)), (8, (1, items, 1)), (5, (listeners, 1, shape[2])), (5, (1, items, shape[2]))]
    scores = np.array(means) + sum(rng.normal(0, spread, size) for spread, size in effects) + rng.normal(0, 12, shape)
    return np.clip(np.round(scores), 0, 100)


def cube_of(scores: np.ndarray, roles: tuple = ()) -> Cube:
    listeners, items, systems = ([f"{kind}{i}" for i in range(n)] for kind, n in zip("lis", scores.shape, strict=True))
    return Cube(tuple(listeners), tuple(items), tuple(systems), roles or ("system",) * len(systems), scores)


def rating(listener: str, item: str, system: str, score: float, **more) -> Rating:
    session, page, stimulus = f"s-{listener}", f"page-{item}", f"x{system}"
    made = Rating(listener, session, page, item, "overall", stimulus, system, "system", score, 1.0, False)
    return made._replace(**more)


def panel_of(ratings: list[Rating], **more) -> Panel:
    facts = {"test": "t", "kind": "naturalness", "title": "T", "reference": False, "aspects": ("overall",)}
    return Panel(**{**facts, **more}, ratings=tuple(ratings))


def test_no_difference_is_found_where_there_is_none_and_the_naive_test_finds_many() -> None:
    rng = np.random.default_rng(1)
    found = dict.fromkeys(TESTS, 0)
    verdicts = 0
    for _ in range(200):
        (comparisons,) = compare([cube_of(simulate(rng, [60, 60, 60]))])
        verdicts += any(c.better for c in comparisons)
        for kind in TESTS:
            found[kind] += any(c.tests[kind].p_holm <= 0.05 for c in comparisons)
    assert found["min_f"] == verdicts <= 10  # 5 % of 200, over the whole family of pairs
    assert found["t_ratings"] > 60 and found["wilcoxon_ratings"] > 60  # why verdicts don't rest on these


def test_planted_differences_are_found_and_nothing_beside_them() -> None:
    rng = np.random.default_rng(2)
    hits = wrong = 0
    for _ in range(50):
        (comparisons,) = compare([cube_of(simulate(rng, [55, 70, 55]))])
        better = {(c.first, c.second): c.better for c in comparisons}
        hits += better["s0", "s1"] == "s1" and better["s1", "s2"] == "s1"
        wrong += better["s0", "s2"] != ""
    assert hits >= 48 and wrong <= 4


def test_the_tests_are_scipys() -> None:
    scores = simulate(np.random.default_rng(3), [50, 58])
    a, b = scores[..., 0], scores[..., 1]
    found = pair_tests(a - b)
    expected = {
        "t_ratings": stats.ttest_rel(a.ravel(), b.ravel()),
        "wilcoxon_ratings": stats.wilcoxon(a.ravel(), b.ravel()),
        "t_listeners": stats.ttest_rel(a.mean(1), b.mean(1)),
        "t_items": stats.ttest_rel(a.mean(0), b.mean(0)),
    }
    for kind, test in expected.items():
        assert found[kind].statistic == pytest.approx(test.statistic) and found[kind].p == pytest.approx(test.pvalue)


def test_min_f_by_hand() -> None:
    found = min_f(4.0, 3.0, 20, 12)  # F1 = 16, F2 = 9
    assert found.statistic == pytest.approx(144 / 25)
    freedom = 25**2 / (16**2 / 11 + 9**2 / 19)
    assert freedom == pytest.approx(22.697, abs=1e-3)
    assert found.p == pytest.approx(2 * stats.t.sf(math.sqrt(144 / 25), freedom))  # F with 1 and n is t squared
    assert found.p > max(2 * stats.t.sf(4.0, 19), 2 * stats.t.sf(3.0, 11))  # stricter than either alone
    assert min_f(3.0, -2.0, 20, 12).p == 1.0
    assert min_f(math.inf, math.inf, 5, 5).p < 1e-6


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


def test_holm_is_over_all_pairs_of_all_aspects() -> None:
    rng = np.random.default_rng(4)
    cubes = [cube_of(simulate(rng, [60, 62, 64])) for _ in range(2)]
    together = [c for found in compare(cubes) for c in found]
    p = [c.tests["min_f"].p for c in together]
    assert len(p) == 6
    assert [c.tests["min_f"].p_holm for c in together] == pytest.approx(holm(p))


SCORES = st.integers(0, 100).map(float)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.tuples(SCORES, SCORES), min_size=3, max_size=3), min_size=3, max_size=6), st.data())
def test_comparing_ignores_how_high_a_listener_rates_and_turns_with_the_pair(data, draws) -> None:
    scores = np.array(data)  # (L, 3, 2)
    ((one,),) = compare([cube_of(scores)])
    ((turned,),) = compare([cube_of(scores[..., ::-1])])
    assert turned.difference.value == pytest.approx(-one.difference.value)
    assert turned.difference.low == pytest.approx(-one.difference.high)
    levels = np.array(draws.draw(st.lists(st.integers(-50, 50), min_size=len(scores), max_size=len(scores))))
    ((moved,),) = compare([cube_of(scores + levels[:, None, None])])
    for kind in TESTS:
        assert turned.tests[kind].p == pytest.approx(one.tests[kind].p)
        assert moved.tests[kind].p == pytest.approx(one.tests[kind].p)


def test_identical_ratings_and_constant_differences() -> None:
    same = np.full((4, 3, 2), 50.0)
    ((found,),) = compare([cube_of(same)])
    assert {test.p for test in found.tests.values()} == {1.0} and found.better == ""
    same[..., 1] += 10  # no scatter at all: t is infinite
    ((found,),) = compare([cube_of(same)])
    assert found.better == "s1" and found.difference.value == found.difference.low == -10


@pytest.mark.parametrize("shape", [(1, 12), (12, 1), (1, 1)])
def test_too_little_data_gives_no_verdict(shape: tuple[int, int]) -> None:
    scores = simulate(np.random.default_rng(5), [20, 80], *shape)
    ((found,),) = compare([cube_of(scores)])
    assert not found.enough and found.better == "" and found.tests["min_f"].p is None


def test_missing_ratings_are_paired_away() -> None:
    scores = simulate(np.random.default_rng(6), [50, 70])
    scores[3, :, 1] = np.nan  # a listener who never rated the second system
    scores[5, 2, 0] = np.nan
    ((found,),) = compare([cube_of(scores)])
    both = np.isfinite(scores).all(-1)
    assert (found.listeners, found.items, found.difference.n) == (19, 12, 20 * 12 - 12 - 1)
    assert found.difference.value == pytest.approx((scores[..., 0] - scores[..., 1])[both].mean())
    assert found.tests["t_ratings"].p == pytest.approx(stats.ttest_rel(scores[both][:, 0], scores[both][:, 1]).pvalue)


def test_scores_of_a_system_by_hand() -> None:
    scores = np.array([[[10.0], [20.0]], [[60.0], [np.nan]]])
    (found,) = score_systems(cube_of(scores))
    assert (found.mean.value, found.median, found.mean.n) == (30.0, 20.0, 3)
    assert (found.listeners, found.items) == (2, 2)
    assert (found.mean.low, found.mean.high) == (15.0, 60.0)  # all draws of two listeners: 15, 30 or 60


def test_effects_by_hand() -> None:
    scores = np.zeros((4, 3, 3)) + [60.0, 50.0, 90.0]
    found = effect(scores, ("ptx", "classical", "reference"))
    assert found.relative_change.value == pytest.approx(0.2)
    assert found.gap_closure.value == pytest.approx(0.25)
    assert (found.gap_closure.low, found.gap_closure.high) == pytest.approx((0.25, 0.25))
    assert found.why == ""


def test_no_ratio_is_taken_over_nothing() -> None:
    rng = np.random.default_rng(7)
    low = rng.normal(50, 5, (8, 5))
    scores = np.stack([np.full((8, 5), 60.0), low, low[::-1]], -1)
    found = effect(scores, ("ptx", "classical", "reference"))
    assert found.gap_closure is None and "reference is not surely above classical" in found.why
    assert found.relative_change.low < found.relative_change.value < found.relative_change.high
    scores[..., 1] = 0
    assert effect(scores, ("ptx", "classical", "")).relative_change is None


def test_effect_intervals_cover() -> None:
    rng = np.random.default_rng(8)
    inside = 0
    for _ in range(100):
        listeners = rng.normal(0, 5, (24, 1, 3)) + rng.normal(0, 8, (24, 1, 1))
        scores = np.array([60.0, 50.0, 90.0]) + listeners + rng.normal(0, 10, (24, 10, 3))
        found = effect(scores, ("s", "b", "r"), samples=500).gap_closure
        inside += found.low <= 0.25 <= found.high
    assert 88 <= inside <= 99


def test_which_effects_are_taken() -> None:
    roles = ("reference", "system", "system", "anchor")
    scores = np.zeros((3, 3, 4)) + [95.0, 40.0, 60.0, 20.0] + np.arange(3)[:, None, None]
    pairs = lambda found: [(e.system, e.baseline, e.reference) for e in found]
    cube = cube_of(scores, roles)
    assert pairs(find_effects(cube)) == [("s1", "s3", "s0"), ("s2", "s1", "s0"), ("s2", "s3", "s0")]
    assert pairs(find_effects(cube, "s2")) == [("s1", "s2", "s0")]
    assert pairs(find_effects(cube, "s0")) == [("s1", "s0", ""), ("s2", "s0", "")]


def test_a_cube_averages_what_falls_into_one_cell_and_sorts_names() -> None:
    given = [rating("b", "item 10", "ptx", 40), rating("b", "item 10", "ptx", 60), rating("a", "item 9", "ref", 90)]
    given[2] = given[2]._replace(role="reference")
    cube = make_cube(given)
    assert (cube.listeners, cube.items, cube.systems) == (("a", "b"), ("item 9", "item 10"), ("ref", "ptx"))
    assert cube.scores[1, 1, 1] == 50 and np.isnan(cube.scores[0, 0, 1])


def test_aspects_and_their_mean() -> None:
    given = []
    for aspect, score in (("melody", 80.0), ("rhythm", 40.0)):
        given += [rating(who, item, "ptx", score, aspect=aspect) for who in "ab" for item in "12"]
    given.append(rating("c", "1", "ptx", 0.0, aspect="melody"))  # never rated the rhythm: not in the mean of both
    found = analyse(panel_of(given, aspects=("rhythm", "melody")))
    assert [aspect.name for aspect in found.aspects] == [ALL_ASPECTS, "rhythm", "melody"]
    assert [aspect.systems[0].mean.value for aspect in found.aspects] == pytest.approx([60, 40, 320 / 5])


def test_repeated_pages_are_not_counted_twice() -> None:
    given = [rating(who, "1", "ptx", 50.0) for who in "ab"]
    given += [r._replace(page="again", score=60.0, repeat=True) for r in given]
    (aspect,) = analyse(panel_of(given)).aspects
    assert aspect.systems[0].mean.value == 50 and aspect.systems[0].mean.n == 2


def test_an_unknown_baseline_and_a_panel_of_bad_listeners_are_refused() -> None:
    given = [rating("a", "1", "ptx", 50.0)]
    with pytest.raises(UsageError, match="no system 'x'; known are ptx"):
        analyse(panel_of(given), baseline="x")
    low = [r._replace(role="reference", score=10.0) for r in given]
    with pytest.raises(UsageError, match="excluded every listener"):
        analyse(panel_of(low, reference=True))


def test_results_do_not_depend_on_the_order_of_the_ratings() -> None:
    rng = np.random.default_rng(9)
    given = [rating(who, item, s, float(rng.integers(0, 101))) for who in "abcd" for item in "123" for s in ("p", "q")]
    one, other = (analyse(panel_of(ratings)) for ratings in (given, given[::-1]))
    assert one.aspects[0].comparisons == other.aspects[0].comparisons
    assert dataclasses.asdict(one.aspects[0].systems[0]) == dataclasses.asdict(other.aspects[0].systems[0])
