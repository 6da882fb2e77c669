"""Ctrl-C, and the signals that ask a process to end: what is half done is cleaned up, and the exit code tells which.

| signal | exit code | comes from |
|---|---|---|
| SIGINT | 130 | Ctrl-C |
| SIGTERM | 143 | `kill`, a supervisor, a machine that shuts down |
| SIGHUP | 129 | the terminal was closed; under `nohup` it is ignored |
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last
AGAIN_SECONDS = 0.05

_received: list[int] = []


class Stopped(KeyboardInterrupt):
    """The process was asked to end: raised wherever the main thread is, so that whatever cleans up does."""


def signals() -> tuple[int, ...]:
    """Those that this system has."""
    return tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))


def note(number: int) -> None:
    """Remember that a signal came, for the exit code; whoever handles it otherwise calls this."""
    _received.append(number)


def forget() -> None:
    """A new command begins; several may run in one process."""
    _received.clear()


def received() -> int | None:
    """The last signal that came; None where none did."""
    return _received[-1] if _received else None


def exit_code(otherwise: int) -> int:
    """128 and the number of the signal that ended the work; a server that Ctrl-C ends has done what it should."""
    number = received()
    if number is None or (otherwise == 0 and number == signal.SIGINT):
        return otherwise
    return 128 + number


def exit_at_once() -> None:
    """End without a word of Python's: while modules are imported and after the work there is nothing to clean up."""
    _handle(lambda number, frame: os._exit(128 + number))


def raise_stopped() -> None:
    """While work is done: raise `Stopped` in the main thread."""

    def stop(number: int, frame: FrameType | None) -> None:
        note(number)
        raise Stopped(signal.Signals(number).name)

    _handle(stop)
    sys.unraisablehook = _not_lost(sys.unraisablehook)


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    with contextlib.suppress(ValueError):  # not in the main thread: whoever runs us handles signals
        for number in signals():
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and what a shell runs in the background
                signal.signal(number, handler)


def _not_lost(before: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An exception in a destructor or callback goes nowhere: the signal is sent again a moment later."""

    def hook(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            before(lost)
        elif (number := received()) is not None:
            again = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number))
            again.daemon = True
            again.start()

    return hook
