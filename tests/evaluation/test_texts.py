"""Texts that are spoken and judged: how they are read, how endings are told apart, what the table says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.judges import Judges, Settings
from prosody_transfer.evaluation.texts.endings import ENDINGS, ending, shape, slope
from prosody_transfer.evaluation.texts.read import CLASSES, TextRow, read_texts
from prosody_transfer.evaluation.texts.speak import judge_texts
from prosody_transfer.evaluation.texts.summary import FIGURES, summarise
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker

STEP = 256 / 24000
TEXTS = Path(__file__).with_name("texts.tsv")


def test_the_texts_that_judge_are_a_hundred_of_all_classes():
    rows = read_texts(TEXTS)
    assert len(rows) == 100 and sum(len(row.text.split()) for row in rows) >= 600
    counts = {kind: sum(row.kind == kind for row in rows) for kind in CLASSES}
    assert all(counts[kind] >= 12 for kind in CLASSES if kind != "other")
    tuned = read_texts(Path(__file__).parents[1] / "synthesis" / "speaking" / "texts.tsv")
    assert not {row.text for row in rows} & {row.text for row in tuned}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("statement\tOne.\nTwo.\n", ":2: is not a class and a text"),
        ("riddle\tOne.\n", "'riddle' is no class"),
        ("class\ttext\n", "holds no texts"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_texts_that_are_none_are_refused(tmp_path, content, says):
    path = tmp_path / "texts.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=says):
        read_texts(path)


def test_a_manifest_says_who_speaks_and_what_it_is_compared_with(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"audio": "a.wav", "speaker": "alice", "text": "One."}\n{"audio": "b.wav", "speaker": "x"}\n')
    (row,) = read_texts(path)
    assert (row.kind, row.text, row.speaker, row.audio) == ("statement", "One.", "alice", str(tmp_path / "a.wav"))


def contour(semitones: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = np.concatenate([np.zeros(40), semitones]) * np.log(2) / 12 + 5
    return values, np.ones(len(values), bool)


def test_slope_is_the_last_80_ms_less_the_240_before():
    log_f0, voiced = contour(np.repeat([1.0, 4.0], [22, 8]))
    assert slope(log_f0, voiced, len(log_f0), STEP) == pytest.approx(3.0)
    voiced[-8:] = False  # what has no voice is no melody
    assert slope(log_f0, voiced, len(log_f0), STEP) == pytest.approx(8 / 22)
    assert slope(log_f0, voiced, 5, STEP) == 0.0


@pytest.mark.parametrize("name", sorted(ENDINGS))
def test_a_reader_s_ending_is_told_at_any_height(name):
    for height in (-7.0, 0.0, 5.0):
        log_f0, voiced = contour(np.repeat(np.array(ENDINGS[name]) + height, 3))
        assert ending(log_f0, voiced, len(log_f0), STEP) == name
        assert abs(shape(log_f0, voiced, len(log_f0), STEP).mean()) < 1e-9
    assert ending(log_f0[-9:], voiced[-9:], 9, STEP) == ""


def row(kind: str, **values: float) -> dict:
    return {"class": kind, "speaker": "alice", "planned_prominence": [], "heard_prominence": [], **values}


def test_figures_are_of_the_classes_that_they_are_asked_of():
    rows = [row("yes_no", rises=1.0), row("yes_no", rises=0.0), row("wh", rises=0.0), row("statement", rises=0.0)]
    found = {f["key"]: f for f in summarise(rows)}
    assert found["yes_no_rise"]["value"] == 0.5 and found["yes_no_rise"]["met"] is False
    assert found["others_rise"]["value"] == 0.0 and found["others_rise"]["n"] == 2 and found["others_rise"]["met"]
    assert "alternatives" not in found and len({asked.key for asked in FIGURES}) == len(FIGURES)


def test_rates_are_of_all_words_and_prominence_of_ranks():
    rows = [row("list", word_errors=1.0, words=2.0), row("list", word_errors=0.0, words=8.0)]
    rows[0] |= {"planned_prominence": [0.0, 1.0, 2.0], "heard_prominence": [0.1, 5.0, 9.0]}
    rows[1] |= {"planned_prominence": [0.5], "heard_prominence": [0.3]}
    found = {f["key"]: f["value"] for f in summarise(rows)}
    assert found["wer"] == pytest.approx(0.1) and found["prominence"] == pytest.approx(1.0)


def test_what_recordings_score_is_taken_off():
    values = {"word_errors": 1.0, "words": 10.0, "dnsmos": 3.0, "similarity": 0.9}
    rows = [row("statement", **values, reference_word_errors=0.0, reference_words=10.0, reference_dnsmos=3.2,
                reference_similarity=1.0, pauses_both=1.0, pauses_said=2.0, pauses_read=2.0)]  # fmt: skip
    found = {f["key"]: f["value"] for f in summarise(rows)}
    assert found["wer_difference"] == pytest.approx(0.1) and found["dnsmos_difference"] == pytest.approx(-0.2)
    assert found["similarity"] == pytest.approx(0.9) and found["pause_f1"] == pytest.approx(0.5)


def test_texts_are_spoken_and_measured_in_every_voice(tiny):
    judges = Judges(Settings(asr=False, quality=False))
    judges.missing["speaker similarity"] = "not here"
    rows = [TextRow("list", "We saw cats, dogs, and a *red* cow."), TextRow("or", "Is it tea or coffee?", "emma")]
    seen: list[int] = []
    done = lambda number, _: seen.append(number)
    settings = SpeakSettings(prosody="plain")
    found = judge_texts(rows, ["alice", "emma"], settings, judges, Speaker(tiny), on_done=done)
    assert [(row["class"], row["speaker"]) for row in found] == [("list", "alice"), ("list", "emma"), ("or", "emma")]
    assert seen == [1, 2, 3] and all(0 <= row["continuations"] <= 1 and "stands_out" in row for row in found[:2])
    assert found[2]["rises_then_falls"] in (0.0, 1.0) and found[2]["seconds"] > 0.3
    assert not found[0]["planned_prominence"]  # nobody has looked: --prosody plain
