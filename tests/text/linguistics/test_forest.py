"""Boosted trees as arrays give what scikit-learn gives; what is damaged is refused."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.text.linguistics.forest import Forest


@pytest.fixture(scope="module")
def grown():
    pytest.importorskip("sklearn")
    from sklearn.ensemble import HistGradientBoostingClassifier

    chance = np.random.default_rng(0)
    rows = chance.normal(size=(600, 5)).astype(np.float32)
    rows[:, 4] = np.round(rows[:, 4])
    classes = (rows[:, 0] + rows[:, 4] > 0).astype(int) + (rows[:, 1] * rows[:, 2] > 0.3)
    return HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8, random_state=0).fit(rows, classes), rows


def test_probabilities_are_those_of_scikit_learn(grown):
    from prosody_transfer.training.prominence import as_forest

    fitted, rows = grown
    forest = as_forest(fitted, 5)
    assert forest.depth >= 3 and len(forest.feature) == 60
    np.testing.assert_allclose(forest.probabilities(rows), fitted.predict_proba(rows), atol=1e-5)
    np.testing.assert_array_equal(forest.probabilities(rows[:1]), forest.probabilities(rows)[:1])


@pytest.mark.parametrize(("change", "message"), [
    (lambda a: a["f.left"].__setitem__((0, 0), 99), "points outside"), (lambda a: a["f.left"].fill(0), "circles"),
    (lambda a: a["f.value"].__setitem__((0, 0), np.nan), "not finite"),
    (lambda a: a["f.feature"].__setitem__((0, 0), 77), "points outside"),
    (lambda a: a.update({"f.right": a["f.right"][:, 1:]}), "shapes"),
])  # fmt: skip
def test_a_damaged_forest_is_refused(grown, change, message):
    from prosody_transfer.training.prominence import as_forest

    arrays = {name: array.copy() for name, array in as_forest(grown[0], 5).arrays("f").items()}
    Forest.of(arrays, "f", 5)
    change(arrays)
    with pytest.raises(ValueError, match=message):
        Forest.of(arrays, "f", 5)
