"""Manifests, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import cache_path, read_manifest


def write(folder: Path, *lines: object) -> Path:
    path = folder / "corpus.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines) + "\n", encoding="utf8")
    return path


def test_rows(tmp_path):
    path = write(
        tmp_path,
        {"audio": "wavs/a.wav", "speaker": "ann", "text": "Grüß dich", "seconds": 3.2},
        "",
        {"audio": "/elsewhere/b.opus", "speaker": 7, "id": "b-7"},
        {"audio": "../c.flac", "speaker": "ann", "text": None},
    )
    rows = read_manifest(path)
    assert [(r.id, r.speaker, r.text) for r in rows] == [
        ("ann-a", "ann", "Grüß dich"),
        ("b-7", "7", ""),
        ("ann-c", "ann", ""),
    ]
    assert [r.audio for r in rows] == [
        str(tmp_path / "wavs/a.wav"),
        "/elsewhere/b.opus",
        str(tmp_path.parent / "c.flac"),
    ]


def test_an_empty_manifest_has_no_rows(tmp_path):
    assert read_manifest(write(tmp_path, "", "  ")) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is not a JSON object"),
        ("audio,speaker", "is not a JSON object"),
        ("[1, 2]", "is not a JSON object"),
        ('"text"', "is not a JSON object"),
        ("null", "is not a JSON object"),
        ({"audio": 3, "speaker": "ann"}, "is not a JSON object"),
        ({"speaker": "ann"}, "has no 'audio'"),
        ({"audio": "a.wav"}, "has no 'speaker'"),
    ],
    ids=str,
)
def test_a_broken_line_is_named(tmp_path, line, problem):
    path = write(tmp_path, {"audio": "a.wav", "speaker": "ann"}, "", line)
    with pytest.raises(UsageError, match=problem) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}:3: ") and caught.value.exit_code == 2


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "gone.jsonl", tmp_path):
        with pytest.raises(UsageError, match="cannot be read .*; check the path"):
            read_manifest(path)


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "corpus.jsonl").write_bytes(b'{"audio": "a.wav", "speaker": "J\xf6rg"}')
    with pytest.raises(UsageError):
        read_manifest(tmp_path / "corpus.jsonl")


def test_a_byte_order_mark_is_no_fault(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('\ufeff{"audio": "a.wav", "speaker": "ann"}', encoding="utf8")
    assert len(read_manifest(tmp_path / "corpus.jsonl")) == 1


def test_a_line_separator_inside_a_text(tmp_path):
    path = write(tmp_path, json.dumps({"audio": "a.wav", "speaker": "ann", "text": "one\u2028two"}, ensure_ascii=False))
    assert read_manifest(path)[0].text == "one\u2028two"


def test_two_rows_of_one_name_are_refused(tmp_path):
    path = write(tmp_path, {"audio": "x/a.wav", "speaker": "ann"}, {"audio": "y/a.wav", "speaker": "ann"})
    with pytest.raises(UsageError, match="ann-a"):
        read_manifest(path)


def test_names_in_other_scripts_are_not_taken_for_one_another(tmp_path):
    names = [("日本", "一"), ("日本", "二"), ("中国", "一"), ("a b", "x/y"), ("a b", "x y"), ("a_b", "x_y")]
    names += [("名" * 90, "x" * 400)]
    rows = [{"audio": "a.wav", "speaker": speaker, "id": name} for speaker, name in names]
    read = read_manifest(write(tmp_path, *rows))
    assert [(r.speaker, r.id) for r in read] == names
    places = [cache_path(tmp_path, r) for r in read]
    assert len(set(places)) == len(names)
    for place in places:
        place.parent.mkdir(exist_ok=True)
        place.touch()
