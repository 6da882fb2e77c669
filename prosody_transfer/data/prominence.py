"""Corpora of words with prominence and boundary, in the format of the Helsinki Prosody Corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import LIST_BYTES, read_bytes, unpack

_FIELDS = 5


@dataclass(frozen=True)
class Label:
    """What was measured of a word.

    Attributes:
        prominence, boundary: 0, 1 or 2; the boundary is that after it. None where it was not measured.
        prominence_value, boundary_value: What they were cut from; nan where there is none.
    """

    prominence: int | None
    boundary: int | None
    prominence_value: float
    boundary_value: float


@dataclass(frozen=True)
class Reading:
    """A sentence as somebody read it: items (words and signs of punctuation) and their labels; those of signs mean
    nothing."""

    name: str
    reader: str
    items: tuple[str, ...]
    labels: tuple[Label, ...]


def read_prominence(paths: Sequence[str | Path]) -> list[Reading]:
    """All sentences of such files, packed with gzip or not.

    A sentence begins with `<file> NAME`, where NAME starts with its reader and `_`; then a line an item: word,
    prominence, boundary, and both as real values, separated by tabs; "NA" is for what was not measured.

    Raises:
        UsageError: A file is missing or has a line that is none of these; file and line are named.
    """
    found: list[Reading] = []
    for path in paths:
        name, items, labels = "", [], []  # type: ignore[var-annotated]
        for number, line in _lines(path):
            place = f"{path}:{number}"
            fields = line.split("\t")
            if fields[0] == "<file>" and len(fields) == 2 and "_" in fields[1]:
                found += _finished(name, items, labels)
                name, items, labels = fields[1].strip(), [], []
            elif len(fields) == _FIELDS and name:
                items.append(_item(fields[0], place))
                labels.append(_label(fields[1:], place))
            else:
                problem = "is neither `<file> NAME` nor a word with four labels, separated by tabs"
                raise UsageError(problem, place=place, remedy="give a file of the Helsinki Prosody Corpus's format")
        found += _finished(name, items, labels)
    if not found:
        raise UsageError("hold no sentence", place=", ".join(map(str, paths)), remedy="give another file")
    return found


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    data = read_bytes(path, LIST_BYTES, UsageError)
    if data[:2] == b"\x1f\x8b":
        data = unpack(data, LIST_BYTES, UsageError, path)
    try:
        text = data.decode("utf8")
    except UnicodeDecodeError:
        raise UsageError("cannot be read (it is not UTF-8)", place=str(path), remedy="save it as UTF-8") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _finished(name: str, items: list[str], labels: list[Label]) -> list[Reading]:
    if not any(any(map(str.isalnum, item)) for item in items):
        return []
    return [Reading(name, name.partition("_")[0], tuple(items), tuple(labels))]


def _item(text: str, place: str) -> str:
    if not text or any(map(str.isspace, text)):
        raise UsageError(f"{text!r} is no word", place=place, remedy="give one word a line")
    return text


def _label(fields: list[str], place: str) -> Label:
    classes, values = [], []
    for field in fields[:2]:
        if field not in ("0", "1", "2", "NA"):
            raise UsageError(f"{field!r} is none of 0, 1, 2 and NA", place=place, remedy="mend the line")
        classes.append(None if field == "NA" else int(field))
    for field in fields[2:]:
        try:
            values.append(float("nan") if field == "NA" else float(field))
        except ValueError:
            raise UsageError(f"{field!r} is no number", place=place, remedy="mend the line") from None
    return Label(classes[0], classes[1], values[0], values[1])
