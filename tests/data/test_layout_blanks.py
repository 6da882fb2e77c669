"""Lists as people keep them: parted by tabs or several blanks, with marks in front, with lines that one list lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.layouts import Entry, Fault, detect, kaldi, read_entries


def entries(path: Path, **given):
    found = list(read_entries(detect(path, **given)))
    return [e for e in found if isinstance(e, Entry)], [f for f in found if isinstance(f, Fault)]


def kaldi_folder(root: Path, tables: dict[str, bytes]) -> Path:
    root.mkdir(exist_ok=True)
    for name in ("r1.wav", "r2.wav", "my take.wav"):
        (root / name).touch()
    for name, data in tables.items():
        (root / name).write_bytes(data)
    return root


BLANKS = {
    "tab": lambda s: s.replace(" ", "\t"), "several": lambda s: s.replace(" ", " \t  "),
    "trailing": lambda s: s.replace("\n", " \t\n"), "leading": lambda s: " \t" + s.replace("\n", "\n "),
    "crlf": lambda s: s.replace("\n", "\r\n"), "cr": lambda s: s.replace("\n", "\r"), "mark": lambda s: "\ufeff" + s,
    "two marks": lambda s: "\ufeff" + s.replace("\n", "\n\ufeff", 1), "no end": lambda s: s.rstrip("\n"),
    "empty lines": lambda s: s.replace("\n", "\n\n \n"),
}  # fmt: skip


@pytest.mark.parametrize("blanks", BLANKS)
def test_kaldi_fields_are_parted_by_any_blanks(tmp_path, blanks):
    tables = {
        "wav.scp": "r1 r1.wav\nr2 r2.wav\n", "segments": "u1 r1 0 1.5\nu2 r2 0.25 -1\n",
        "text": "u1 hello\nu2 bye\n", "utt2spk": "u1 anna\nu2 ben\n", "spk2gender": "anna f\nben M\n",
    }  # fmt: skip
    root = kaldi_folder(tmp_path / "rec", {k: BLANKS[blanks](v).encode() for k, v in tables.items()})
    good, faults = entries(root)
    assert not faults
    assert [(e.id, e.speaker, e.text, e.start, e.end) for e in good] == [
        ("u1", "anna", "hello", 0.0, 1.5), ("u2", "ben", "bye", 0.25, None),
    ]  # fmt: skip
    assert kaldi.speaker_info(root) == {"anna": {"gender": "F"}, "ben": {"gender": "M"}}


def test_kaldi_paths_and_words_keep_their_own_blanks(tmp_path):
    root = kaldi_folder(tmp_path / "rec", {"wav.scp": b"u1\tmy take.wav \n", "text": b"u1\tone  two\tthree\n"})
    ((found,), faults) = entries(root)
    assert Path(found.audio).name == "my take.wav" and found.text == "one  two\tthree" and not faults


COMMANDS = ["sph2pipe -f wav a.sph |", "sph2pipe\ta.sph\t|  ", "| cat", "touch ran|\r", "-", "a.ark:12"]


@pytest.mark.parametrize("value", COMMANDS)
@pytest.mark.parametrize("segmented", [False, True])
def test_kaldi_commands_are_refused_whatever_blanks_they_hold(tmp_path, value, segmented):
    tables = {"wav.scp": f"r1\t{value}\nr2\tr2.wav\n".encode()}
    if segmented:
        tables["segments"] = b"r1\tr1\t0\t1\nr2\tr2\t0\t1\n"
    good, faults = entries(kaldi_folder(tmp_path / "rec", tables))
    assert [e.id for e in good] == ["r2"] and [(f.id, f.reason) for f in faults] == [("r1", "command")]
    assert not (tmp_path / "rec" / "ran").exists()


def test_kaldi_makes_no_speaker_up_where_utt2spk_misses_one(tmp_path):
    tables = {"wav.scp": b"u1 r1.wav\nu2 r2.wav\n", "utt2spk": b"u1\tanna\nu3\tcarl\nu2\n"}
    root = kaldi_folder(tmp_path / "rec", tables)
    good, faults = entries(root)
    assert [e.speaker for e in good] == ["anna"]
    assert [(f.id, f.reason, f.detail) for f in faults] == [("u2", "row", "utt2spk does not have it")]
    assert {e.speaker for e in entries(root, speaker="zoe")[0]} == {"anna", "zoe"}, "unless one is given"
    (root / "utt2spk").write_bytes(b"")
    (root / "spk2utt").write_bytes(b"anna\tu1\nben  u2 u9\n")
    assert {e.id: e.speaker for e in entries(root)[0]} == {"u1": "anna", "u2": "ben"}


def test_kaldi_says_which_utterance_is_missing_in_which_list(tmp_path):
    tables = {"wav.scp": b"u1\tr1.wav\nu2\tr2.wav\n", "text": b"u1\thello\nu3\tgone\n"}
    good, faults = entries(kaldi_folder(tmp_path / "rec", tables))
    assert {e.id: e.text for e in good} == {"u1": "hello", "u2": ""}, "an empty text is rejected later, as empty_text"
    assert [(f.id, f.reason) for f in faults] == [("u3", "missing")]


def test_librispeech_ids_and_words_parted_by_tabs(tmp_path):
    folder = tmp_path / "84" / "1"
    folder.mkdir(parents=True)
    (folder / "84-1-0000.flac").touch()
    (folder / "84-1.trans.txt").write_bytes(b"\xef\xbb\xbf84-1-0000\t HELLO THERE \r\n")
    assert entries(tmp_path)[0][0].text == "hello there"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_as_spreadsheets_write_them(tmp_path, mark, end):
    """Semicolons where the comma is a decimal point, a mark in front, blanks around cells, breaks in quotes."""
    (tmp_path / "a.wav").touch()
    rows = [["Audio", ' "Speaker"', "Text "], ["a.wav ", " anna", f'"one{end}two, ""three""; four"']]
    path = tmp_path / "list.csv"
    path.write_bytes(("\ufeff" + "".join(mark.join(row) + end for row in rows)).encode())
    ((found,), faults) = entries(tmp_path)
    assert not faults and found.speaker == "anna" and Path(found.audio).name == "a.wav"
    assert found.text.split() == ["one", "two,", '"three";', "four"]


def test_a_heading_too_long_for_a_table_is_no_table(tmp_path):
    (tmp_path / "list.csv").write_text("audio," + "x" * 200_000 + "\n")
    with pytest.raises(UsageError, match="holds no corpus"):
        detect(tmp_path)
