"""What is on both sides of a split, and the sources of a test: folders, manifests, broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation.splits import duplicates, read_sources, split_leakage, spoken_words, with_texts

RATE = 16_000


def record(path: Path, seed: int, seconds: float = 0.5, rate: int = RATE) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-9000, 9000, int(seconds * rate)).astype(np.int16)
    soundfile.write(path, samples, rate)
    return str(path)


def row(name: str, audio: str = "none.wav", speaker: str = "", text: str = "") -> Row:
    return Row(id=name, audio=audio, speaker=speaker or name, text=text)


def test_nothing_shared_is_clean(tmp_path):
    train = [row("a", record(tmp_path / "a.wav", 1), text="Good morning.")]
    test = [row("b", record(tmp_path / "b.wav", 2), text="Good evening.")]
    found = split_leakage(train, test)
    assert found.clean and not found.unread
    assert found.to_dict()["recordings"] == []


def test_the_same_words_are_found_however_they_are_written(tmp_path):
    train = [row("a", text="It's 3 o'clock, Dr. Smith!"), row("x", text="")]
    found = split_leakage(train, [row("b", text="it’s THREE o'clock doctor smith"), row("c", text="It is three.")])
    assert found.texts == [("a", "b")] and not found.clean
    assert spoken_words("Привет, мир!") == spoken_words("привет мир")  # what we cannot pronounce can be compared


def test_rows_without_words_share_none():
    assert split_leakage([row("a")], [row("b")]).texts == []


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_same_recording_is_found_under_another_name_and_as_flac(tmp_path, suffix):
    train = [row("a", record(tmp_path / "a.wav", 1)), row("n", record(tmp_path / "n.wav", 3))]
    copy = record(tmp_path / f"other/copy{suffix}", 1)
    found = split_leakage(train, [row("b", copy), row("c", record(tmp_path / "c.wav", 2))])
    assert found.recordings == [("a", "b")] and not found.clean


def test_the_same_speaker_is_found_whatever_the_case():
    found = split_leakage([row("1", speaker="Ann")], [row("2", speaker=" ann "), row("3", speaker="Bob")])
    assert found.speakers == [" ann "] and not found.clean


def test_recordings_that_cannot_be_read_are_named_and_the_rest_compared(tmp_path):
    good = record(tmp_path / "a.wav", 1)
    (tmp_path / "b.wav").write_bytes(b"RIFF nothing")
    train = [row("gone", str(tmp_path / "gone.wav")), row("bad", str(tmp_path / "b.wav")), row("a", good)]
    found = split_leakage(train, [row("same", good)])
    assert [name for name, _ in found.unread] == ["gone", "bad"]
    assert found.unread[0][1] == "no such file"
    assert found.recordings == [("a", "same")]


def test_recordings_that_are_there_twice(tmp_path):
    rows = [row(n, record(tmp_path / f"{n}.wav", s)) for n, s in (("a", 1), ("b", 2), ("c", 1), ("d", 1))]
    found = duplicates([*rows, row("gone", str(tmp_path / "gone.wav"))])
    assert [(r.id, first.id) for r, first in found] == [("c", "a"), ("d", "a")]


def test_words_beside_recordings_are_read(tmp_path):
    audio = record(tmp_path / "a.wav", 1)
    (tmp_path / "a.txt").write_text("Hello there.")
    (tmp_path / "b.txt").write_text("  ")
    found = with_texts([row("a", audio), row("b", record(tmp_path / "b.wav", 2)), row("c", audio, text="Mine.")])
    assert [r.text for r in found] == ["Hello there.", "", "Mine."]


def test_a_folder_of_folders(tmp_path):
    for path in ("ann/1.wav", "ann/deep/2.wav", "bob/1.flac", ".hidden/3.wav", "bob/.x.wav"):
        record(tmp_path / path, 1, 0.1)
    (tmp_path / "bob/1.txt").write_text("hello")
    found = read_sources(tmp_path)
    assert [(r.id, r.speaker) for r in found] == [
        ("ann/1.wav", "ann"),
        ("ann/deep/2.wav", "ann"),
        ("bob/1.flac", "bob"),
    ]
    assert Path(found[0].audio).is_file()


def test_a_limit_is_even_for_each_speaker(tmp_path):
    for k in range(9):
        record(tmp_path / f"ann/{k}.wav", k, 0.01)
    record(tmp_path / "bob/0.wav", 0, 0.01)
    assert [r.id for r in read_sources(tmp_path, 3)] == ["ann/0.wav", "ann/4.wav", "ann/8.wav", "bob/0.wav"]
    assert [r.id for r in read_sources(tmp_path, 1)] == ["ann/0.wav", "bob/0.wav"]


def test_a_manifest(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps({"audio": "x.wav", "speaker": "ann", "text": "Hi."}) + "\n")
    (only,) = read_sources(path)
    assert (only.speaker, only.text, only.audio) == ("ann", "Hi.", str(tmp_path / "x.wav"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "holds no recordings"),
        (lambda path: record(path / "a.wav", 1), "but no folders"),
        (lambda path: path.write_text(""), "holds no recordings"),
        (lambda path: path.write_text('{"audio": "a.wav"}\n'), "has no 'speaker'"),
        (lambda path: path.write_text('{"audio": "a.wav", "speaker"\n'), "not a JSON object"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00\xd8"), "UTF-8"),
        (lambda path: None, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(tmp_path, make, words):
    path = tmp_path / "sources"
    make(path)
    with pytest.raises(UsageError, match=words) as caught:
        read_sources(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_the_same_speaker_is_found_in_whatever_form_its_name_is_written():
    """A folder that one system has written decomposes its letters, another's does not."""
    found = split_leakage([row("1", speaker="Zoë")], [row("2", speaker="ZOE\u0308"), row("3", speaker="zoe")])
    assert found.speakers == ["ZOE\u0308"]
