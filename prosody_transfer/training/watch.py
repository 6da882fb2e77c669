"""Reasons to end a run early: its loss has exploded, though it is still a number, or somebody asked."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from prosody_transfer.core import stopping

WINDOW, RECENT = 100, 10  # steps


class Watch:
    """Compares the median of the last 10 losses with the lowest median that 100 in a row have had.

    Medians, because one odd batch is no explosion; the lowest, because a slow one would carry a moving one along.

    Args:
        factor: The recent median may be this many times the lowest; 0 watches nothing.
        level: The lowest median so far, from an earlier part of the run; infinity: none yet.
    """

    def __init__(self, factor: float, level: float = float("inf")) -> None:
        self.factor, self.level = factor, level
        self._losses: deque[float] = deque(maxlen=WINDOW)

    def _too_high(self, loss: float) -> bool:
        return self.factor > 0 and 0 < self.level * self.factor < loss

    def add(self, loss: float) -> str:
        """Note a step's loss; returns what is wrong, or ""."""
        self._losses.append(loss)
        if len(self._losses) >= RECENT:
            recent = median(list(self._losses)[-RECENT:])
            if self._too_high(recent):
                times = recent / self.level
                return f"the loss has exploded: {recent:.4g}, {times:.1f} times what it was ({self.level:.4g})"
        if len(self._losses) == WINDOW:
            self.level = min(self.level, median(self._losses))
        return ""

    def calm(self) -> bool:
        """Whether the last loss is an ordinary one: only then a checkpoint may replace the one before."""
        return not self._losses or not self._too_high(self._losses[-1])


@contextmanager
def stop_flag() -> Iterator[Callable[[], bool]]:
    """True once Ctrl-C, a polite kill or a closed terminal has asked the run to end."""
    asked: list[int] = []
    kept = {}

    def ask(number: int, frame: object) -> None:
        asked.append(number)
        stopping.note(number)

    for number in stopping.signals():
        try:
            kept[number] = signal.signal(number, ask)
        except ValueError:  # not in the main thread: whoever runs us handles signals
            break
        if kept[number] is signal.SIG_IGN and number != signal.SIGINT:  # nohup
            signal.signal(number, signal.SIG_IGN)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
