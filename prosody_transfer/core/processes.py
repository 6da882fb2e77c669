"""Worker processes: one thread each, deaf to Ctrl-C, gone when the first process is.

A signal that a terminal sends to all of them is seen to by the first process alone, which then ends the others: each
cleans up what it has half done, and has a moment for that.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from prosody_transfer.core.errors import PtxError

GRACE_SECONDS = 1.0
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def process_pool(
    workers: int, prepare: Callable[..., None] | None = None, given: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """New processes that go at once when this one is interrupted, and outlive it in no case.

    Args:
        prepare: Called in each with `given` before its first task; at the top of a module.

    Raises:
        PtxError: This is such a process itself, and still importing the script that called for it.
    """
    # Python's own check comes after the queues are made: a process that is ended then leaves their semaphores behind,
    # and Python says so after all that we have to say.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise not_started()
    pool = ProcessPoolExecutor(workers, mp_context=_Context(), initializer=_begin, initargs=(prepare, given))
    try:
        yield pool
    except BaseException:
        end([pool])
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def end(pools: Iterable[ProcessPoolExecutor]) -> None:
    """End the processes of several pools at once; each cleans up what it has half done."""
    _end([process for pool in pools for process in list((getattr(pool, "_processes", None) or {}).values())])


def not_started() -> PtxError:
    """What a script without a guard is told."""
    remedy = 'in a script, call this under if __name__ == "__main__":; or use one worker'
    return PtxError("worker processes cannot be started", remedy=remedy)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that are started meanwhile use one thread: more threads than cores only spin."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Process(SpawnProcess):
    """Starts deaf to what a terminal sends: Python would print where it was, had it not come to `_begin` yet."""

    def start(self) -> None:
        with _deaf():
            super().start()


class _Context(SpawnContext):
    Process = _Process  # type: ignore[assignment]


@contextmanager
def _deaf() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(processes: list[Any]) -> None:
    for process in processes:
        process.terminate()
    alive, until = {process.sentinel: process for process in processes}, time.monotonic() + 2 * GRACE_SECONDS
    while alive and (left := until - time.monotonic()) > 0:
        for sentinel in wait(list(alive), left):
            del alive[sentinel]
    for process in alive.values():
        process.kill()


def _clean_up(number: int, frame: object) -> None:
    """Raised in the task that is at work; whoever waits for the next task would go on, so there is an end to it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end = threading.Timer(GRACE_SECONDS, os._exit, (128 + number,))
    end.daemon = True
    end.start()
    raise SystemExit(128 + number)


def _begin(prepare: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)  # the first process sees to it
    signal.signal(signal.SIGTERM, _clean_up)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    if prepare is not None:
        prepare(*given)


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)
