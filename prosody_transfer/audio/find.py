"""Sound files and films in a folder and those below it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64", ".m4a", ".m4b", ".mka",
    ".aac", ".ac3", ".eac3", ".mp2", ".wma", ".amr", ".weba", ".webm", ".mp4", ".m4v", ".mov", ".mkv", ".avi", ".3gp",
    ".mpg", ".mpeg", ".mts", ".m2ts", ".mxf", ".wmv", ".flv", ".ogv",
)  # fmt: skip


def walk_sounds(root: Path, leave_out: Path | None = None) -> Iterator[tuple[Path, list[str]]]:
    """Every folder with the names of the sound files in it, sorted; hidden ones are passed over, links not followed.

    Args:
        leave_out: A folder below that is not entered, resolved.
    """
    for where, folders, names in os.walk(root):
        here = Path(where)
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and (leave_out is None or (here / f).resolve() != leave_out)
        )
        yield here, sorted(n for n in names if Path(n).suffix.lower() in SUFFIXES and not n.startswith("."))


def find_sources(root: Path, voices: Collection[str], leave_out: Path | None = None) -> list[Path]:
    """Sound files that are no outputs of earlier transfers: no NAME.VOICE beside NAME."""
    found: list[Path] = []
    for here, sounds in walk_sounds(root, leave_out):
        stems = {Path(n).stem for n in sounds}
        for name in sounds:
            original, _, voice = Path(name).stem.rpartition(".")
            if not (voice in voices and original in stems):
                found.append(here / name)
    return found
