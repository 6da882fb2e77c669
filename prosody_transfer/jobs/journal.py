"""What a worker has begun and done of a task: whoever does the task again after its death goes on from there.

A line is added before and after each recording. A recording that was begun twice and never ended has killed its worker
twice. The file lies in a folder that the process which asks for the work removes when it ends: a worker that does not
find it any more stops.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from prosody_transfer.core.atomic import check_target, process_name

MOST_DEATHS = 2


class Journal:
    """The journal of a task.

    Attributes:
        done: What is finished, by recording.
        deaths: How often a recording was begun and not ended.
        by: The processes that began what they did not end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        self.deaths: Counter[str] = Counter()
        self.by: set[str] = set()
        self.lines = 0
        with contextlib.suppress(OSError):
            for line in path.read_text(encoding="utf8").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):  # cut off
                    self._note(json.loads(line))
                self.lines += 1
        self.by.discard(process_name())

    def _note(self, line: dict[str, Any]) -> None:
        if "begun" in line:
            self.deaths[line["begun"]] += 1
            self.by.add(line["by"])
        else:
            path = line["done"]["path"]
            self.done[path] = line["done"]
            self.deaths[path] = 0

    def begin(self, path: Path) -> bool:
        """Note that a recording is begun; False where nobody waits for it any more."""
        return self._add({"begun": str(path), "by": process_name()})

    def end(self, done: dict[str, Any]) -> None:
        self._add({"done": done})

    def _add(self, line: dict[str, Any]) -> bool:
        check_target(self.path)
        try:
            with open(self.path, "a", encoding="utf8") as file:
                file.write(json.dumps(line) + "\n")
        except FileNotFoundError:
            return False
        return True

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink()
