"""The decoder of the learned tracker: the best path, voicing, and finer than a candidate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.features.learned_pitch import best_candidates, decode, switches


@given(st.integers(2, 25), st.integers(2, 30), st.floats(0.05, 2), st.floats(0.5, 20), st.integers(0, 10_000))
def test_the_path_is_the_best_one(frames, candidates, jump, most, seed):
    score = 4 * np.random.default_rng(seed).standard_normal((frames, candidates))
    cost = np.minimum(jump * np.abs(np.subtract.outer(np.arange(candidates), np.arange(candidates))), most)
    total = score[0]
    for row in score[1:]:
        total = (total[:, None] - cost).max(0) + row
    path = best_candidates(score, jump, most)
    reached = score[np.arange(frames), path].sum() - cost[path[1:], path[:-1]].sum()
    assert reached == pytest.approx(total.max(), abs=1e-6)


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=10), st.floats(0.1, 4))
def test_switching_is_the_best_sequence(logits, cost):
    best = -np.inf
    for code in range(2 ** len(logits)):
        states = [code >> i & 1 for i in range(len(logits))]
        value = sum(v for v, s in zip(logits, states, strict=True) if s)
        best = max(best, value - cost * sum(a != b for a, b in zip(states, states[1:], strict=False)))
    found = switches(np.array(logits), cost)
    value = sum(v for v, s in zip(logits, found, strict=True) if s) - cost * np.sum(found[1:] != found[:-1])
    assert value == pytest.approx(best, abs=1e-9)


def peaked(bins: np.ndarray, width: float = 1.2) -> np.ndarray:
    return -0.5 * ((np.arange(239)[:, None] - bins) / width) ** 2


def test_a_fraction_of_a_candidate_is_found():
    true = 100 + 10 * np.sin(np.arange(60) / 10)
    path, voiced = decode(peaked(true), np.full(60, 5.0))
    assert voiced.all() and np.abs(path - true).max() < 0.1


def test_an_octave_error_of_a_few_frames_is_bridged():
    true = np.full(50, 120.0)
    heard = peaked(true)
    heard[:, 20:23] = np.logaddexp(peaked(true)[:, 20:23] - 1.0, peaked(true - 60)[:, 20:23])
    path, _ = decode(heard, np.full(50, 5.0))
    assert np.abs(path - true).max() < 1


def test_frames_that_could_be_anything_are_not_voiced():
    flat = np.zeros((239, 40))
    flat[:, :20] = peaked(np.full(20, 90.0))
    _, voiced = decode(flat, np.full(40, 5.0))
    assert voiced[:20].all() and not voiced[20:].any()
    assert not decode(peaked(np.full(9, 50.0)), np.full(9, -5.0))[1].any()
