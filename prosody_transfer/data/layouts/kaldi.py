"""Kaldi data folders: wav.scp, text, utt2spk, segments. Commands in wav.scp are never run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from prosody_transfer.data.layouts.base import Entry, Fault, Source, entry_or_fault, lines, printable

LIST = "wav.scp"


def clue(source: Source) -> str:
    if source.listing is not None:
        return f"it is called {LIST}" if source.listing.name == LIST else ""
    return f"there is a {LIST}" if (source.root / LIST).is_file() else ""


def _table(path: Path) -> dict[str, str]:
    """Key and rest of each line; of two lines with one key the first counts. Empty where there is no such file."""
    found: dict[str, str] = {}
    if path.is_file():
        for _, line in lines(path):
            key, _, rest = line.strip().partition(" ")
            found.setdefault(key.strip(), rest.strip())
    return found


def read(source: Source) -> Iterator[Entry | Fault]:
    """Utterances in the order of `segments`, or of wav.scp where there are none.

    Paths are relative to the folder. Without utt2spk there is one speaker.
    """
    path = source.listing or source.need(LIST)
    text, speakers = _table(source.root / "text"), _table(source.root / "utt2spk")
    segments = source.root / "segments"
    listed = _segments(path, segments) if segments.is_file() else _recordings(path)
    used = set()
    for item in listed:
        if isinstance(item, Fault):
            used.add(item.id)
            yield item
            continue
        name, value, start, end = item
        used.add(name)
        if problem := _command(value):
            yield Fault(id=printable(name), audio=printable(value), reason="command", detail=problem)
            continue
        words = text.get(name, "" if text else None)
        speaker = speakers.get(name) or source.one_speaker
        yield entry_or_fault(
            source, source.root, value, id=name, speaker=speaker, text=words, start=start, end=end
        )  # fmt: skip
    for name in (n for n in text if n not in used):
        yield Fault(id=printable(name), audio="", reason="missing", detail="text has it, but no recording is listed")


Listed = tuple[str, str, float | None, float | None]


def _recordings(path: Path) -> Iterator[Listed | Fault]:
    for number, line in lines(path):
        name, _, value = line.strip().partition(" ")
        if value.strip():
            yield name, value.strip(), None, None
        else:
            yield Fault(id=printable(name), audio="", reason="row", detail=f"{LIST} line {number} has no path")


def _segments(path: Path, segments: Path) -> Iterator[Listed | Fault]:
    recordings = _table(path)
    for number, line in lines(segments):
        fields = line.split()
        name = printable(fields[0])
        try:
            start, end = (float(value) for value in fields[2:4])
        except ValueError:
            start = end = math.nan
        if not 0 <= start < end < math.inf and not (start >= 0 and end == -1):
            detail = f"segments line {number} is not: utterance, recording, start, end"
            yield Fault(id=name, audio="", reason="row", detail=detail)
        elif fields[1] not in recordings:
            detail = f"segments line {number}: {LIST} has no recording {printable(fields[1])}"
            yield Fault(id=name, audio="", reason="missing", detail=detail)
        else:
            yield fields[0], recordings[fields[1]], start, None if end == -1 else end


def _command(value: str) -> str:
    """Why an entry of wav.scp is no path; "" for one that is."""
    if value.endswith("|") or value.startswith("|"):
        return "a command, which is never run"
    if value == "-":
        return "standard input"
    if re.search(r"\.ark:\d+(\[.*\])?$", value):
        return "an offset into an archive"
    return ""
