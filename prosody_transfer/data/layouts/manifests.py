"""Lists of one's own: JSON Lines, CSV and TSV with the usual names of columns."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.layouts.base import Entry, Fault, Source, entry_or_fault, lines, printable

COLUMNS = {
    "audio": ("audio", "audio_filepath", "audio_path", "audio_file", "file_name", "filename", "file", "path", "wav"),
    "text": ("text", "transcript", "transcription", "sentence", "normalized_text", "words"),
    "speaker": ("speaker", "speaker_id", "speaker_name", "client_id", "spk"),
    "id": ("id", "utt", "utterance_id", "utt_id"),
    "start": ("start", "offset", "begin"),
    "end": ("end", "stop"),
    "duration": ("duration",),
}
DELIMITERS = {"csv": ",;\t", "tsv": "\t"}
KINDS = {"jsonl": (".jsonl", ".json", ".ndjson"), "csv": (".csv",), "tsv": (".tsv",)}


def _lists(source: Source, kind: str) -> list[Path]:
    """Files that could be the list: the one that was named, or those in the folder whose first row fits."""
    if source.listing is not None:
        path = source.listing
        fits = path.suffix.lower() in KINDS[kind] and (kind == "jsonl" or _fits(path, kind))
        return [path] if fits else []
    names = [name for name in source.names() if os.path.splitext(name)[1].lower() in KINDS[kind]]
    return [source.root / name for name in names if (source.root / name).is_file() and _fits(source.root / name, kind)]


def _fits(path: Path, kind: str) -> bool:
    """Whether the first line has something that names a recording."""
    line = _first_line(path)
    if kind == "jsonl":
        try:
            first = json.loads(line)
        except (ValueError, RecursionError):
            return False
        return isinstance(first, dict) and _value(first, "audio") is not None
    return bool(_delimiter(line, kind))


def _first_line(path: Path) -> str:
    return next(iter(lines(path)), (0, ""))[1]


def _delimiter(line: str, kind: str) -> str:
    """What stands between the cells of a heading that names recordings; "" for no such heading.

    Spreadsheets write semicolons where the comma is a decimal point.
    """
    with contextlib.suppress(csv.Error):  # a cell beyond the longest that it takes
        for mark in DELIMITERS[kind]:
            if set(_heading(next(csv.reader([line], delimiter=mark), []))) & set(COLUMNS["audio"]):
                return mark
    return ""


def _heading(cells: list[str]) -> list[str]:
    return [name.strip().strip('"').lower() for name in cells]


def _clue(source: Source, kind: str) -> str:
    found = [printable(path.name) for path in _lists(source, kind)]
    if len(found) > 1:
        remedy = "name the one that you mean in the folder's place"
        raise UsageError(f"holds several lists ({', '.join(found[:4])})", place=str(source.root), remedy=remedy)
    return f"{found[0]} lists recordings" if found else ""


def jsonl_clue(source: Source) -> str:
    return _clue(source, "jsonl")


def csv_clue(source: Source) -> str:
    return _clue(source, "csv")


def tsv_clue(source: Source) -> str:
    return _clue(source, "tsv")


def _list(source: Source, kind: str) -> Path:
    if source.listing is not None:
        return source.listing
    found = _lists(source, kind)
    if len(found) != 1:
        remedy = "name the list in the folder's place"
        raise UsageError(f"holds {len(found)} lists of this kind", place=str(source.root), remedy=remedy)
    return found[0]


def read_jsonl(source: Source) -> Iterator[Entry | Fault]:
    """A JSON object a line. Without "speaker" there is one speaker; without "text" the words are not known."""
    path = _list(source, "jsonl")
    for number, line in lines(path):
        place = f"{printable(path.name)} line {number}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            yield Fault(id="", audio="", reason="row", detail=f"{place} is not a JSON object")
            continue
        yield _row(source, path, data, place)


def read_csv(source: Source) -> Iterator[Entry | Fault]:
    """Parted by commas, semicolons or tabs, quoted as spreadsheets do, the first row a heading."""
    return _read_table(source, "csv")


def read_tsv(source: Source) -> Iterator[Entry | Fault]:
    """Tab-separated without quoting, as Common Voice has it."""
    return _read_table(source, "tsv")


def _read_table(source: Source, kind: str) -> Iterator[Entry | Fault]:
    path = _list(source, kind)
    text = (line + "\n" for _, line in lines(path))
    mark = _delimiter(_first_line(path), kind) or DELIMITERS[kind][0]
    quoted = kind != "tsv"
    rows = csv.reader(text, delimiter=mark, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    heading: list[str] | None = None
    while True:
        place = f"{printable(path.name)} row {rows.line_num + 1}"
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Fault(id="", audio="", reason="row", detail=f"{place}: {error}")
            continue
        if heading is None:
            heading = _heading(fields)
        elif len(fields) != len(heading):
            detail = f"{place} has {len(fields)} fields, the heading {len(heading)}"
            yield Fault(id="", audio="", reason="row", detail=detail)
        else:
            yield _row(source, path, dict(zip(heading, fields, strict=True)), place)


def _value(data: Mapping[str, Any], what: str) -> Any:
    return next((data[name] for name in COLUMNS[what] if data.get(name) is not None), None)


def _seconds(value: Any) -> float | None:
    """A time; NaN when it is none."""
    if value is None or value == "":
        return None
    try:
        return float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        return math.nan


def _row(source: Source, path: Path, data: Mapping[str, Any], place: str) -> Entry | Fault:
    audio, text, speaker = _value(data, "audio"), _value(data, "text"), _value(data, "speaker")
    name = _value(data, "id")
    if not isinstance(audio, str) or not audio.strip():
        return Fault(id=_shown(name), audio="", reason="row", detail=f"{place} names no recording")
    start, end = _seconds(_value(data, "start")), _seconds(_value(data, "end"))
    length = _seconds(_value(data, "duration"))
    if end is None and start is not None and length is not None:
        end = start + length
    wrong = [k for k, v in (("text", text), ("speaker", speaker), ("id", name)) if isinstance(v, (dict, list, bool))]
    if wrong or (start is not None and not start >= 0) or (end is not None and not (start or 0.0) < end < math.inf):
        detail = f"{place} has a {' and a '.join(wrong) or 'time'} that is none"
        return Fault(id=_shown(name), audio=_shown(audio), reason="row", detail=detail)
    audio = audio if os.path.lexists(path.parent / audio.replace("\0", "")) else audio.strip()
    stem = os.path.splitext(os.path.basename(audio))[0]
    spoken = _name(speaker) or source.one_speaker
    known = {"speaker": spoken, "text": None if text is None else str(text), "start": start, "end": end}
    return entry_or_fault(source, path.parent, _found(path.parent, audio), id=_name(name) or stem, **known)


def _found(folder: Path, audio: str) -> str:
    """Common Voice keeps the recordings in clips/, which its lists do not say."""
    if "\0" not in audio and not os.path.lexists(folder / audio) and os.path.lexists(folder / "clips" / audio):
        return os.path.join("clips", audio)
    return audio


def _name(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _shown(value: Any) -> str:
    return printable(str(value))[:200] if value is not None else ""
