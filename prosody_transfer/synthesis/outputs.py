"""What earlier runs have left in an output folder."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from prosody_transfer.audio.io import probe, read_audio
from prosody_transfer.core.errors import AudioError

LEFTOVER_SECONDS = 3600.0  # a temporary file this old belongs to no run that still goes on


def tidy(folder: Path) -> None:
    """Remove what a killed run has left half-written long ago."""
    for part in folder.glob(".ptx-*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > LEFTOVER_SECONDS:
                part.unlink()


def complete(path: Path) -> bool:
    """True for an output of an earlier run; a flac, whose header does not tell where it ends, is read through."""
    try:
        return path.is_file() and (read_audio if path.suffix == ".flac" else probe)(path) is not None
    except AudioError:
        return False
