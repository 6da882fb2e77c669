"""Partial results on disk, a file a finished source, so that a killed run goes on where it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from prosody_transfer.core.atomic import make_folder, remove_leftovers, write_atomically
from prosody_transfer.core.closure import DATA, ROOT, code_digest
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import RECORD_BYTES, parse_json, read_bytes
from prosody_transfer.models import registry
from prosody_transfer.synthesis.keys import BOOKKEEPING

# What decides a figure's value: the code of what measures, and of all that it imports, the transfer itself included.
MEASURED_BY = (f"{ROOT}.evaluation.measuring",)
_BOOKKEEPING = {f"{ROOT}.evaluation.cache", *BOOKKEEPING}


def file_hash(path: str) -> str:
    """Sixteen hex digits of a file's content; "" for no file, "missing" for one that can't be read."""
    if not path:
        return ""
    with contextlib.suppress(OSError):
        state = os.stat(path)
        return _hash(path, state.st_size, state.st_mtime_ns)
    return "missing"


@cache
def _hash(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


@cache
def code_version() -> str:
    """Twelve hex digits that change with the code that measures, transfers included (`core.closure.code_digest`)."""
    roots = [*MEASURED_BY, *registry.modules()]
    return code_digest(roots, leave_out=_BOOKKEEPING, data=(*DATA, "evaluation/data"))[:12]


def content_key(parts: Iterable[Any]) -> str:
    """A name for everything that a result depends on: 32 hex digits.

    >>> content_key(["a", 1]) == content_key(["a", 1]) != content_key(["a", 2])
    True
    """
    return hashlib.sha256(json.dumps(list(parts), sort_keys=True).encode()).hexdigest()[:32]


class Results:
    """What is finished, in a folder: each result appears whole or not at all.

    Args:
        folder: Made where there is none.

    Raises:
        OutputError: The folder can't be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "results"
        make_folder(self.folder)
        remove_leftovers(self.folder)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def read(self, key: str) -> dict[str, Any] | None:
        """A finished result; None when there is none, or its file is damaged."""
        try:
            found = parse_json(read_bytes(self._path(key), RECORD_BYTES, UsageError))
        except (UsageError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, key: str, result: dict[str, Any]) -> None:
        """Keep a result.

        Raises:
            OutputError: The disk is full, or the folder can't be written to.
        """
        write_atomically(self._path(key), json.dumps(result, ensure_ascii=False, allow_nan=False).encode())
