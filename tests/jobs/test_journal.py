"""A task that is done again goes on where the one before it died."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prosody_transfer.core.atomic import part_name
from prosody_transfer.core.errors import DependencyError, FatalAudioError
from prosody_transfer.jobs import worker
from prosody_transfer.jobs.journal import Journal
from prosody_transfer.jobs.tasks import Done, Task, Work, error_from_dict
from prosody_transfer.jobs.worker import run_task
from prosody_transfer.synthesis.keys import code_version
from prosody_transfer.synthesis.prosody import TransferSettings

OPTIONS = {"settings": TransferSettings(recognise="phones"), "subtype": "PCM_24"}


@pytest.fixture
def task(make_takes, tmp_path: Path) -> Task:
    folder = tmp_path / "out" / ".ptx" / "run"
    folder.mkdir(parents=True)
    return Task(1, tuple(make_takes("a.wav", "b.wav")), tmp_path / "out", tmp_path / "takes", folder / "1.jsonl")


@pytest.fixture
def run(tiny, monkeypatch: pytest.MonkeyPatch):
    def go(task: Task, code: str = "", base: Path = Path()) -> Any:
        work = Work(
            part_name(), "alice", (None, None, "cpu", None), OPTIONS, False, ".wav", code or code_version(),
            lambda *networks: tiny, base,
        )  # fmt: skip
        return run_task(work, task)

    return go


def test_what_is_done_is_not_done_again(run, task: Task, tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(task)
    assert [done["report"]["input"] for done in first.done] == [str(path) for path in task.paths] and first.covers(task)
    monkeypatch.setattr(worker.Batch, "one", lambda *given: pytest.fail("done again"))
    assert run(task) == first


def test_a_recording_is_begun_twice_at_most(run, task: Task) -> None:
    a, b = task.paths
    assert Journal(task.journal).begin(a)
    assert run(task).done[0]["failure"] is None, "one death may have had another cause"
    task.journal.unlink()
    for _ in range(2):
        Journal(task.journal).begin(a)
    returned = run(task)
    assert isinstance(error_from_dict(returned.done[0]["failure"]), FatalAudioError)
    assert returned.done[1]["failure"] is None and returned.covers(task)


def test_what_a_dead_worker_of_another_machine_left_goes(run, task: Task) -> None:
    a = task.paths[0]
    task.journal.write_text(f'{{"begun": "{a}", "by": "12-0123abcd"}}\n{{"beg')
    left = [task.out_dir / ".ptx-12-0123abcd-00.part", task.out_dir / ".ptx" / ".ptx-12-0123abcd-01.part"]
    other = task.out_dir / ".ptx-13-0123abcd-00.part"
    for path in (*left, other):
        path.touch()
    assert run(task).covers(task)
    assert not any(path.exists() for path in left) and other.exists(), "another process is still at it"


def test_where_nobody_waits_any_more_the_worker_stops(run, task: Task) -> None:
    task.journal.parent.rmdir()
    assert run(task).done == [] and not list(task.out_dir.glob("*.wav"))


def test_a_worker_with_another_program_refuses(run, task: Task) -> None:
    returned = run(task, code="of yesterday")
    assert returned.covers(task) and isinstance(error_from_dict(returned.refused), DependencyError)
    assert not list(task.out_dir.glob("*.wav"))


def test_a_journal_counts_deaths_since_a_recording_was_last_done(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    journal = Journal(path)
    journal.begin(Path("a"))
    journal.end(Done(Path("a")).to_dict())
    journal.begin(Path("b"))
    found = Journal(path)
    assert list(found.done) == ["a"] and found.deaths == {"a": 0, "b": 1} and found.lines == 3


def test_a_worker_elsewhere_has_another_working_folder(
    run, task: Task, networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = lambda path: path.relative_to(tmp_path)
    paths = tuple(map(inside, task.paths))
    asked = Task(1, paths, inside(task.out_dir), inside(task.paths[0].parent), inside(task.journal))
    monkeypatch.chdir(networks)
    returned = run(asked, base=tmp_path)
    assert [done["path"] for done in returned.done] == list(map(str, paths)) and task.journal.exists()
    assert all(done["report"] for done in returned.done) and len(list(task.out_dir.glob("*.alice.wav"))) == 2
    given = ("copycat.safetensors", "griffin-lim", "cpu", None)
    work = Work("run", "alice", given, OPTIONS, False, ".wav", "", lambda *found: found, networks)
    monkeypatch.chdir(tmp_path)
    assert work.transferer() == (networks / "copycat.safetensors", "griffin-lim", "cpu", None)
