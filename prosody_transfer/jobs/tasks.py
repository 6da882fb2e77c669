"""A batch in tasks: what goes to a worker, what comes back, and how many recordings are one task. All plain data."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from prosody_transfer.core import errors
from prosody_transfer.core.errors import PtxError
from prosody_transfer.synthesis.records import State

LEAST_SECONDS, MOST_SECONDS = 30.0, 60.0  # of sound in a task: long beside what passing it on costs, short to do again
MOST_FILES = 100
TASKS_A_WORKER = 4  # at least, so that none is left without work at the end
_COMPRESSED = 16_000  # bytes a second, where a file does not say how long it is


class Sources(NamedTuple):
    """Recordings whose results go under one folder; below `root`, where there is one, sub-folders are kept."""

    paths: Sequence[Path]
    out_dir: Path
    root: Path | None


@dataclass(frozen=True)
class Work:
    """What all tasks of a run have in common.

    Attributes:
        run: A name that no other run has: networks are loaded once a run and worker.
        networks: Model, vocoder, device, folder of voices, and whatever more `Transferer` takes, in its order.
        options: As `synthesis.batch.Batch` takes them, by name.
        code: `synthesis.keys.code_version` of whoever asks: a worker of another version would make something else.
        load: Makes a `Transferer` of `networks`, at the top of a module; None for the class itself.
        base: What paths are relative to: a worker elsewhere has a working folder of its own.
    """

    run: str
    speaker: str
    networks: tuple[Any, ...]
    options: Mapping[str, Any]
    overwrite: bool
    suffix: str
    code: str
    load: Callable[..., Any] | None = None
    base: Path = Path()

    def transferer(self) -> Any:
        """With its networks loaded, which takes seconds. Raises as `Transferer`."""
        model, vocoder, device, voices, *more = self.networks
        found = (self._found(model), self._found(vocoder), device, self._found(voices), *more)
        if self.load is not None:
            return self.load(*found)
        from prosody_transfer.synthesis.transfer import Transferer

        return Transferer(*found)

    def _found(self, path: str | Path | None) -> str | Path | None:
        """A path from here; what is a name ("griffin-lim") is left."""
        return self.base / path if path is not None and os.path.exists(self.base / path) else path


@dataclass(frozen=True)
class Task:
    """Some recordings of one folder.

    Attributes:
        journal: The file in which a worker notes what it begins and what it has done.
    """

    number: int
    paths: tuple[Path, ...]
    out_dir: Path
    root: Path | None
    journal: Path


@dataclass(frozen=True)
class Done:
    """What became of a recording: a report, or the state of the output that was left, or why it failed."""

    path: Path
    report: dict[str, Any] | None = None
    state: State | None = None
    failure: PtxError | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        state = None if self.state is None else [self.state.kind, list(self.state.changed)]
        failure = None if self.failure is None else error_to_dict(self.failure)
        return {"path": str(self.path), "report": self.report, "state": state, "failure": failure}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Done:
        state = None if found["state"] is None else State(found["state"][0], tuple(found["state"][1]))
        failure = None if found["failure"] is None else error_from_dict(found["failure"])
        return cls(Path(found["path"]), found["report"], state, failure)


@dataclass
class Returned:
    """What a worker gives back for a task: all its recordings, or why it can't work at all."""

    done: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, str] | None = None

    def covers(self, task: Task) -> bool:
        """Whether there is nothing left to do of the task."""
        return self.refused is not None or len(self.done) == len(task.paths)


def error_to_dict(error: PtxError) -> dict[str, str]:
    return {"kind": type(error).__name__, "problem": error.problem, "place": error.place, "remedy": error.remedy}


def error_from_dict(found: Mapping[str, str]) -> PtxError:
    """The error again, of its own class and so with its exit code.

    >>> error_from_dict(error_to_dict(errors.AudioError("is silent", place="a.wav"))).exit_code
    3
    """
    kind = getattr(errors, found["kind"], PtxError)
    return kind(found["problem"], place=found["place"], remedy=found["remedy"])


def cut(paths: Iterable[Path], most_files: int = MOST_FILES) -> Iterator[tuple[Path, ...]]:
    """Recordings in groups of 30 to 60 s of sound, in their order; a longer one is a group of its own."""
    group: list[Path] = []
    total = 0.0
    for path in paths:
        seconds = seconds_of(path)
        if group and (total + seconds > MOST_SECONDS or total >= LEAST_SECONDS or len(group) >= most_files):
            yield tuple(group)
            group, total = [], 0.0
        group.append(path)
        total += seconds
    if group:
        yield tuple(group)


def seconds_of(path: Path) -> float:
    """About how long a recording is. Nothing is decoded, as what is damaged must not harm the process that cuts."""
    try:
        size = os.stat(path).st_size
        with open(path, "rb") as file:
            head = file.read(44)
    except (OSError, ValueError):
        return 0.0
    if head[:4] == b"RIFF" and head[12:16] == b"fmt " and (rate := struct.unpack("<I", head[28:32])[0]):
        return size / rate
    if head[:4] == b"fLaC" and len(head) >= 26:
        packed = int.from_bytes(head[18:26], "big")  # 20 bits of rate, 3 of channels, 5 of depth, 36 of samples
        rate, samples = packed >> 44, packed & (1 << 36) - 1
        if rate and samples:
            return samples / rate
    return size / _COMPRESSED
