"""Texts to be spoken and judged, each with the class that says what its melody is to do."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import LIST_BYTES, read_bytes
from prosody_transfer.data.manifest import read_manifest

CLASSES = ("statement", "yes_no", "wh", "or", "list", "emphasis", "other")
EXAMPLE = "write a class and a text a line, parted by a tab; or give a manifest, .jsonl"


@dataclass(frozen=True)
class TextRow:
    """One text.

    Attributes:
        kind: One of `CLASSES`.
        text: With its marks.
        speaker: Who says it; "" for all that are asked for.
        audio: A recording of the same text in the same voice, to be compared with; "" where there is none.
    """

    kind: str
    text: str
    speaker: str = ""
    audio: str = ""


def read_texts(path: str | Path) -> list[TextRow]:
    """The texts of a file: a table of "class" and "text", parted by tabs, or a manifest of recordings.

    Raises:
        UsageError: It can't be read, holds no texts, or a line is broken; the message names the line.
    """
    path = Path(path)
    if path.suffix == ".jsonl":
        found = [TextRow("statement", row.text, row.speaker, row.audio) for row in read_manifest(path) if row.text]
    else:
        try:
            lines = read_bytes(path, LIST_BYTES, UsageError).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise UsageError("is not UTF-8 text", place=str(path), remedy="save it as UTF-8") from None
        table = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        found = [_row(cells, f"{path}:{number}") for number, cells in enumerate(table, 1) if any(cells)]
        found = [row for row in found if row.text]
    if not found:
        raise UsageError("holds no texts", place=str(path), remedy=EXAMPLE)
    return found


def _row(cells: list[str], place: str) -> TextRow:
    """A line; of the heading an empty text."""
    if len(cells) != 2 or not cells[1].strip():
        raise UsageError("is not a class and a text", place=place, remedy=EXAMPLE)
    if cells == ["class", "text"]:
        return TextRow("other", "")
    if cells[0] not in CLASSES:
        raise UsageError(f"{cells[0][:40]!r} is no class", place=place, remedy=f"choose of {', '.join(CLASSES)}")
    return TextRow(cells[0], cells[1])
