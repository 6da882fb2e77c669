"""The one way in which speech that was synthesised gets into a file: with a word on whose voice it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from prosody_transfer.audio.io import DEFAULT_SUBTYPE, write_audio
from prosody_transfer.core.spool import Sound

IN_TRAINING = "Synthetic speech, made by ptx while a model was trained. Voice: {}."
IN_A_TEST = "Made by ptx for a listening test; it may be synthetic speech."  # which one it is, is not to be told


def write_speech(
    path: str | Path, waveform: Sound, sample_rate: int, credit: str, *, subtype: str = DEFAULT_SUBTYPE,
    overwrite: bool = False, on_written: Callable[[Path], None] | None = None,
) -> None:  # fmt: skip
    """Write synthetic speech, with its credit in the file's metadata.

    Args:
        credit: Whose voice it is and by whose leave it speaks, as `Transferer.credit` says it; never empty.

    Raises:
        OutputError: As `audio.io.write_audio`.
    """
    if not credit.strip():
        raise ValueError("speech is not written without its credit")
    write_audio(
        path, waveform, sample_rate, subtype=subtype, overwrite=overwrite, comment=credit, on_written=on_written
    )
