"""Folders of recordings into another voice: by this process, by several, or by a cluster; the outputs are the same."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from prosody_transfer.audio.io import DEFAULT_SUBTYPE
from prosody_transfer.core.atomic import make_folder, part_name, remove_leftovers
from prosody_transfer.core.errors import PtxError, UsageError
from prosody_transfer.core.extras import EXTRAS, require
from prosody_transfer.integration.runtimes import Shapes
from prosody_transfer.jobs.shards import Shard
from prosody_transfer.jobs.tasks import (
    MOST_FILES,
    TASKS_A_WORKER,
    Done,
    Returned,
    Sources,
    Task,
    Work,
    cut,
    error_from_dict,
)
from prosody_transfer.synthesis.batch import Taken, output_of
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.records import FOLDER

ENGINES = ("processes", "dask")
OnDone = Callable[[Done], None]


def transfer_sources(
    sources: Sequence[Sources], speaker: str, *, settings: TransferSettings | None = None, overwrite: bool = False,
    suffix: str = ".wav", subtype: str = DEFAULT_SUBTYPE, model: str | Path | None = None,
    vocoder: str | Path | None = None, device: str = "cpu", voices: str | Path | None = None,
    runtime: str | None = None, shapes: Shapes = "dynamic", workers: int = 1, engine: str = "processes",
    scheduler: str | None = None, on_done: OnDone | None = None, load: Callable[..., Any] | None = None,
) -> list[tuple[Path, PtxError]]:  # fmt: skip
    """Transfer recordings into folders, each as `Transferer.from_files_to_files` does.

    A worker loads the networks once. A recording that fails, fails alone; a worker that dies is replaced and its work
    done again; a recording that two workers have died of is given up. However it ends, what was finished stays, and the
    next run goes on from there.

    Args:
        model, vocoder, device, voices, runtime, shapes: As `Transferer` takes them.
        workers: Processes of this machine; with 1 all is done in this one.
        engine: "processes", or "dask": the workers of a scheduler, which must see the same files under the same names.
        scheduler: Its address, with "dask".
        on_done: Called with what became of each recording, in any order.
        load: What makes a `Transferer`, instead of the class itself; at the top of a module, so that workers find it.

    Returns:
        The recordings that failed, and why.

    Raises:
        UsageError: An argument is out of range, or no scheduler answers.
        ModelError: The networks can't be loaded.
        DependencyError: Dask is not installed.
        PtxError: Workers die of everything; or see `Transferer`.
    """
    check_engine(engine, scheduler, workers)
    options = {"settings": (settings or TransferSettings()).check(), "subtype": subtype}
    networks = (model, vocoder, device, voices, runtime, shapes)
    work = Work(part_name(), speaker, networks, options, overwrite, suffix, "", load)
    failures: list[tuple[Path, PtxError]] = []

    def tell(done: Done) -> None:
        if done.failure is not None:
            failures.append((done.path, done.failure))
        if on_done is not None:
            on_done(done)

    if engine == "processes" and workers == 1:
        _transfer_here(sources, work, tell)
    else:
        _transfer_elsewhere(sources, work, tell, workers, scheduler)
    return failures


def check_engine(engine: str, scheduler: str | None, workers: int | None, shard: str | None = None) -> None:
    """Refuse what does not go together, and a part that is none.

    Raises:
        UsageError: It does not.
        DependencyError: Dask is not installed.
    """
    if engine not in ENGINES:
        raise UsageError(f"{engine!r} is none", place="--engine", remedy=f"give one of {', '.join(ENGINES)}")
    if workers is not None and workers < 1:
        raise UsageError("must be 1 or more", place="--workers")
    if engine == "dask" and not scheduler:
        remedy = "give its address; for processes of this machine, --workers alone"
        raise UsageError("is needed with --engine dask", place="--scheduler", remedy=remedy)
    if engine != "dask" and scheduler:
        raise UsageError("goes with --engine dask", place="--scheduler", remedy="add it, or leave the address out")
    if shard is not None:
        Shard.parse(shard)
    if engine == "dask":
        require("cluster", EXTRAS["cluster"], "--engine dask")


def _transfer_here(sources: Sequence[Sources], work: Work, tell: OnDone) -> None:
    transferer = work.transferer()
    states: list[Any] = []  # of an output that was left: told just before

    def on_done(path: Path, result: Any, failure: PtxError | None) -> None:
        tell(Done(path, result.report if result else None, states.pop() if states else None, failure))

    for part in sources:
        transferer.from_files_to_files(
            part.paths, work.speaker, part.out_dir, overwrite=work.overwrite, root=part.root, suffix=work.suffix,
            on_done=on_done, on_left=lambda path, state: states.append(state), **work.options,
        )  # fmt: skip


def _transfer_elsewhere(
    sources: Sequence[Sources], work: Work, tell: OnDone, workers: int, scheduler: str | None
) -> None:  # fmt: skip
    from prosody_transfer.jobs.cluster import Cluster
    from prosody_transfer.jobs.processes import run_in_processes
    from prosody_transfer.synthesis.keys import code_version

    work = replace(work, code=code_version())
    with contextlib.ExitStack() as stack:
        if scheduler:
            cluster = stack.enter_context(Cluster(scheduler))
            work = replace(work, base=Path.cwd())
            done = cluster.run(work, _tasks(sources, work, tell, cluster.hands(), stack))
        else:
            done = run_in_processes(work, _tasks(sources, work, tell, workers, stack), workers)
        with contextlib.closing(done):
            for task, returned in done:
                _take(task, returned, tell)


def _take(task: Task, returned: Returned, tell: OnDone) -> None:
    if returned.refused is not None:
        raise error_from_dict(returned.refused)
    for done in returned.done:
        tell(Done.from_dict(done))
    task.journal.unlink(missing_ok=True)


def _tasks(
    sources: Sequence[Sources], work: Work, tell: OnDone, hands: int, stack: contextlib.ExitStack
) -> Iterator[Task]:
    """Tasks as they are wanted, and enough for all hands. The journals lie in a folder that goes at the end."""
    total = sum(len(part.paths) for part in sources)
    most = min(MOST_FILES, max(1, total // (TASKS_A_WORKER * hands)))
    number, taken = 0, Taken()
    for part in sources:
        journals = stack.enter_context(_journals(part.out_dir, work.run))
        for paths in cut(_claimed(part, work, taken, tell), most):
            number += 1
            yield Task(number, paths, part.out_dir, part.root, journals / f"{number}.jsonl")


def _claimed(part: Sources, work: Work, taken: Taken, tell: OnDone) -> Iterator[Path]:
    for path in map(Path, part.paths):
        try:
            taken.claim(output_of(path, work.speaker, part.out_dir, part.root, work.suffix), path)
        except PtxError as error:
            tell(Done(path, failure=error))
        else:
            yield path


@contextlib.contextmanager
def _journals(out_dir: Path, run: str) -> Iterator[Path]:
    """A folder for the journals of a run, among the records; where this process is killed, the next run removes it."""
    records = out_dir / FOLDER
    remove_leftovers(records)
    folder = records / run
    make_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        remove_leftovers(out_dir, below=True)
        with contextlib.suppress(OSError):
            records.rmdir()  # where nothing was recorded
