"""A function on many items in several processes: few in flight, one thread each, and no item can end the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from prosody_transfer.core.errors import PtxError
from prosody_transfer.core.processes import not_started, one_thread_each, process_pool

Item = TypeVar("Item")
Result = TypeVar("Result")

IN_FLIGHT = 4  # items a process: enough to keep it busy, whatever the length of the corpus


class Crashed(Exception):
    """The process died on this item, twice."""


def work(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[tuple[Item, Result | Crashed]]:
    """Apply a function to items, in any order.

    Args:
        function: At the top of a module, so that a new process finds it; likewise what `functools.partial` binds.
        items: Drawn as they are needed, at most four a process ahead.
        workers: Processes. With one everything is done here, and a crash ends the run.

    Yields:
        An item and its result. In its place `Crashed` for one that kills its process also when it is tried alone: a
        damaged file may do that to a decoder.

    Raises:
        PtxError: As `function`; or processes can't be started, or die on item after item, as for want of memory.
    """
    if workers <= 1:
        for item in items:
            yield item, function(item)
        return
    source = iter(items)
    crashes = 0
    with one_thread_each():
        while True:
            suspects = yield from _until_a_crash(function, source, workers)
            if not suspects:
                return
            _probe()
            for item in suspects:  # one of them was the cause: each gets a process of its own
                alone = yield from _until_a_crash(function, iter([item]), 1)
                if alone:
                    crashes += 1
                    yield item, Crashed()
                    if crashes > 20:
                        remedy = "run the same command again with fewer --workers: it goes on"
                        raise PtxError("worker processes keep dying, perhaps for want of memory", remedy=remedy)
                else:
                    crashes = 0


def _until_a_crash(
    function: Callable[[Item], Result], source: Iterator[Item], workers: int
) -> Generator[tuple[Item, Result | Crashed], None, list[Item]]:
    """Results as they come; returns the items that were in flight when a process died."""
    jobs: dict[Future[Result], Item] = {}
    with process_pool(workers) as pool:
        try:
            while True:
                while len(jobs) < IN_FLIGHT * workers and (item := next(source, _END)) is not _END:
                    jobs[pool.submit(function, item)] = item  # type: ignore[assignment]
                if not jobs:
                    return []
                for job in wait(jobs, return_when=FIRST_COMPLETED).done:
                    result = job.result()
                    yield jobs.pop(job), result
        except BrokenProcessPool:
            return list(jobs.values())


_END: Any = object()


def _probe() -> None:
    """Whether processes live at all: where they do not, no item is to blame.

    Raises:
        PtxError: They die before they are given anything.
    """
    with process_pool(1) as pool:
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool:
            raise not_started() from None
