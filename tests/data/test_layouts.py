"""Every layout is told from the others and read, and every fault planted in it is named."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.layouts import LAYOUTS, Entry, Fault, detect, read_entries
from prosody_transfer.data.layouts.base import Source, lines, locate
from prosody_transfer.data.layouts.vctk import speaker_info
from prosody_transfer.data.reasons import REASONS

LATER = {"sample_rate", "unreadable", "empty_text", "duplicate_id", "alignment"}  # found when the file is looked into


def entries(path: Path, **given):
    found = list(read_entries(detect(path, **given)))
    return [e for e in found if isinstance(e, Entry)], [f for f in found if isinstance(f, Fault)]


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_is_told_from_the_others(planted, name):
    found = detect(planted[name].root)
    assert found.name == name and found.why
    assert found.source.root == planted[name].root


@pytest.mark.parametrize("name", LAYOUTS)
def test_its_utterances_and_faults(planted, name):
    corpus = planted[name]
    good, faults = entries(corpus.root)
    assert corpus.good <= {e.id for e in good}
    assert {e.speaker for e in good} == corpus.speakers
    assert {f.id: f.reason for f in faults} == {k: v for k, v in corpus.faults.items() if v not in LATER}
    assert all(Path(e.audio).is_absolute() and Path(e.audio).exists() for e in good)
    assert all(f.reason in REASONS and f.detail for f in faults)
    json.dumps([f.to_dict() for f in faults], ensure_ascii=False).encode("utf8")  # nothing in it that can't be written


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_is_read_in_one_order(planted, name):
    assert entries(planted[name].root) == entries(planted[name].root)


def test_commands_are_not_run(planted):
    root = planted["kaldi"].root
    entries(root)
    assert not (root / "was-run").exists()


def by_id(path: Path, **given):
    return {e.id: e for e in entries(path, **given)[0]}


def test_ljspeech_texts(tmp_path):
    (tmp_path / "wavs").mkdir()
    for name in "abc":
        (tmp_path / "wavs" / f"{name}.wav").touch()
    (tmp_path / "metadata.csv").write_text("a|Dr. X|Doctor X\nb|only one\nc.wav|raw|\n")
    assert {k: e.text for k, e in by_id(tmp_path).items()} == {"a": "Doctor X", "b": "only one", "c": "raw"}
    assert {e.speaker for e in by_id(tmp_path, speaker="lin").values()} == {"lin"}


def test_vctk_takes_one_microphone_and_knows_accents(planted):
    root = planted["vctk"].root
    found = by_id(root)
    assert Path(found["p1_001"].audio).name == "p1_001_mic1.wav" and Path(found["p2_001"].audio).name.endswith(
        "mic2.wav"
    )
    assert found["p1_001"].sidecar.endswith("txt/p1/p1_001.txt") and found["p2_001"].sidecar == ""
    assert speaker_info(root) == {"p1": {"gender": "F", "accent": "English"}}


def test_librispeech_is_put_into_lower_case(planted):
    assert by_id(planted["librispeech"].root)["1688-142285-0000"].text == "hello there 0"


def test_libritts_prefers_the_normalised_text(planted):
    found = by_id(planted["libritts"].root)
    assert found["84_121123_000001"].sidecar.endswith(".normalized.txt")
    assert found["84_121123_000006"].sidecar == "" and found["84_121123_000006"].text is None


def test_kaldi_segments(tmp_path):
    (tmp_path / "r1.wav").touch()
    (tmp_path / "wav.scp").write_text("r1 r1.wav\n")
    (tmp_path / "segments").write_text("u1 r1 0.5 1.25\nu2 r1 2 -1\nu3 r1 5 4\nu4 r9 0 1\nu5 r1 nan 2\nu6 r1 1\n")
    (tmp_path / "text").write_text("u1 hello there\nu2 bye\n")
    good, faults = entries(tmp_path)
    assert [(e.id, e.start, e.end, e.text) for e in good] == [
        ("u1", 0.5, 1.25, "hello there"),
        ("u2", 2.0, None, "bye"),
    ]
    assert {f.id: f.reason for f in faults} == {"u3": "row", "u4": "missing", "u5": "row", "u6": "row"}


def test_kaldi_without_texts_knows_no_words(tmp_path):
    (tmp_path / "r1.wav").touch()
    (tmp_path / "wav.scp").write_text("r1 r1.wav\n")
    assert by_id(tmp_path)["r1"].text is None and by_id(tmp_path)["r1"].speaker == tmp_path.name


def test_a_list_that_was_named_may_lead_anywhere(tmp_path):
    outside = tmp_path / "elsewhere.wav"
    outside.touch()
    folder = tmp_path / "lists"
    folder.mkdir()
    for name, text in (
        ("m.jsonl", json.dumps({"audio": str(outside)}) + '\n{"audio": "../elsewhere.wav", "id": "two"}\n'),
        ("m.csv", f"path,sentence\n{outside},x\n../elsewhere.wav,x\n"),
        ("wav.scp", f"u1 {outside}\nu2 ../elsewhere.wav\n"),
        ("metadata.csv", f"{outside}|x\n../elsewhere.wav|x\n"),
    ):
        (folder / name).write_text(text)
        good, faults = entries(folder / name)
        assert len(good) == 2 and not faults and {e.audio for e in good} == {str(outside)}
        layout = detect(folder / name).name
        if layout in ("kaldi", "ljspeech"):  # found in the folder, the same list may not
            assert {f.reason for f in entries(folder, layout=layout)[1]} == {"outside"}


def test_usual_names_of_columns(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "c1.mp3").touch()
    (tmp_path / "validated.tsv").write_text('client_id\tpath\tsentence\nx9\tc1.mp3\tSay "yes\n')
    found = by_id(tmp_path)["c1"]
    assert (found.speaker, found.text, Path(found.audio).parent.name) == ("x9", 'Say "yes', "clips")
    nemo = tmp_path / "nemo.json"
    nemo.write_text('{"audio_filepath": "clips/c1.mp3", "offset": 1.5, "duration": 2, "text": "x"}\n')
    assert (by_id(nemo)["c1"].start, by_id(nemo)["c1"].end) == (1.5, 3.5)


@pytest.mark.parametrize(("names", "speakers"), [
    (("anna/a.wav", "ben/b.wav"), {"anna", "ben"}),
    (("anna/s1/a.wav", "ben/s1/b.wav"), {"anna", "ben"}),
    (("session1/a.wav", "session2/b.wav"), {"rec"}),
    (("wavs/a.wav",), {"rec"}),
    (("01/a.wav", "02/b.wav"), {"rec"}),
    (("1688/a.wav", "2033/b.wav"), {"1688", "2033"}),
    (("a.wav", "anna/b.wav"), {"rec"}),
])  # fmt: skip
def test_who_speaks_in_a_bare_folder(tmp_path, names, speakers):
    for name in names:
        path = tmp_path / "rec" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = detect(tmp_path / "rec")
    assert found.name == "folder" and {e.speaker for e in read_entries(found)} == speakers
    assert {e.speaker for e in entries(tmp_path / "rec", speaker="zoe")[0]} == {"zoe"}


def test_sidecars_are_chosen_in_one_order(tmp_path):
    for name in ("a.wav", "a.lab", "a.TXT", "b.wav", "b.TextGrid", "c.wav"):
        (tmp_path / name).touch()
    found = {k: Path(e.sidecar).name for k, e in by_id(tmp_path).items()}
    assert found == {"a": "a.TXT", "b": "b.TextGrid", "c": ""}


def test_the_output_is_not_part_of_the_corpus(tmp_path):
    for name in ("a.wav", "data/pieces/a-0001.flac"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert len(by_id(tmp_path)) == 2 and set(by_id(tmp_path, skip=tmp_path / "data")) == {"a"}


def test_a_folder_around_the_corpus_is_seen_through(tmp_path):
    inner = tmp_path / "LJSpeech-1.1"
    (inner / "wavs").mkdir(parents=True)
    (inner / "metadata.csv").write_text("a|b|c\n")
    found = detect(tmp_path)
    assert found.name == "ljspeech" and found.source.root == inner


@pytest.mark.parametrize(("given", "message"), [
    ({"layout": "zip"}, r"--layout: there is no layout 'zip'; known: auto, kaldi, vctk"),
    ({"layout": "kaldi"}, r"there is no wav.scp; choose another --layout"),
    ({"layout": "ljspeech"}, r"there is no metadata.csv"),
    ({"layout": "vctk"}, r"there is no wav48 folder"),
    ({"layout": "csv"}, r"holds 0 lists of this kind"),
    ({}, r"holds no corpus in a layout that is known; known: kaldi, vctk, .*; name one with --layout"),
])  # fmt: skip
def test_what_is_no_corpus_is_refused_in_one_line(tmp_path, given, message):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "more.txt").write_text("hello")
    with pytest.raises(UsageError, match=message) as error:
        list(read_entries(detect(tmp_path, **given)))
    assert "\n" not in str(error.value)


def test_what_could_be_two_is_refused(tmp_path):
    (tmp_path / "metadata.csv").write_text("a|b|c\n")
    (tmp_path / "wav.scp").write_text("a a.wav\n")
    with pytest.raises(UsageError, match=r"several layouts \(kaldi: .*; ljspeech: .*\); choose one with --layout"):
        detect(tmp_path)
    assert detect(tmp_path, layout="kaldi").why == "it was asked for"
    for name in ("train.jsonl", "dev.jsonl"):
        (tmp_path / "lists" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "lists" / name).write_text('{"audio": "a.wav"}\n')
    with pytest.raises(UsageError, match=r"holds several lists \(dev.jsonl, train.jsonl\); name the one"):
        detect(tmp_path / "lists")


def test_what_was_prepared_is_not_a_corpus(tmp_path):
    for name in ("train.jsonl", "rejected.jsonl"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match="is what ptx prepare has made; name the corpus itself"):
        detect(tmp_path)
    with pytest.raises(UsageError, match="no such corpus"):
        detect(tmp_path / "gone")


def test_lines_in_other_encodings_and_without_end(tmp_path):
    path = tmp_path / "list"
    for data in ("\ufeffé1\nb".encode(), "é1\r\n\r\nb".encode("utf-16")):
        path.write_bytes(data)
        assert [line for _, line in lines(path)] == ["é1", "b"]
    path.write_bytes(b"caf\xe9\n" + b"x" * (1 << 20) + b"yyy\nlast")
    found = list(lines(path))
    assert found[0] == (1, os.fsdecode(b"caf\xe9")) and found[1][0] == 2 and len(found[1][1]) == 1 << 20
    assert found[2] == (3, "last")


def test_names_that_no_system_takes(tmp_path):
    assert locate(Source.of(tmp_path), tmp_path, "a\0b.wav")[1] == "name"
    assert locate(Source.of(tmp_path), tmp_path, "x" * 5000 + ".wav")[1] == "unreadable"
    (tmp_path / "f").touch()
    assert locate(Source.of(tmp_path), tmp_path, "f/x.wav")[1] == "missing"


def test_reasons_are_counted_once(planted):
    """Every reason that a reader can give is planted somewhere."""
    given = Counter(reason for corpus in planted.values() for reason in corpus.faults.values())
    assert set(given) >= {"missing", "loop", "outside", "name", "row", "command", "encoding", *LATER}
