"""`ptx render` and `--save-plan`: what is refused before a network is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_refusals(ptx, tmp_path: Path) -> None:
    plan = tmp_path / "p.json"
    assert ptx("render", plan, "-s", "alice").exit_code == 2, "there is none"
    plan.write_text("{}")
    assert ptx("render", plan, "-s", "nobody").exit_code == 2
    result = ptx("render", plan, "-s", "alice")
    assert result.exit_code == 2 and "is no plan" in result.stderr and result.stderr.count("\n") == 1
    (tmp_path / "p.alice.wav").write_text("mine")
    assert ptx("render", plan, "-s", "alice").exit_code == 5 and (tmp_path / "p.alice.wav").read_text() == "mine"
    assert ptx("render", plan, "-s", "alice", "-o", tmp_path / "x.mp3").exit_code == 5


@pytest.mark.parametrize("plan", ["p.txt", "gone/p.json"])
def test_a_plan_that_cannot_be_written_is_refused_first(ptx, transferer, make_recording, tmp_path: Path, plan) -> None:
    result = ptx("transfer", make_recording(tmp_path / "a.wav"), "-s", "alice", "--save-plan", tmp_path / plan)
    assert result.exit_code == 5 and not transferer.made


def test_several_recordings_have_no_one_plan(ptx, transferer, make_recording, tmp_path: Path) -> None:
    takes = [make_recording(tmp_path / f"{n}.wav") for n in "ab"]
    result = ptx("transfer", *takes, "-s", "alice", "--out-dir", tmp_path / "out", "--save-plan", tmp_path / "p.json")
    assert result.exit_code == 2 and "--save-plan" in result.stderr
