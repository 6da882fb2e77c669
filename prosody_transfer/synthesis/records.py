"""What made each output of a folder: a small file an output in OUT_DIR/.ptx, so that a later run can tell.

A record belongs to one content of one output: it is named after both, and written before the output gets its name.
So a killed run, or two runs at once, leave no output that looks as if somebody had edited it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prosody_transfer.core.atomic import LEFTOVER_SECONDS, write_atomically
from prosody_transfer.core.errors import ModelError, OutputError
from prosody_transfer.core.reading import RECORD_BYTES, open_regular, parse_json, read_bytes
from prosody_transfer.synthesis.keys import changed_parts, file_digest
from prosody_transfer.synthesis.outputs import complete

FOLDER = ".ptx"
FORMAT, VERSION = "ptx-output", 1
_HEAD_BYTES = 64


@dataclass(frozen=True)
class State:
    """What is there under an output's name.

    Attributes:
        kind: "absent" (nothing, or cut off), "current", "stale", "edited" (not what any run has written), or "unknown"
            (a sound file without a record).
        changed: Parts of the key (`keys.PARTS`) that differ from what it was made from; of an edited one, from the
            nearest of its records.
    """

    kind: str
    changed: tuple[str, ...] = ()


def seen(path: str | Path) -> list[int] | None:
    """What changes when a file's content does, without reading it: size, times of content and entry, number."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


class Records:
    """The records of an output folder, for one run.

    Args:
        out_dir: Need not exist.
    """

    def __init__(self, out_dir: Path) -> None:
        self.out_dir, self.folder = out_dir, out_dir / FOLDER
        self._names: dict[str, list[str]] = {}
        self._listed: int | None = -1

    def state(self, target: Path, wanted: Mapping[str, Any]) -> State:
        """What is there, seen from the key of what is wanted."""
        if not os.path.isfile(target):
            return State("absent")
        known = self._of(target)
        record = self._matching(target, known)
        if record is None and (now := self._of(target, again=True)) != known:  # of a run beside this
            known, record = now, self._matching(target, now)
        if record is not None:
            changed = changed_parts(record["key"], wanted)
            return State("stale" if changed else "current", changed)
        if not complete(target) and (not known or any(_cut_off(target, record) for record in known)):
            return State("absent")
        if not known:
            return State("unknown")
        return State("edited", min((changed_parts(record["key"], wanted) for record in known), key=len))

    def found(self, target: Path, name: str, path: Path | None) -> str | None:
        """SHA-256 of a file that an output was made from, as a record has it, where the file has not changed since.

        Args:
            name: "source" or "words".
        """
        state = seen(path) if path is not None else None
        for record in self._of(target):
            kept = record.get("seen", {}).get(name)
            if state is not None and isinstance(kept, dict) and kept.get("state") == state:
                return str(kept.get("sha256"))
        return None

    def write(self, target: Path, content: Path, key: Mapping[str, Any], made_from: Mapping[str, Any]) -> None:
        """Keep what makes an output, before it gets its name.

        Args:
            content: The file that is to become it.
            made_from: Of "source" and "words": `seen` and SHA-256, for `found`.

        Raises:
            OutputError: The folder can't be written to, or the disk is full.
        """
        with open(content, "rb") as file:
            head = file.read(_HEAD_BYTES).hex()
        record = {
            "format": FORMAT, "version": VERSION, "output": self._name(target), "key": dict(key),
            "sha256": file_digest(content), "bytes": content.stat().st_size, "head": head, "seen": dict(made_from),
        }  # fmt: skip
        self._keep(target, record)

    def settle(self, target: Path) -> None:
        """Once an output has its name: note how it looks, so that it need not be read again; forget older ones."""
        with contextlib.suppress(OutputError, OSError):
            self._matching(target, self._of(target))
            for name in self._list().get(self._digest(target), []):
                path = self.folder / name
                record = _read(path)
                old = time.time() - path.stat().st_mtime > LEFTOVER_SECONDS  # a younger one may be of a run beside this
                if old and (record is None or record["seen"].get("output") != seen(target)):
                    path.unlink()

    def forget(self, target: Path) -> None:
        """Remove the records of an output that never got its name."""
        if not os.path.lexists(target):
            for name in self._list(again=True).get(self._digest(target), []):
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink()

    def _matching(self, target: Path, known: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The record of what is there now; the file is read only where it looks otherwise than when it was noted."""
        state = seen(target)
        for record in known:
            if record["seen"].get("output") == state:
                return record
        sizes = {record.get("bytes") for record in known}
        content = file_digest(target) if state is not None and state[0] in sizes else None
        for record in known:
            if content is not None and record["sha256"] == content:
                record["seen"]["output"] = state
                with contextlib.suppress(OutputError):
                    self._keep(target, record)
                return record
        return None

    def _keep(self, target: Path, record: dict[str, Any]) -> None:
        name = f"{self._digest(target)}-{str(record['sha256'])[:24]}.json"
        write_atomically(self.folder / name, json.dumps(record, indent=1).encode(), folder=True)
        names = self._names.setdefault(self._digest(target), [])
        if name not in names:
            names.append(name)

    def _name(self, target: Path) -> str:
        return os.path.relpath(target, self.out_dir).replace(os.sep, "/")

    def _digest(self, target: Path) -> str:
        return hashlib.sha256(os.fsencode(self._name(target))).hexdigest()[:24]

    def _list(self, again: bool = False) -> dict[str, list[str]]:
        """Records' names by output, as they were and what was added here; `again`, listed where the folder has changed.

        The folder has as many files as there are outputs: it is not listed for each of them.
        """
        if again or self._listed == -1:
            try:
                changed: int | None = os.stat(self.folder).st_mtime_ns
                if changed != self._listed:
                    self._names, self._listed = {}, changed
                    for name in sorted(os.listdir(self.folder)):
                        if name.endswith(".json"):
                            self._names.setdefault(name.partition("-")[0], []).append(name)
            except OSError:
                self._names, self._listed = {}, None
        return self._names

    def _of(self, target: Path, again: bool = False) -> list[dict[str, Any]]:
        """All records of an output; what is damaged or of another version is passed over."""
        names = self._list(again).get(self._digest(target), [])
        records = (_read(self.folder / name) for name in names)
        return [r for r in records if r is not None and r["output"] == self._name(target)]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = parse_json(read_bytes(path, RECORD_BYTES, ModelError))
    except (ModelError, ValueError):
        return None
    if not isinstance(found, dict) or (found.get("format"), found.get("version")) != (FORMAT, VERSION):
        return None
    whole = isinstance(found.get("key"), dict) and isinstance(found.get("seen"), dict)
    return found if whole and all(isinstance(found.get(k), str) for k in ("output", "sha256", "head")) else None


def _cut_off(target: Path, record: Mapping[str, Any]) -> bool:
    """Whether a file is the beginning of what was written; one that somebody has edited is not."""
    with contextlib.suppress(OSError, ValueError, OutputError):
        with open_regular(target, OutputError) as file:
            head = file.read(_HEAD_BYTES)
        return bytes.fromhex(record["head"]).startswith(head) and target.stat().st_size < int(record.get("bytes") or 0)
    return False
