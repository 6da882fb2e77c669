"""Writing a file so that it is either whole or not there; used by the rooms that write."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

from prosody_transfer.core.errors import OutputError

LEFTOVER_SECONDS = 3600.0  # a temporary file this old belongs to no run that still goes on

def write_atomically(path: str | Path, data: bytes, *, folder: bool = True) -> None:
    """Write `data` to a temporary file in the same folder, then give it its name.

    Args:
        path: Where it is a link, the file that it names is replaced, not the link.
        folder: Make the folder where there is none.

    Raises:
        OutputError: The folder can't be written to or the disk is full; no temporary file is left.
    """
    temporary = None
    try:
        target = Path(path).resolve()
        if folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f".ptx-{os.getpid()}-{os.urandom(6).hex()}.part"
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        state = "the disk is full, nothing was written" if full else "cannot be written"
        remedy = "free some space" if full else "choose another name or folder"
        raise OutputError(f"{state} ({error.strerror})", place=str(path), remedy=remedy) from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                temporary.unlink()


def make_folder(folder: Path) -> None:
    """An output folder and those above it.

    Raises:
        OutputError: It can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"the folder cannot be made ({error.strerror})"
        raise OutputError(problem, place=str(folder), remedy="choose another --out-dir") from None


def remove_leftovers(folder: Path, *, below: bool = False) -> None:
    """Remove what killed runs have left half-written long ago; young ones may be those of another run.

    Args:
        below: In its sub-folders too.
    """
    for part in (folder.rglob if below else folder.glob)(".ptx-*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > LEFTOVER_SECONDS:
                part.unlink()
