"""Kaldi data folders: wav.scp, text, utt2spk, segments, spk2gender. Commands in wav.scp are never run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from prosody_transfer.data.layouts.base import Entry, Fault, Source, entry_or_fault, key_and_rest, lines, printable

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
            found.setdefault(*key_and_rest(line))
    return found


def _speakers(root: Path) -> dict[str, str]:
    """Utterance -> speaker, by utt2spk; or by spk2utt, the same the other way round, where that alone is there."""
    found = {name: speaker for name, speaker in _table(root / "utt2spk").items() if speaker}
    if found:
        return found
    return {name: speaker for speaker, names in _table(root / "spk2utt").items() for name in names.split()}


def speaker_info(root: Path) -> dict[str, dict[str, str]]:
    """What spk2gender says: speaker -> "gender", "F" or "M"; empty where there is no such file."""
    marks = {"f": "F", "female": "F", "m": "M", "male": "M"}
    found = {speaker: marks.get(gender.casefold()) for speaker, gender in _table(root / "spk2gender").items()}
    return {printable(speaker): {"gender": gender} for speaker, gender in found.items() if gender}


def read(source: Source) -> Iterator[Entry | Fault]:
    """Utterances in the order of `segments`, or of wav.scp where there are none.

    Paths are relative to the folder. Fields are parted by blanks or tabs, however many. Without utt2spk there is one
    speaker; where it tells the others' and not an utterance's, that is a fault: nobody is made up.
    """
    path = source.listing or source.need(LIST)
    text, speakers = _table(source.root / "text"), _speakers(source.root)
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
        speaker = speakers.get(name) or source.speaker or ("" if speakers else source.one_speaker)
        entry = entry_or_fault(
            source, source.root, value, id=name, speaker=speaker, text=words, start=start, end=end
        )  # fmt: skip
        unknown = isinstance(entry, Entry) and not speaker
        yield Fault(id=name, audio=entry.audio, reason="row", detail="utt2spk does not have it") if unknown else entry
    for name in (n for n in text if n not in used):
        yield Fault(id=printable(name), audio="", reason="missing", detail="text has it, but no recording is listed")


Listed = tuple[str, str, float | None, float | None]


def _recordings(path: Path) -> Iterator[Listed | Fault]:
    for number, line in lines(path):
        name, value = key_and_rest(line)
        if value:
            yield name, value, None, None
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
