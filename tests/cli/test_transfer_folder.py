"""`ptx transfer` on folders and on several files."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import soundfile


@pytest.fixture
def takes(tmp_path: Path, make_recording) -> Path:
    for name in ("one.wav", "two.flac", "scene 2/one.wav", ".hidden.wav", ".trash/three.wav"):
        make_recording(tmp_path / "takes" / name)
    (tmp_path / "takes" / "notes.md").write_text("not a sound")
    return tmp_path / "takes"


def names(folder: Path) -> list[str]:
    found = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return sorted(str(p) for p in found if p.parts[0] != ".ptx")  # without the records of what made them


def test_a_folder_keeps_its_shape(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed")
    assert result.exit_code == 0, result.stderr
    assert names(tmp_path / "dubbed") == ["one.alice.wav", "scene 2/one.alice.wav", "two.alice.wav"]
    assert len(transferer.made) == 1, "the model is loaded once"
    assert result.stdout.endswith("3 done, 0 there already, 0 failed\n")


def test_it_resumes(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    command = ("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed")
    ptx(*command)
    (tmp_path / "dubbed" / "two.alice.wav").unlink()
    (tmp_path / "dubbed" / "one.alice.wav").write_bytes(b"RIFF")  # cut off: made again
    transferer.calls.clear()
    result = ptx(*command)
    assert result.stdout.endswith("2 done, 1 there already, 0 failed\n")
    assert sorted(path.name for path, *_ in transferer.calls) == ["one.wav", "two.flac"]
    assert soundfile.info(tmp_path / "dubbed" / "one.alice.wav").frames == 24000
    transferer.calls.clear()
    assert ptx(*command, "--force").exit_code == 0 and len(transferer.calls) == 3


def test_beside_the_sources_results_are_no_sources(ptx, takes: Path, transferer) -> None:
    assert ptx("transfer", takes, "-s", "alice").exit_code == 0
    before = names(takes)
    assert "scene 2/one.alice.wav" in before
    transferer.calls.clear()
    assert ptx("transfer", takes, "-s", "emma").exit_code == 0
    assert sorted({path.name for path, *_ in transferer.calls}) == ["one.wav", "two.flac"]


def test_an_output_folder_inside_is_no_source(ptx, takes: Path, transferer, make_recording) -> None:
    make_recording(takes / "dubbed" / "old.wav")
    assert ptx("transfer", takes, "-s", "alice", "--out-dir", takes / "dubbed").exit_code == 0
    assert "old.wav" not in [path.name for path, *_ in transferer.calls]


def test_failures_are_listed_and_the_others_done(ptx, takes: Path, transferer, make_recording, tmp_path: Path) -> None:
    bad = make_recording(takes / "scene 2" / "bad.wav")
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed")
    assert result.exit_code == 1
    assert result.stdout.endswith("3 done, 0 there already, 1 failed\n")
    lines = [line for line in result.stderr.splitlines() if "note" not in line]
    assert lines[0] == f"ptx: {bad}: holds no speech; say something"
    assert lines[1].startswith("ptx: 1 of 4 recordings failed") and len(lines) == 2
    assert names(tmp_path / "dubbed") == ["one.alice.wav", "scene 2/one.alice.wav", "two.alice.wav"]


def test_json_of_a_folder(ptx, takes: Path, transferer, make_recording, tmp_path: Path) -> None:
    make_recording(takes / "bad.wav")
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [Path(r["output"]).name for r in report["done"]] == ["one.alice.wav", "two.alice.wav", "one.alice.wav"]
    assert report["failed"][0]["exit_code"] == 3 and report["skipped"] == []


def test_several_files(ptx, takes: Path, transferer) -> None:
    result = ptx("transfer", takes / "one.wav", takes / "two.flac", "-s", "alice", "--format", "flac")
    assert result.exit_code == 0, result.stderr
    assert (takes / "one.alice.flac").exists() and (takes / "two.alice.flac").exists()


@pytest.mark.parametrize("flags", ["--text words", "--transcript a.txt", "-o out.wav", "--plot p.png"])
def test_what_is_for_one_recording_is_refused(flags: str, ptx, takes: Path, transferer) -> None:
    for sources in ([takes], [takes / "one.wav", takes / "two.flac"]):
        result = ptx("transfer", *sources, "-s", "alice", *flags.split())
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1 and "for a single recording" in result.stderr
    assert transferer.made == []


def test_two_sources_for_one_output_are_refused(ptx, takes: Path, transferer, make_recording, tmp_path: Path) -> None:
    make_recording(takes / "one.flac")
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed")
    assert result.exit_code == 2 and "one.flac" in result.stderr and "one.wav" in result.stderr
    assert transferer.made == [] and not (tmp_path / "dubbed").exists()


def test_folders_that_cannot_be_used(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = ptx("transfer", empty, "-s", "alice")
    assert result.exit_code == 3 and "holds no sound files" in result.stderr
    (tmp_path / "file").write_text("in the way")
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "file")
    assert result.exit_code == 5 and result.stderr.count("\n") == 1
    assert transferer.made == []


def test_what_was_replaced_is_made_again_and_that_is_said(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    command = ("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed")
    ptx(*command)
    transferer.calls.clear()
    soundfile.write(takes / "one.wav", [0.1, -0.1] * 20_000, 24000)
    (takes / "two.txt").write_text("now with words")
    result = ptx(*command)
    assert result.exit_code == 0 and sorted(p.name for p, *_ in transferer.calls) == ["one.wav", "two.flac"]
    counted = result.stdout.splitlines()[-1].split(", ")
    assert counted[0] == "0 done" and counted[3:] == ["1 there already", "0 failed"]
    assert sorted(counted[1:3]) == ["1 made again (its source changed)", "1 made again (its words changed)"]
    result = ptx(*command, "--strength", "0.5")
    assert result.stdout.endswith("0 done, 3 made again (the options changed), 0 there already, 0 failed\n")


def test_what_somebody_has_edited_is_left_alone_and_that_is_said(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    command = ("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed")
    ptx(*command)
    edited = tmp_path / "dubbed" / "one.alice.wav"
    soundfile.write(edited, [0.2, -0.2] * 20_000, 24000)
    mine = edited.read_bytes()
    result = ptx(*command)
    assert result.exit_code == 0
    assert result.stdout.endswith("0 done, 2 there already, 1 left alone (edited since), 0 failed\n")
    assert result.stderr.count("\n") == 1 and str(takes / "one.wav") in result.stderr and "--force" in result.stderr
    result = ptx(*command, "--f0-shift-semitones", "2", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1 and "1 of 3 outputs are out of date" in result.stderr.splitlines()[-1]
    assert report["edited"] == [{"input": str(takes / "one.wav"), "changed": ["options"]}] and len(report["done"]) == 2
    assert edited.read_bytes() == mine
    assert ptx(*command, "--force").exit_code == 0 and edited.read_bytes() != mine


def test_outputs_that_nothing_is_known_of_are_left_and_counted(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    for name in ("one.alice.wav", "two.alice.wav"):
        (tmp_path / "dubbed").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "dubbed" / name, [0.2, -0.2] * 20_000, 24000)
    os.utime(takes / "one.wav", (time.time() + 60,) * 2)
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "dubbed")
    assert result.exit_code == 0 and result.stdout.endswith("1 done, 2 there already, 0 failed\n")
    assert "of 2 outputs nothing tells what made them, and 1 of them are older than their recordings" in result.stderr


@pytest.mark.parametrize("letter", ["あ", "ж", "x"])
def test_names_too_long_for_an_output_are_refused_before_any_work(
    ptx, takes: Path, transferer, make_recording, tmp_path: Path, letter: str
) -> None:
    name = letter * (248 // len(letter.encode()))
    long = make_recording(takes / f"{name}.wav")
    before = names(tmp_path)
    for sources in ([takes], [long], [long, takes / "one.wav"]):
        result = ptx("transfer", *sources, "-s", "alice", "--out-dir", tmp_path / "dubbed")
        assert result.exit_code == 5 and result.stderr.count("\n") == 1
        assert "255 are the most; give a shorter one" in result.stderr
    for flag in ("--output", "--plot", "--out-dir"):
        result = ptx("transfer", takes / "one.wav", "-s", "alice", flag, tmp_path / f"{letter * 300}.png")
        assert result.exit_code == 5 and result.stderr.count("\n") == 1
    assert ptx("transfer", tmp_path / f"{letter * 300}.wav", "-s", "alice").exit_code == 3
    assert ptx("transfer", long, "-s", "alice", "--transcript", tmp_path / f"{letter * 300}.txt").exit_code in (4, 5)
    assert transferer.made == [] and names(tmp_path) == before
    assert ptx("transfer", long, "-s", "alice", "-o", takes / "short.wav").exit_code == 0, "what the remedy says works"


def test_a_folder_says_once_what_the_speaker_agreed_to(ptx, transferer, make_recording, tmp_path: Path, monkeypatch):
    from prosody_transfer.synthesis import transfer

    plain = transfer.Transferer.from_file

    def agreed(self, path, speaker, **options):
        result = plain(self, path, speaker, **options)
        return _with_purposes(result)

    monkeypatch.setattr(transfer.Transferer, "from_file", agreed)
    for name in ("a", "b"):
        make_recording(tmp_path / "in" / f"{name}.wav")
    done = ptx("transfer", tmp_path / "in", "-s", "alice")
    assert done.exit_code == 0 and done.stderr.count("alice is for: audiobooks; tests") == 1
    assert "audiobooks" not in done.stdout
    one = ptx("transfer", tmp_path / "in" / "a.wav", "-s", "alice", "--force")
    assert one.stdout.rstrip().endswith("alice is for: audiobooks; tests")


def _with_purposes(result):
    from dataclasses import replace

    return replace(result, report={**result.report, "speaker": "alice", "purposes": ["audiobooks", "tests"]})
