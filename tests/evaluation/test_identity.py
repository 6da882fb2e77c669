"""Similarities, ratios and equal error rates: hand-worked examples, scikit-learn, and what must not move them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.evaluation.identity import (
    FIGURES,
    SET_FIGURES,
    Naturals,
    equal_error_rate,
    identity_by_group,
    identity_figures,
    identity_summary,
    indistinguishability_eer,
    leave_one_out,
    mean_direction,
    naturals,
    relation,
    unit,
    verification_eer,
)

TARGET, SOURCE = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


def around(centre: np.ndarray, count: int, spread: float, seed: int = 0) -> np.ndarray:
    return unit(centre + spread * np.random.default_rng(seed).standard_normal((count, len(centre))))


def test_a_hand_worked_output():
    found = identity_figures(np.array([0.6, 0.8, 0.0]), TARGET, SOURCE)
    assert found == {"target_similarity": 0.6, "source_similarity": 0.8, "margin": -0.2}
    assert set(found) == {f.key for f in FIGURES} <= {f.key for f in SET_FIGURES}


def test_length_of_the_vectors_does_not_matter():
    output = np.array([0.3, 0.4, 0.1])
    assert identity_figures(7 * output, 0.1 * TARGET, 3 * SOURCE) == identity_figures(output, TARGET, SOURCE)


def test_leaving_one_out_by_hand():
    """Of (1,0), (0,1), (1,0): the first against the mean of (0,1) and (1,0), 45 degrees; the second against (1,0)."""
    found = leave_one_out(np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 0.0]]))
    assert found == pytest.approx([np.sqrt(0.5), 0.0, np.sqrt(0.5)])
    assert mean_direction(np.array([[1.0, 0.0], [0.0, 5.0]])) == pytest.approx([np.sqrt(0.5)] * 2)
    with pytest.raises(ValueError, match="at least two"):
        leave_one_out(np.ones((1, 3)))


def test_naturals_by_hand():
    target = np.array([[1.0, 0.0, 0.0], [0.6, 0.0, 0.8]])
    found = naturals(target, SOURCE)
    assert found == Naturals(pytest.approx(0.6), 0.0, None, 0.0), "one recording says nothing about itself"
    turned = naturals(np.stack([SOURCE, TARGET]), np.stack([TARGET, TARGET]))
    assert turned.natural_source_source == pytest.approx(1.0)
    assert turned.natural_target_source == pytest.approx(0.5)
    assert turned.natural_source_target == pytest.approx(np.sqrt(0.5))
    assert turned.natural_target_target == pytest.approx(0.0)


def test_attainment_and_leak_by_hand():
    """Half way between 0.5 and 0.9 to the target; a quarter of the way from 0.4 to 0.8 to the source."""
    natural = dict(zip(Naturals.__dataclass_fields__, (0.9, 0.4, 0.8, 0.5), strict=True))
    rows = [{"target_similarity": 0.7, "source_similarity": 0.5, "margin": 0.2, **natural}] * 4
    found = identity_summary(rows)
    assert found["identity_attainment"].value == pytest.approx(0.5)
    assert found["leak_index"].value == pytest.approx(0.25)
    gap = identity_summary([*rows, {**rows[0], "natural_source_source": None}])
    assert gap["leak_index"].n == 4 and gap["identity_attainment"].n == gap["margin"].n == 5
    assert gap["leak_index"].value == pytest.approx(0.25)
    assert found["margin_positive"].value == 1.0 and found["margin_p5"].value == pytest.approx(0.2)


def test_ends_of_the_scales():
    """Natural target recordings as outputs attain 1 and leak 0; natural source recordings attain 0 and leak 1."""
    target, source = around(TARGET + 0.4, 200, 0.15, 1), around(SOURCE + 0.4, 200, 0.15, 2)
    natural = naturals(target, source)
    judge = lambda outputs: identity_summary(
        [identity_figures(o, mean_direction(target), mean_direction(source), natural) for o in outputs], samples=50
    )
    good, bad = judge(target), judge(source)
    assert good["identity_attainment"].value == pytest.approx(1, abs=0.01)
    assert good["leak_index"].value == pytest.approx(0, abs=0.01)
    assert bad["identity_attainment"].value == pytest.approx(0, abs=0.01)
    assert bad["leak_index"].value == pytest.approx(1, abs=0.01)
    assert good["margin_positive"].value == 1.0 and bad["margin_positive"].value == 0.0


def test_summary_with_clusters_and_gaps():
    rng = np.random.default_rng(0)
    rows = [{"target_similarity": 0.7, "source_similarity": 0.5, "margin": float(m)} for m in rng.normal(0.1, 0.1, 40)]
    free = identity_summary(rows)
    assert "leak_index" not in free and "identity_attainment" not in free, "without natural values nothing is said"
    assert free["margin"].low < free["margin"].value < free["margin"].high
    doubled = identity_summary(rows * 2, [str(i % 40) for i in range(80)])
    assert doubled["margin"].high - doubled["margin"].low == pytest.approx(
        free["margin"].high - free["margin"].low, rel=0.15
    ), "the same outputs twice are no more evidence"
    assert identity_summary(rows) == free and identity_summary([]) == {}
    one = identity_by_group(rows, ["same gender", ""] * 20)
    assert list(one) == ["same gender"] and one["same gender"]["margin"].n == 20


@pytest.mark.parametrize(
    ("source", "target", "f0", "answer"),
    [
        ("female", "female", None, "same gender"), ("female", "male", 90.0, "cross gender"),
        ("", "male", 110.0, "same f0 register"), ("", "male", 220.0, "cross f0 register"), ("", "male", None, ""),
        ("", "male", float("nan"), ""), ("male", "", 100.0, ""),
    ],
)  # fmt: skip
def test_relations(source, target, f0, answer):
    assert relation(source, target, f0) == answer


def test_equal_error_rate_by_hand():
    assert equal_error_rate([0.9, 0.8], [0.2, 0.1]) == 0.0
    assert equal_error_rate([0.1, 0.2], [0.8, 0.9]) == 1.0
    assert equal_error_rate([0.5, 0.5], [0.5, 0.5]) == pytest.approx(0.5)
    # At a threshold between .3 and .5 one of four is wrong on each side.
    assert equal_error_rate([0.9, 0.8, 0.7, 0.3], [0.5, 0.2, 0.1, 0.0]) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="both kinds"):
        equal_error_rate([], [1.0])


scores = st.lists(st.integers(-20, 20), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(scores, scores)
def test_equal_error_rate_equals_scikit_learns_curve(high, low):
    """On sklearn's ROC curve, the point where the false positive rate is one minus the true positive rate."""
    from sklearn.metrics import roc_curve

    rates = roc_curve([1] * len(high) + [0] * len(low), high + low, drop_intermediate=False)
    false, missed = rates[0], 1 - rates[1]
    at = int(np.argmax(false >= missed))
    share = (missed[at - 1] - false[at - 1]) / ((missed[at - 1] - false[at - 1]) + (false[at] - missed[at]))
    wanted = false[at - 1] + share * (false[at] - false[at - 1])
    found = equal_error_rate(high, low)
    assert found == pytest.approx(wanted, abs=1e-12)
    assert found == pytest.approx(equal_error_rate([3 * s + 7 for s in high], [3 * s + 7 for s in low]), abs=1e-12)
    assert equal_error_rate([-s for s in low], [-s for s in high]) == pytest.approx(found, abs=1e-12)


def test_the_two_conventions_move_in_opposite_directions():
    """Outputs drawn as the targets' own recordings, and outputs that are nobody's."""
    centres = {"one": np.eye(8)[0] + 0.3, "two": np.eye(8)[1] + 0.3}
    real = {name: around(c, 40, 0.1, i) for i, (name, c) in enumerate(centres.items())}
    centroids = {name: mean_direction(v) for name, v in real.items()}
    good = {name: around(c, 40, 0.1, i + 5) for i, (name, c) in enumerate(centres.items())}
    poor = {name: around(np.eye(8)[3] + 0.3, 40, 0.1, i + 9) for i, name in enumerate(centres)}
    speakers = ["one"] * 40 + ["two"] * 40
    verified = lambda made: verification_eer(np.concatenate(list(made.values())), speakers, centroids)
    assert verified(good) == 0.0 and 0.35 < verified(poor) < 0.65
    assert 0.4 < indistinguishability_eer(good, real) < 0.6
    assert indistinguishability_eer(poor, real) < 0.05


def test_error_rates_by_hand():
    """Two of four comparisons with the others are nearer than one of the own: own .8, .6; others .6, .8."""
    outputs = np.array([[0.8, 0.6], [0.8, 0.6]])
    assert verification_eer(outputs, ["a", "b"], {"a": np.array([1, 0]), "b": np.array([0, 1])}) == pytest.approx(0.5)
    assert verification_eer(outputs, ["a", "a"], {"a": np.array([1, 0])}) is None
    assert indistinguishability_eer({"a": outputs}, {"a": outputs[:1]}) is None
    same = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])  # pairs .8, .6, .96; outputs score 0, .6, .8 or more
    assert indistinguishability_eer({"a": np.array([[0.0, 1.0]])}, {"a": same}) == pytest.approx(1 / 3)
