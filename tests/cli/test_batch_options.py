"""`ptx transfer` by several processes, in parts and on a cluster: what is refused, and what a part is."""

from __future__ import annotations

from pathlib import Path

import pytest

from prosody_transfer.core import extras


@pytest.fixture
def takes(tmp_path: Path, make_recording) -> Path:
    for i in range(5):
        make_recording(tmp_path / "takes" / f"scene {i % 2}" / f"{i}.wav")
    return tmp_path / "takes"


@pytest.mark.parametrize(("flags", "place"), [
    ("--engine dask", "--scheduler"), ("--scheduler tcp://127.0.0.1:1", "--scheduler"), ("--shard 4/3", "--shard"),
    ("--shard 0/3", "--shard"), ("--shard half", "--shard"), ("--workers 0", "--workers"), ("--engine ray", "--engine"),
])  # fmt: skip
def test_what_does_not_go_together_is_refused_before_any_work(ptx, takes: Path, transferer, flags: str, place: str):
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", takes / "out", *flags.split())
    assert result.exit_code == 2 and place in result.stderr
    assert transferer.made == [] and not (takes / "out").exists()


def test_dask_without_its_extra(ptx, takes: Path, transferer, monkeypatch) -> None:
    monkeypatch.setattr(extras, "missing", lambda modules: [extras.PACKAGES[name] for name in modules])
    result = ptx("transfer", takes, "-s", "alice", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 7, result.stderr
    assert result.stderr.count("\n") == 1
    assert "prosody-transfer[cluster]" in result.stderr and transferer.made == []


def test_the_parts_of_a_folder_are_the_folder(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    done = []
    for part in ("1/3", "2/3", "3/3"):
        result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "out", "--shard", part)
        assert result.exit_code == 0 and ", 0 there already, 0 failed" in result.stdout
        done.append(int(result.stdout.splitlines()[-1].partition(" ")[0]))
    assert sum(done) == 5 == len(list((tmp_path / "out").rglob("*.wav"))) and max(done) < 5
    result = ptx("transfer", takes, "-s", "alice", "--out-dir", tmp_path / "out")
    assert result.stdout.endswith("0 done, 5 there already, 0 failed\n")


def test_a_part_of_one_recording_is_it_or_nothing(ptx, takes: Path, transferer, tmp_path: Path) -> None:
    source = takes / "scene 0" / "0.wav"
    for part in ("1/2", "2/2"):
        result = ptx("transfer", source, "-s", "alice", "--out-dir", tmp_path / "out", "--shard", part)
        assert result.exit_code == 0
    assert len(transferer.calls) == 1 and (tmp_path / "out" / "0.alice.wav").exists()
    refused = ptx("transfer", source, "-s", "alice", "--shard", "1/2", "-o", tmp_path / "other.wav")
    assert refused.exit_code == 2 and "--output" in refused.stderr
