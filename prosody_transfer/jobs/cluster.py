"""Tasks on the workers of a Dask scheduler, on any machines that see the same files."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Generator, Iterator
from typing import Any

from prosody_transfer.core.errors import DependencyError, PartialFailure, UsageError
from prosody_transfer.jobs.losses import Losses
from prosody_transfer.jobs.tasks import Returned, Task, Work
from prosody_transfer.jobs.worker import run_task

AHEAD = 2  # tasks a thread of the workers: one that is done, and one to go on with
LEAST_AHEAD = 8  # before there are workers: some clusters start them for what waits
WAIT_SECONDS = 300.0  # for the first worker
_CONNECT_SECONDS = "20s"


class Cluster:
    """A connection to a scheduler; a context.

    Args:
        address: Such as "tcp://10.0.0.1:8786".

    Raises:
        UsageError: Nothing answers there.
    """

    def __init__(self, address: str) -> None:
        from distributed import Client

        for name in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what concerns the user is said in a line of ours
        self.address = address
        try:
            self.client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            problem = f"no Dask scheduler answers at {address!r} ({type(error).__name__})"
            remedy = "start one with dask scheduler, and give the address that it prints"
            raise UsageError(problem, place="--scheduler", remedy=remedy) from None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *raised: object) -> None:
        self.client.close()

    def hands(self) -> int:
        """How many tasks the workers can be given at once; some at least, also before the first worker has come."""
        return max(AHEAD * sum(self.client.nthreads().values()), LEAST_AHEAD)

    def run(self, work: Work, tasks: Iterator[Task]) -> Generator[tuple[Task, Returned], None, None]:
        """Do tasks on the workers; no more than these can be given at once are drawn.

        The scheduler gives the tasks of a worker that dies to others. What was done of them is in their journals.

        Yields:
            A task and what came of it, in any order.

        Raises:
            UsageError: There are no workers.
            PartialFailure: The scheduler has gone.
            DependencyError: A worker has no ptx.
            PtxError: Workers die of everything.
        """
        from distributed import as_completed

        losses, waiting, ended, given = Losses(), {}, as_completed(loop=self.client.loop), itertools.count()

        def give(task: Task) -> None:
            key = f"ptx-{work.run}-{next(given)}"  # the same key again would be the same failure again
            waiting[key] = task
            ended.add(self.client.submit(run_task, work, task, key=key, pure=False, retries=0))

        def fill() -> None:
            hands = self.hands()
            while len(waiting) < hands and (task := next(tasks, None)) is not None:
                give(task)

        fill()
        self._wait_for_a_worker()
        for future in ended:
            task, returned = waiting.pop(future.key), self._result(future)
            if returned.covers(task):
                losses.ended(task, returned)
                fill()
                yield task, returned
            else:
                losses.lost(task)
                give(task)

    def _wait_for_a_worker(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=WAIT_SECONDS)
        except TimeoutError:
            problem = f"the scheduler at {self.address} has no workers"
            raise UsageError(problem, place="--scheduler", remedy=f"start some: dask worker {self.address}") from None

    def _result(self, future: Any) -> Returned:
        """Nothing of a task that is lost; what a worker raises is raised."""
        from distributed import CancelledError, KilledWorker, TimeoutError

        try:
            return future.result()
        except (KilledWorker, CancelledError, TimeoutError, OSError):  # the last: connections to the worker too
            if self.client.status == "running":
                return Returned()
            remedy = "run the same command again: it goes on"
            raise PartialFailure("the scheduler has gone", place=self.address, remedy=remedy) from None
        except ImportError as error:
            problem = f"a worker of {self.address} lacks something ({error})"
            raise DependencyError(problem, remedy="install the same ptx everywhere") from None
