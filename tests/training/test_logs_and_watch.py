"""The table that a run leaves, what counts as an explosion, and what a checkpoint says of its making."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.models.copycat.task import CopyCatTaskConfig
from prosody_transfer.models.vocoder.task import VocoderTaskConfig
from prosody_transfer.training import logs
from prosody_transfer.training.logs import CsvLog, TensorBoard
from prosody_transfer.training.provenance import checkout, plain_settings, provenance
from prosody_transfer.training.watch import Watch


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open()))


def test_a_table_goes_on_after_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CsvLog(path)
    for step in (5, 10, 15):
        log.add(step, step / 10, {"loss": 1 / step})
    with path.open("a") as file:
        file.write("2")  # cut short by a kill
    CsvLog(path, 10).add(15, 9.0, {"loss": 0.25})
    assert [(r["step"], r["seconds"], r["loss"]) for r in rows(path)] == [
        ("5", "0.5", "0.2"), ("10", "1.0", "0.1"), ("15", "9.0", "0.25")
    ]  # fmt: skip
    CsvLog(path, 0)
    assert not path.exists()


def test_a_figure_that_is_new_gets_a_column(tmp_path: Path) -> None:
    """As when a run of an older ptx goes on."""
    log = CsvLog(tmp_path / "log.csv")
    log.add(1, 1.0, {"loss": 2.0})
    log.add(2, 2.0, {"loss": 1.0, "new": 0.5})
    log.add(3, 3.0, {"loss": 1.0})
    assert [(r["step"], r["loss"], r["new"]) for r in rows(log.path)] == [
        ("1", "2", ""), ("2", "1", "0.5"), ("3", "1", "")
    ]  # fmt: skip


def test_tensorboard_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple] = []

    class Writer:
        def __init__(self, folder: str, purge_step: int | None) -> None:
            told.append(("open", Path(folder).name, purge_step))

        def __getattr__(self, name: str):
            return lambda *what, **more: told.append((name, *what))

    monkeypatch.setattr(logs, "find_spec", lambda name: None)
    quiet = TensorBoard(tmp_path)
    quiet.figures("train", 1, {"loss": 1.0})
    quiet.sample("a", 1, None, np.zeros(3), 24000)
    quiet.close()
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(logs, "find_spec", lambda name: True)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.SimpleNamespace(SummaryWriter=Writer))
    board = TensorBoard(tmp_path, 7)
    board.figures("train", 8, {"loss": 1.0})
    board.sample("a", 8, None, np.zeros(3), 24000)
    board.close()
    assert told[:2] == [("open", "tensorboard", 8), ("add_scalar", "train/loss", 1.0, 8)]
    assert [t[0] for t in told[2:]] == ["add_audio", "close"]


def test_an_explosion_by_hand() -> None:
    watch = Watch(5.0)
    assert not any(watch.add(loss) for loss in [9.0] * 10 + [1.0] * 100) and watch.level == 1.0
    assert watch.add(50.0) == "" and not watch.calm(), "one odd batch stops nothing, but is not saved either"
    assert watch.add(1.0) == "" and watch.calm()
    said = [watch.add(6.0) for _ in range(9)]
    found = next(i for i, problem in enumerate(said) if problem)
    assert found == 4, "with the 50, five 6 make six of ten"
    assert said[found] == "the loss has exploded: 6, 6.0 times what it was (1)" and not watch.calm()


def test_a_slow_explosion_is_one_too() -> None:
    watch = Watch(5.0)
    assert any(watch.add(1.01**step) for step in range(600))
    assert not any(Watch(0.0).add(1.01**step) for step in range(600)), "0 watches nothing"
    assert Watch(5.0, level=1.0).calm()
    again = Watch(5.0, level=1.0)  # as after going on: the level is known from before
    assert [bool(again.add(6.0)) for _ in range(10)] == [False] * 9 + [True]


def test_a_run_that_learns_is_left_alone() -> None:
    rng = np.random.default_rng(0)
    watch = Watch(5.0)
    assert not any(watch.add(float((3 * 0.99**s + 0.01) * rng.lognormal(0, 0.4))) for s in range(2000))


def test_what_a_checkpoint_was_made_with(tmp_path: Path) -> None:
    assert {"ptx", "torch"} <= set(provenance())
    assert checkout(tmp_path) == {}
    (tmp_path / ".git").mkdir()
    assert checkout(tmp_path) == {}, "not a checkout after all"
    (tmp_path / ".git").rmdir()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    (tmp_path / "file").write_text("1")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    found = checkout(tmp_path)
    assert len(found["commit"]) == 40 and found["changed"] is False
    (tmp_path / "file").write_text("2")
    assert checkout(tmp_path) == {"commit": found["commit"], "changed": True}
    assert checkout(tmp_path / "below") == {}, "a checkout further up is somebody else's"


def test_settings_in_a_header_name_no_folders() -> None:
    kept = plain_settings(VocoderTaskConfig(start_from="/home/ann/runs/vocoder/model.safetensors"))
    several = plain_settings(CopyCatTaskConfig(start_from=("/home/ann/a.safetensors", "b.safetensors")))
    assert several["start_from"] == ["a.safetensors", "b.safetensors"]
    assert kept["start_from"] == "model.safetensors" and kept["acoustic_model"] == "" and kept["batch_size"] == 12


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_itself(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.figures("train", 1, {"loss": 1.0})
    board.close()
    assert list((tmp_path / "tensorboard").iterdir())
