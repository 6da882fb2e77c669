"""The best path through a lattice in memory that does not grow with the recording: a band of states."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from prosody_transfer.core.errors import TranscriptError


class Lattice(Protocol):
    """What is used of `score.Lattice`."""

    phone: Any
    chain: Any
    loop: Any
    entries: Any
    sources: Any
    starts: Any
    ends: Any


STATES = 4096  # that are looked at at once: about two minutes of speech
LAG = 3000  # frames after which what came before is decided: whatever path is best by then has joined the others
MOVED_EVERY = 32  # frames


class _Band:
    """The states [low, high) of a lattice, what each is worth, and how each was reached since what is decided."""

    def __init__(self, lattice: Lattice, states: int) -> None:
        self.lattice, self.size, self.states = lattice, len(lattice.phone), states
        self.low, self.high = 0, min(states, self.size)
        self.score = np.full(self.size + 1, -np.inf, np.float32)  # the last is nobody's
        self.back: list[tuple[int, int, np.ndarray, np.ndarray]] = []  # low, first entry, moved, chosen

    def push(self, row: np.ndarray) -> None:
        """One more frame, (40,) log posteriors."""
        lattice, low, high, score = self.lattice, self.low, self.high, self.score
        first, last = np.searchsorted(lattice.entries, (low, high))
        arriving = score[lattice.sources[first:last]]
        best = arriving.argmax(1)
        move = np.full(high - low, -np.inf, np.float32)
        at = max(low, 1)
        move[at - low :] = score[at - 1 : high - 1] + lattice.chain[at:high]
        move[lattice.entries[first:last] - low] = arriving[np.arange(last - first), best]
        stay = score[low:high] + lattice.loop[low:high]
        self.back.append((low, int(first), move > stay, best.astype(np.uint8)))
        score[low:high] = np.maximum(move, stay) + row.take(lattice.phone[low:high])

    def move(self) -> None:
        """Follow the best state, never backwards."""
        best = self.low + int(self.score[self.low : self.high].argmax())
        low = min(max(self.low, best - self.states // 2), max(self.size - self.states, 0))
        self.score[self.low : low] = -np.inf
        self.low, self.high = low, min(low + self.states, self.size)

    def trace(self, state: int) -> list[int]:
        """The states of all frames that are kept, the last of them `state`, and of the frame before."""
        path = [state]
        for low, first, moved, chosen in reversed(self.back):
            if moved[state - low]:
                row = int(np.searchsorted(self.lattice.entries, state))
                entered = row < len(self.lattice.entries) and self.lattice.entries[row] == state
                state = int(self.lattice.sources[row, chosen[row - first]]) if entered else state - 1
            path.append(state)
        return path[::-1]


def best_path_within(lattice: Lattice, logs: np.ndarray, states: int = STATES, lag: int = LAG) -> np.ndarray:
    """As `score.best_path`, with at most `states` of the lattice in sight and 2 * `lag` frames in memory.

    Raises:
        TranscriptError: The end of the words was not in sight at the end of the recording.
    """
    band, path = _Band(lattice, states), np.empty(len(logs), int)
    starts = [state for state in lattice.starts if state < band.high]
    band.score[starts] = logs[0, lattice.phone[starts]]
    decided = 0
    for t in range(1, len(logs)):
        if t % MOVED_EVERY == 0:
            band.move()
        band.push(logs[t])
        if len(band.back) == 2 * lag:
            found = band.trace(band.low + int(band.score[band.low : band.high].argmax()))
            path[decided : decided + lag] = found[:lag]
            decided, band.back = decided + lag, band.back[lag:]
    last = max(lattice.ends, key=lambda state: band.score[state])
    if not np.isfinite(band.score[last]):
        raise TranscriptError("ends elsewhere than the recording", remedy="check that all of it is said, and no more")
    path[decided:] = band.trace(last)
    return path
