"""Tasks in processes of this machine: one thread each, and the death of one costs the others nothing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from typing import NamedTuple

from prosody_transfer.core.processes import end, one_thread_each, process_pool
from prosody_transfer.jobs.losses import Losses
from prosody_transfer.jobs.tasks import Returned, Task, Work
from prosody_transfer.jobs.worker import run_task


class _Worker(NamedTuple):
    """A pool of one process: where it breaks, the task that broke it is known, and no other is lost."""

    context: AbstractContextManager[ProcessPoolExecutor]
    pool: ProcessPoolExecutor

    def close(self) -> None:
        self.context.__exit__(None, None, None)


def run_in_processes(work: Work, tasks: Iterator[Task], workers: int) -> Generator[tuple[Task, Returned], None, None]:
    """Do tasks; they are drawn as processes are free for them.

    Yields:
        A task and what came of it, in any order. One whose process died is done again, by a new process.

    Raises:
        PtxError: Processes can't be started, or die of everything.
    """
    with one_thread_each(), _Crew(work) as crew:
        while True:
            while len(crew.busy) < workers and (task := next(tasks, None)) is not None:
                crew.give(task)
            if not crew.busy:
                return
            yield from crew.take()


class _Crew:
    """Workers that are free, and those that have a task."""

    def __init__(self, work: Work) -> None:
        self.work, self.losses = work, Losses()
        self.free: list[_Worker] = []
        self.busy: dict[Future[Returned], tuple[Task, _Worker]] = {}

    def give(self, task: Task) -> None:
        if not self.free:
            context = process_pool(1)
            self.free.append(_Worker(context, context.__enter__()))
        worker = self.free.pop()
        self.busy[worker.pool.submit(run_task, self.work, task)] = (task, worker)

    def take(self) -> Iterator[tuple[Task, Returned]]:
        """Wait for one at least."""
        for job in wait(self.busy, return_when=FIRST_COMPLETED).done:
            task, worker = self.busy.pop(job)
            try:
                returned = job.result()
            except BrokenProcessPool:
                worker.close()
                returned = Returned()
            else:
                self.free.append(worker)
            if returned.covers(task):
                self.losses.ended(task, returned)
                yield task, returned
            else:
                self.losses.lost(task)
                self.give(task)

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, *raised: object) -> None:
        workers = [*self.free, *(worker for _, worker in self.busy.values())]
        if kind is not None:
            end([worker.pool for worker in workers])
        for worker in workers:
            worker.close()
