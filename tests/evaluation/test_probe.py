"""Probes: what they find, what they must not find, and intervals worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.core.errors import DependencyError
from prosody_transfer.evaluation import probe as p
from prosody_transfer.evaluation.leakage_figures import compare

SPEAKERS = np.repeat([f"s{k}" for k in range(5)], 8)
EACH = np.arange(len(SPEAKERS))


def features(separation: float, size: int = 4, seed: int = 0) -> np.ndarray:
    """(40, size): noise about a mean of each speaker's own."""
    random = np.random.default_rng(seed)
    means = separation * random.normal(size=(5, size))
    return np.repeat(means, 8, 0) + random.normal(size=(40, size))


@pytest.mark.parametrize("kind", p.KINDS)
def test_a_probe_finds_what_is_there_and_nothing_in_noise(kind):
    assert p.probe(features(5.0), SPEAKERS, EACH, SPEAKERS, kind).accuracy.value > 0.9
    noise = p.probe(features(0.0), SPEAKERS, EACH, SPEAKERS, kind).accuracy
    assert noise.low < 0.2 < noise.high


def test_logistic_regression_draws_no_circles_but_the_small_network_does():
    random = np.random.default_rng(1)
    angles, inner = random.uniform(0, 2 * np.pi, 200), np.arange(200) % 2
    points = np.stack([np.cos(angles), np.sin(angles)], 1) * np.where(inner, 1.0, 3.0)[:, None]
    labels = np.where(inner, "in", "out")
    found = {k: p.probe(points, labels, np.arange(200), labels, k).accuracy.value for k in p.KINDS}
    assert found["mlp"] > 0.95 > 0.7 > found["logistic"]


def test_no_utterance_is_on_both_sides():
    """Steps that are the same within an utterance and random otherwise teach nothing of other utterances."""
    random = np.random.default_rng(0)
    steps = np.repeat(random.normal(size=(40, 4)), 10, 0)
    of_step = np.repeat(EACH, 10)
    found = p.probe(steps, SPEAKERS[of_step], of_step, SPEAKERS, "mlp")
    assert found.accuracy.value < 0.35  # of .2; were steps told apart, it would be 1
    assert found.accuracy.n == 40


def test_predictions_are_those_of_sklearn_itself():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = features(1.0)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    expected = cross_val_predict(model, data, SPEAKERS, groups=EACH, cv=folds)
    assert (p.cross_validate(data, SPEAKERS, EACH, "logistic") == expected).all()
    found = p.probe(data, SPEAKERS, EACH, SPEAKERS, "logistic").accuracy.value
    assert found == pytest.approx(balanced_accuracy_score(SPEAKERS, expected))


def test_labels_that_change_within_an_utterance_are_balanced_by_label():
    from sklearn.metrics import balanced_accuracy_score

    random = np.random.default_rng(2)
    of_step = np.repeat(EACH, 20)
    labels = random.choice(["vowel", "stop"], 800, p=[0.8, 0.2])
    data = np.where(labels == "stop", 1.0, -1.0)[:, None] + random.normal(size=(800, 1))
    found = p.probe(data, labels, of_step, SPEAKERS, "logistic").accuracy
    said = p.cross_validate(data, labels, of_step, "logistic")
    assert found.value == pytest.approx(balanced_accuracy_score(labels, said))
    assert found.low < found.value < found.high


def test_balanced_weighs_speakers_alike_and_differences_are_paired():
    found = p.balanced(np.array([1, 1, 1, 1, 0, 1.0]), ["a"] * 4 + ["b"] * 2)
    assert found.value == pytest.approx((1 + 0.5) / 2)
    assert (found.low, found.high) == (0.5, 1.0)  # a is always right; b's two draws are 0, one half or 1
    assert p.balanced(np.ones(6) - np.ones(6), ["a"] * 3 + ["b"] * 3).high == 0


def test_draws_keep_every_speakers_number():
    drawn = p.draws(["a", "b", "a", "b", "b"], samples=50)
    assert drawn.shape == (50, 5)
    assert (np.isin(drawn, [0, 2]).sum(1) == 2).all()


def test_pool_is_mean_and_deviation():
    assert p.pool(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist() == [2.0, 2.0, 1.0, 0.0]


def test_shuffled_keeps_the_labels_and_moves_them():
    random = p.shuffled(SPEAKERS)
    assert sorted(random) == sorted(SPEAKERS) and (random != SPEAKERS).mean() > 0.5


def test_thinning_is_even_and_bounded():
    kept = p.thin([1000, 10], most=101)
    assert len(kept[0]) == pytest.approx(99, abs=1) and len(kept[1]) == 1
    assert kept[0][0] == 0 and kept[0][-1] == 999 and np.ptp(np.diff(kept[0])) <= 1
    assert [len(k) for k in p.thin([5, 7])] == [5, 7]


def test_a_latent_that_repeats_plain_prosody_is_no_more_than_its_floor():
    plain = features(1.0, 6)
    mixed = plain @ np.random.default_rng(3).normal(size=(6, 6))  # the same in other words
    found = compare(mixed, plain, SPEAKERS, EACH, SPEAKERS)
    assert found["latent"]["logistic"].accuracy.value > 0.4  # well above chance, which is .2 ...
    assert all(above.low <= 0.1 for above in found["above_floor"].values())  # ... and yet no leak
    assert found["shuffled"].accuracy.low < 0.2 < found["shuffled"].accuracy.high + 0.05
    leak = compare(np.hstack([mixed, features(5.0, 4, 9)]), plain, SPEAKERS, EACH, SPEAKERS)
    assert max(above.low for above in leak["above_floor"].values()) > 0.1


def test_without_sklearn_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="prosody-transfer\\[evaluate\\]"):
        p.require_sklearn()
