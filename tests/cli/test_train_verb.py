"""`ptx train`: what is printed, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict:
    """A stand-in for training; remembers what it was asked for, and tells the events put into "events"."""
    from prosody_transfer.training import commands

    seen: dict = {"events": []}

    def fake(kind: str, config: Path | None, **options: object) -> Path:
        seen.update(options, config=config)
        for event in seen["events"]:
            options["on_event"](*event)
        return Path("runs/copycat/model.safetensors")

    monkeypatch.setattr(commands, "train", fake)
    return seen


def test_a_prepared_folder_with_a_preset(ptx, told: dict, tmp_path: Path) -> None:
    result = ptx("train", "copycat", "--data", tmp_path, "--preset", "large", "--set", "task.batch_size=8", "--set",
                 "loop.seed=2")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert (told["config"], told["data"], told["preset"]) == (None, tmp_path, "large")
    assert told["settings"] == ["task.batch_size=8", "loop.seed=2"]
    assert result.stdout == "runs/copycat/model.safetensors\n"
    assert ptx("train", "copycat", "--data", tmp_path).exit_code == 0
    assert told["settings"] == [] and told["preset"] is None


def test_figures_as_json(ptx, told: dict) -> None:
    told["events"] = [("train", 25, 50, {"loss": 0.5}), ("train", 26, 50, {"loss": 0.4}), ("dev", 26, 50, {"mel": 0.6}),
                      ("train", 50, 50, {"loss": 0.3})]  # fmt: skip
    result = ptx("train", "copycat", "a.toml", "--json")
    assert json.loads(result.stdout) == {
        "weights": "runs/copycat/model.safetensors", "stage": "train", "step": 50, "total": 50, "loss": 0.3,
        "dev_mel": 0.6,
    }  # fmt: skip
    assert "train 25/50" in result.stderr and "dev 26/50  mel 0.6" in result.stderr
    assert "train 26/50" not in result.stderr


def test_being_interrupted(ptx, told: dict) -> None:
    told["events"] = [("train", 3, 50, {"loss": 0.5}), ("interrupted", 3, 50, {})]
    result = ptx("train", "copycat", "a.toml")
    assert result.exit_code == 130 and result.stdout == "runs/copycat/model.safetensors\n"
    assert "interrupted; nothing that was finished is lost" in result.stderr


def test_of_several_processes_only_the_first_prints(ptx, told: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    assert ptx("train", "copycat", "a.toml").stdout == ""


def test_nothing_to_train_on(ptx) -> None:
    result = ptx("train", "recogniser")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "nothing to train on; give --data FOLDER, made by ptx prepare, or a CONFIG" in result.stderr


@pytest.mark.parametrize("kind", ["verifier", "nothing", "blocks"])
def test_what_is_not_trained(ptx, kind: str) -> None:
    result = ptx("train", kind, "a.toml")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1 and f"{kind!r}" in result.stderr
