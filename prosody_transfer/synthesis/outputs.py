"""What earlier runs have left in an output folder."""

from __future__ import annotations

from pathlib import Path

from prosody_transfer.audio.io import probe, read_audio
from prosody_transfer.core.errors import AudioError


def complete(path: Path) -> bool:
    """True for an output of an earlier run; a flac, whose header does not tell where it ends, is read through."""
    try:
        return path.is_file() and (read_audio if path.suffix == ".flac" else probe)(path) is not None
    except AudioError:
        return False
