"""What several threads use, and what becomes of it in a forked process."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")

_all: weakref.WeakSet[Shared] = weakref.WeakSet()
_left_alone: list[object] = []  # of the parent process: destroying it would wait for threads that are not here
_forked = False


class Shared(Generic[T]):
    """Something that is made when first needed, and used by one thread at a time.

    In a forked process the lock is free, and the thing is there still, unless another thread was using it at that
    moment or it has threads of its own, which do not live on: then it is made again.

    Args:
        make: Makes it; what it raises, the user gets, and the next one tries again.
        survives: False for what has threads of its own.

    >>> numbers = Shared(lambda: [1, 2])
    >>> with numbers.use() as found:
    ...     found.append(3)
    >>> with numbers.use() as found:
    ...     print(found)
    [1, 2, 3]
    """

    def __init__(self, make: Callable[[], T], survives: bool = True) -> None:
        self._make, self._survives = make, survives
        self._lock = threading.Lock()
        self._made: T | None = None
        _all.add(self)

    @contextmanager
    def use(self) -> Iterator[T]:
        """It, for this thread alone until the block ends; not to be asked for again inside."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            yield self._made

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return Shared, (self._make, self._survives)  # another process makes its own

    def _begin_again(self) -> None:
        if self._made is not None and (self._lock.locked() or not self._survives):
            _left_alone.append(self._made)
            self._made = None
        self._lock = threading.Lock()


STDERR: Shared[object] = Shared(object)  # the descriptor, for whoever points it elsewhere for a while


def threads_here(wanted: int = 0) -> int:
    """How many threads a library may be told to use; 0 is its own choice. In a forked process it is one."""
    return 1 if _forked else wanted


def wait_without_spinning() -> None:
    """Let OpenMP's threads sleep while they wait, unless the user has said how they should.

    OpenMP reads this when it is loaded: it must be said before torch is imported.
    """
    if not any(name in os.environ for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")):
        os.environ["OMP_WAIT_POLICY"] = "passive"


def send_nothing() -> None:
    """Keep ONNX Runtime from reporting to its makers, unless the user has said what it should do.

    Since 1.32 it writes a session file and sends figures of use as soon as it is imported; it reads this before.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def one_torch_thread() -> None:
    """One thread for torch in this process, if it is loaded; else `processes.one_thread_each` has said so."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _in_child() -> None:
    """A forked process has the memory of its parent's threads, but not the threads: OpenMP would wait for them."""
    global _forked
    _forked = True
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() > 1:
        torch.set_num_threads(1)
    for shared in list(_all):
        shared._begin_again()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
