"""Writing a file so that it is either whole or not there; used by the rooms that write."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from prosody_transfer.core.errors import OutputError


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write `data` to a temporary file in the same folder, then give it its name; makes the folder.

    Raises:
        OutputError: The folder can't be written to or the disk is full; no temporary file is left.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    except OSError as error:
        remedy = "free some space or choose another folder"
        raise OutputError(f"cannot be written ({error.strerror})", place=str(path), remedy=remedy) from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # gone already where all went well
