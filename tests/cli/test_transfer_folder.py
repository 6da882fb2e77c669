"""`ptx transfer` on folders and on several files."""

from __future__ import annotations

import json
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
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


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
