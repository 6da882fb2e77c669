"""Worker processes: one thread each, deaf to Ctrl-C, gone when the first process is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from prosody_transfer.core.errors import PtxError

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
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(prepare, given))
    try:
        yield pool
    except BaseException:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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


def _begin(prepare: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process sees to it
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    if prepare is not None:
        prepare(*given)


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)
