"""Outputs between two voices, and tracing them back; by hand, and on voices that are made of vectors."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.evaluation import tracing as t
from prosody_transfer.evaluation.identity import identity_summary, unit

SPEAKERS = np.repeat(["a", "b", "c"], 5)
EACH = np.arange(15)


def voices(size: int = 32) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: unit(random.normal(size=size) + 1) for name in ("a", "b", "c", "target", "near a")}


def spoken(leak: float, voice: str = "target", noise: float = 0.1, seed: int = 1) -> np.ndarray:
    """(15, E): outputs in a voice, with a share of their source's."""
    random, known = np.random.default_rng(seed), voices()
    vectors = [(1 - leak) * known[voice] + leak * known[s] for s in SPEAKERS]
    return unit(np.stack(vectors) + noise * random.normal(size=(15, 32)) / np.sqrt(32))


def natural(noise: float = 0.1) -> np.ndarray:
    return spoken(1.0, noise=noise, seed=2)


def target() -> t.Target:
    references = unit(voices()["target"] + 0.1 * np.random.default_rng(3).normal(size=(8, 32)) / np.sqrt(32))
    return t.Target("target", unit(references.mean(0)), references)


def test_without_one_by_hand():
    vectors = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 1.0]])
    found = t.without_one(vectors)
    assert found == pytest.approx(np.array([[0, 1], [1, 1], [1, 1]]) / np.array([[1], [2**0.5], [2**0.5]]))


def compare(vectors: np.ndarray) -> dict[str, float]:
    rows = t.compare_outputs(vectors, EACH, np.repeat("target", 15), natural(), SPEAKERS, {"target": target()})
    return {k: v.value for k, v in identity_summary(rows, [str(i) for i in EACH]).items()}


def test_the_target_scores_0_and_the_source_1():
    of_target, of_source = compare(spoken(0.0)), compare(natural())
    assert of_target["leak_index"] == pytest.approx(0, abs=0.05) and of_source["leak_index"] == pytest.approx(
        1, abs=0.01
    )
    assert of_target["identity_attainment"] == pytest.approx(1, abs=0.05)
    assert of_source["identity_attainment"] == pytest.approx(0, abs=0.01)
    assert of_target["margin_positive"] == 1 and of_source["margin_positive"] == 0


def test_the_more_of_the_source_the_higher_the_leak_index():
    found = [compare(spoken(leak))["leak_index"] for leak in (0.0, 0.2, 0.4, 0.6, 0.8)]
    assert found == sorted(found) and found[3] > 0.5


def test_an_output_is_not_compared_with_its_own_source_utterance():
    """Were it, a copy of the source would be nearer to the source than other natural utterances are."""
    rows = t.compare_outputs(natural(), EACH, np.repeat("target", 15), natural(), SPEAKERS, {"target": target()})
    for row, i in zip(rows, EACH, strict=True):
        others = natural()[(SPEAKERS[i] == SPEAKERS) & (i != EACH)]
        assert row["source_similarity"] == pytest.approx(float(natural()[i] @ unit(others.mean(0))), abs=1e-6)


def test_a_trace_of_the_source_is_found_although_the_target_is_like_one_of_the_sources():
    """Nearest to a, all of them: without taking off the target's own likeness nobody but a would be found."""
    known = voices()
    known_target = unit(0.9 * known["a"] + 0.1 * known["target"])
    random = np.random.default_rng(4)
    vectors = np.stack([0.95 * known_target + 0.05 * known[s] for s in SPEAKERS])
    vectors += 0.01 * random.normal(size=vectors.shape) / np.sqrt(32)
    nearest = [max("abc", key=lambda s, v=v: float(unit(v) @ known[s])) for v in vectors]
    assert set(nearest) == {"a"}
    said = t.trace(vectors, EACH, np.repeat("x", 15), natural(), EACH, SPEAKERS)
    hits, accuracy = t.traced(said, EACH, SPEAKERS)
    assert accuracy.value > 0.9 and hits.mean() == pytest.approx(accuracy.value)


def test_outputs_without_the_source_are_traced_by_chance():
    values = []
    for seed in range(8):
        said = t.trace(spoken(0.0, seed=seed), EACH, np.repeat("x", 15), natural(), EACH, SPEAKERS)
        values.append(t.traced(said, EACH, SPEAKERS)[1].value)
    assert np.mean(values) == pytest.approx(1 / 3, abs=0.1)


def test_who_knows_other_outputs_traces_what_sounds_like_nobody():
    """A mark that each source leaves in all its outputs, and that no natural recording of it has."""
    random = np.random.default_rng(5)
    marks = {s: random.normal(size=32) / np.sqrt(32) for s in "abc"}
    vectors = spoken(0.0) + 0.3 * np.stack([marks[s] for s in SPEAKERS])
    voice = np.repeat("x", 15)
    by_voice = t.traced(t.trace(vectors, EACH, voice, natural(), EACH, SPEAKERS), EACH, SPEAKERS)[1]
    informed = t.traced(t.trace(vectors, EACH, voice, vectors, EACH, SPEAKERS), EACH, SPEAKERS)[1]
    assert informed.value > 0.9 > by_voice.value


def test_several_outputs_of_one_source_count_as_one():
    sources = np.repeat(EACH, 2)
    said = SPEAKERS[sources].copy()
    said[::2] = "nobody"
    hits, accuracy = t.traced(said, sources, SPEAKERS)
    assert (hits == 0.5).all() and accuracy.n == 15


def test_prosody_is_traced_by_the_nearest_other_utterances():
    prosody = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
    speakers = np.array(["a", "a", "a", "b", "b", "b"])
    assert t.trace_prosody(prosody, speakers).tolist() == [1] * 6
    assert t.trace_prosody(prosody, np.array(list("ababab"))).mean() < 1
