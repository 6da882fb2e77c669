"""Means, intervals and differences over rows; identity figures of a whole run."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.evaluation.evaluate import evaluate
from prosody_transfer.evaluation.identity_scores import IdentityScores, shipped_references
from prosody_transfer.evaluation.judges import Settings
from prosody_transfer.evaluation.measuring import pack
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.evaluation.statistics import bootstrap
from prosody_transfer.evaluation.summary import paired, summarise, values


def rows(key: str, found: list[float | None], per_source: int = 1) -> list[dict[str, Any]]:
    return [
        {"id": f"p{i}", "speaker": "alice", "source": f"s{i // per_source}", key: value}
        for i, value in enumerate(found)
    ]


def test_a_mean_with_its_interval_over_sources() -> None:
    found = summarise(rows("ffe", [0.1, 0.3, None, 0.2, 0.6, 0.0], 2), ["ffe", "gpe"])
    expected = bootstrap([0.1, 0.3, 0.2, 0.6, 0.0], ["s0", "s0", "s1", "s2", "s2"])
    assert found == {"ffe": {"value": expected.value, "low": expected.low, "high": expected.high, "n": 5}}
    assert found["ffe"]["value"] == pytest.approx(0.24)


def test_correlations_have_a_mean_through_fisher_s_z_too() -> None:
    found = summarise(rows("f0_correlation", [0.9, 0.99]), ["f0_correlation"])["f0_correlation"]
    assert found["value"] == pytest.approx(0.945) and found["fisher"] == pytest.approx(0.967, abs=1e-3)


def test_error_rates_are_all_errors_over_all_words() -> None:
    """One of 2 words and none of 8 are 10 %, not 25 %."""
    counted = rows("wer", [0.5, 0.0])
    counted[0] |= {"word_errors": 1.0, "words": 2.0}
    counted[1] |= {"word_errors": 0.0, "words": 8.0}
    found = summarise(counted, ["wer"])["wer"]
    assert found == {"value": 0.1, "low": 0.0, "high": 0.5, "n": 2}


def test_differences_are_taken_pair_by_pair() -> None:
    first, second = rows("ffe", [0.5, 0.4, 0.3, None]), rows("ffe", [0.4, 0.2, None, 0.1])
    found = paired(first, second, "ffe")
    assert found is not None and (round(found.value, 6), found.n) == (0.15, 2)
    assert paired(first, second, "gpe") is None and paired([], second, "ffe") is None
    other_voice = [{**row, "speaker": "lewis"} for row in second]
    assert paired(first, other_voice, "ffe") is None


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.floats(-2, 2))
def test_a_difference_is_0_to_itself_and_what_was_added(data: list[float], added: float) -> None:
    first = rows("x", list(data), 2)
    same = paired(first, first, "x")
    assert same is not None and (same.value, same.low, same.high) == (0, 0, 0)
    more = paired(rows("x", [d + added for d in data], 2), first, "x")
    assert more is not None
    np.testing.assert_allclose([more.value, more.low, more.high], added, atol=1e-9)


def test_values_that_could_not_be_said_are_left_out() -> None:
    assert values(rows("x", [None, 2.0, 0.0]), "x") == ([2.0, 0.0], ["s1", "s2"])


def direction(*numbers: float) -> np.ndarray:
    return np.array([*numbers, *[0.0] * (256 - len(numbers))], np.float32)


def embedded(system: str, i: int, voice: np.ndarray | None) -> dict[str, Any]:
    row = {"id": f"p{i}", "speaker": "new", "group": "", "source": f"s{i}", "system": system, "voice": pack(voice)}
    return row | {"f0_median_hz": 200.0}


def test_identity_of_a_planted_voice() -> None:
    """The target lies along the first axis, the sources along the second and the third."""
    pairs = [Pair(id=f"p{i}", source=f"s{i}", speaker="new", target_enrol=("t0", "t1")) for i in (0, 1)]
    enrol = {"t0": pack(direction(1.0)), "t1": pack(direction(2.0))}
    found = [
        embedded("source", 0, direction(0, 1)), embedded("source", 1, direction(0, 0, 1)),
        embedded("ptx", 0, direction(0.8, 0.6)), embedded("ptx", 1, direction(0.6, 0, 0.8)),
        embedded("no_prosody", 0, None),
    ]  # fmt: skip
    found[2]["levelled"] = found[3]["levelled"] = pack(direction(0.8, 0.6))
    likeness = IdentityScores(pairs, found, enrol)
    likeness.add(found)
    ptx = found[2:4]
    assert [round(row["margin"], 6) for row in ptx] == [0.2, -0.2]
    assert "margin" not in found[4] and found[0]["source_similarity"] == 1.0
    summary = likeness.summary(ptx)
    assert summary["target_similarity"]["value"] == pytest.approx(0.7)
    assert summary["target_similarity_levelled"]["value"] == pytest.approx(0.8)
    assert "target_similarity_levelled" not in found[0]
    assert summary["margin_positive"]["value"] == 0.5 and summary["margin"]["value"] == pytest.approx(0.0)
    assert summary["verification_eer"]["low"] is None and 0 < summary["verification_eer"]["value"] < 1
    assert likeness.summary(found[4:]) == {}


def test_the_other_sources_of_a_speaker_are_what_they_sound_like() -> None:
    """By `source_speaker` and by `source_enrol`; a source is never compared with itself while there are others."""
    pairs = [
        Pair(id="p0", source="s0", speaker="new", source_speaker="ann"),
        Pair(id="p1", source="s1", speaker="new", source_speaker="ann"),
        Pair(id="p2", source="s2", speaker="new", source_enrol=("e", "s2")),
        Pair(id="p3", source="s3", speaker="new"),
    ]
    found = [embedded("source", i, direction(*np.eye(4)[i])) for i in range(4)]
    likeness = IdentityScores(pairs, found, {"e": pack(direction(0, 0, 0, 0, 1))})
    at = [int(np.argmax(likeness.source_vectors(p))) for p in pairs]  # type: ignore[arg-type]
    assert at == [1, 0, 4, 3]


def test_shipped_voices_are_known_by_their_held_out_recordings() -> None:
    found = shipped_references("alice")
    assert found is not None and found.shape[1] == 256 and len(found) >= 2
    assert shipped_references("nobody") is None
    pairs = [Pair(id="p", source="s0", speaker="alice")]
    voice = found.mean(0).astype(np.float32)
    row = {**embedded("ptx", 0, voice), "id": "p", "speaker": "alice"}
    source = {**embedded("source", 0, direction(1)), "id": "p"}
    likeness = IdentityScores(pairs, [row, source], {})
    likeness.add([row, source])
    assert row["target_similarity"] > 0.99 and row["relation"] == "same f0 register"
    bounds = {key: bound["value"] for key, bound in likeness.bounds().items()}
    assert bounds["ceiling"] > bounds["floor_same_gender"] > bounds["floor_cross_gender"]


def test_recordings_to_enrol_are_embedded_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import evaluate_fakes

    fakes: ModuleType = evaluate_fakes
    import msgspec

    enrol = tuple(fakes.save(tmp_path / f"e{i}.wav", fakes.buzz(150 + i)) for i in range(2))
    bad = fakes.save(tmp_path / "short.wav", fakes.buzz(150, seconds=0.4))
    pairs = [
        msgspec.structs.replace(p, target_enrol=enrol, source_enrol=(bad,)) for p in fakes.make_pairs(tmp_path, 2)
    ]  # fmt: skip
    measured = evaluate(pairs, Settings(controls=0), tmp_path / "work", workers=1, tools=fakes.FakeJudges)
    assert {Path(p).name for p in measured.enrol} == {"e0.wav", "e1.wav", "short.wav"}
    assert measured.enrol[bad] == "" and "too short" in measured.notes["short.wav"]
    likeness = IdentityScores(measured.pairs, measured.rows, measured.enrol)
    assert likeness.targets["alice"].shape == (2, 256)
