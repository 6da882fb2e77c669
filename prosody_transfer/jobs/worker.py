"""In a worker: networks that are loaded once a run, and one task after the other."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from prosody_transfer.core.atomic import remove_parts_of
from prosody_transfer.core.errors import DependencyError, FatalAudioError, PtxError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.jobs.journal import MOST_DEATHS, Journal
from prosody_transfer.jobs.tasks import Done, Returned, Task, Work, error_to_dict
from prosody_transfer.synthesis.batch import Batch, output_of

_loaded: Shared[dict[str, Any]] = Shared(dict)  # run -> its `Transferer`; of the last run alone


def run_task(work: Work, task: Task) -> Returned:
    """Transfer the recordings of a task; those that its journal tells of are not done again.

    Raises:
        OSError: The journal can't be written to.
    """
    try:
        transferer = _transferer(work)
    except PtxError as error:
        return Returned(refused={**error_to_dict(error), "host": socket.gethostname()})
    journal = Journal(work.base / task.journal)
    root = work.base / task.root if task.root is not None else None
    batch = Batch(
        transferer, work.speaker, work.base / task.out_dir, work.options, overwrite=work.overwrite, root=root,
        suffix=work.suffix,
    )  # fmt: skip
    for path in task.paths:
        if str(path) in journal.done:
            continue
        deaths = journal.deaths[str(path)]
        if deaths:
            _clear(journal, batch, path, work)
        if deaths >= MOST_DEATHS:
            done = Done(path, failure=_deadly(path)).to_dict()
        else:
            if not journal.begin(path):
                break
            outcome = batch.one(work.base / path)
            report = outcome.result.report if outcome.result is not None else None
            done = Done(path, report, outcome.state, outcome.failure).to_dict()
        done = json.loads(json.dumps(done, default=_as_json))  # the same whether it went through the journal or not
        journal.end(done)
        journal.done[str(path)] = done
    return Returned([journal.done[str(path)] for path in task.paths if str(path) in journal.done])


def _transferer(work: Work) -> Any:
    """Raises what `Transferer` does; and `DependencyError` where another ptx is installed here."""
    from prosody_transfer.synthesis.keys import code_version

    with _loaded.use() as loaded:
        if work.run not in loaded:
            if work.code != code_version():
                problem = "has another version of ptx than the process that asks for the work"
                raise DependencyError(problem, place="a worker", remedy="install the same everywhere")
            loaded.clear()
            loaded[work.run] = work.transferer()
        return loaded[work.run]


def _clear(journal: Journal, batch: Batch, path: Path, work: Work) -> None:
    """What the workers that died of it left half-written; they may have been of another machine."""
    target = output_of(work.base / path, work.speaker, batch.out_dir, batch.root, work.suffix)
    for process in journal.by:
        for folder in (target.parent, batch.records.folder):
            remove_parts_of(process, folder)
    if journal.deaths[str(path)] >= MOST_DEATHS:
        batch.records.forget(target)


def _deadly(path: Path) -> FatalAudioError:
    remedy = "try it alone, with ptx transfer: it may be damaged, or need more memory than a worker has"
    return FatalAudioError(f"its worker process died of it {MOST_DEATHS} times", place=str(path), remedy=remedy)


def _as_json(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
