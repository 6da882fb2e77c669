"""Workers that died, or were lost sight of: their tasks are done again, but not for ever."""

from __future__ import annotations

from prosody_transfer.core.errors import FatalAudioError, PtxError
from prosody_transfer.core.processes import not_started
from prosody_transfer.jobs.journal import Journal
from prosody_transfer.jobs.tasks import Returned, Task

MOST_IDLE = 3  # losses in a row in which nothing was begun
MOST_DEADLY = 40  # losses in a row with nothing done between: no damaged recording, but a machine without memory


class Losses:
    """Counts what was lost, and gives up where nothing comes of trying again."""

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}
        self._idle = self._deadly = 0
        self._anything = False

    def lost(self, task: Task) -> None:
        """An attempt came to nothing: the task is to be done again.

        Raises:
            PtxError: Processes don't live long enough to begin anything, or die of everything.
        """
        lines = Journal(task.journal).lines
        self._idle = 0 if lines > self._lines.get(task.number, 0) else self._idle + 1
        self._deadly += 1
        self._anything |= lines > 0
        self._lines[task.number] = lines
        if self._idle >= MOST_IDLE and not self._anything:
            raise not_started()
        if self._idle >= MOST_IDLE or self._deadly >= MOST_DEADLY:
            remedy = "run the same command again with fewer workers: it goes on"
            raise PtxError("worker processes keep dying, perhaps for want of memory", remedy=remedy)
        task.journal.parent.mkdir(parents=True, exist_ok=True)

    def ended(self, task: Task, returned: Returned) -> None:
        """An attempt came to its end."""
        self._lines.pop(task.number, None)
        self._anything = True
        deadly = FatalAudioError.__name__
        if any(done["failure"] is None or done["failure"]["kind"] != deadly for done in returned.done):
            self._idle = self._deadly = 0
