"""LJSpeech: metadata.csv with ID|text|normalised text, and wavs/ID.wav. Many single-speaker corpora copy it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from prosody_transfer.data.layouts.base import AUDIO_SUFFIXES, Entry, Fault, Source, entry_or_fault, lines, printable

LIST = "metadata.csv"
FOLDERS = ("wavs", "wav", "audio", "clips", "")


def clue(source: Source) -> str:
    path = source.listing or source.root / LIST
    if path.name != LIST or not path.is_file():
        return ""
    first = next(iter(lines(path)), (0, ""))[1]
    return f"{LIST} has fields between |" if "|" in first else ""


def read(source: Source) -> Iterator[Entry | Fault]:
    """The third field is what is said, or the second where that is empty or not there.

    A row that has no field but its id, or more than three, is a fault.
    """
    path = source.listing or source.need(LIST)
    for number, line in lines(path):
        fields = line.split("|")
        name = fields[0].strip()
        if len(fields) not in (2, 3) or not name:
            detail = f"{LIST} line {number} has {len(fields)} fields, not ID|text or ID|text|normalised text"
            yield Fault(id=printable(name), audio="", reason="row", detail=detail)
            continue
        text = fields[-1].strip() or fields[1].strip()
        identity = os.path.splitext(os.path.basename(name))[0] if _suffix(name) else name
        yield entry_or_fault(
            source, source.root, _audio_name(source, name), id=identity, speaker=source.one_speaker, text=text
        )


def _suffix(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES


def _audio_name(source: Source, name: str) -> str:
    """Where the recording is, relative to the root; where none is found, where it should be."""
    if ".." in name.split("/") or os.path.isabs(name) or "\0" in name:
        return name
    choices = [name] if _suffix(name) else [name + suffix for suffix in (".wav", ".flac", ".ogg", ".opus", ".mp3")]
    for folder in FOLDERS:
        for choice in choices:
            if os.path.lexists(source.root / folder / choice):
                return os.path.join(folder, choice)
    return os.path.join(FOLDERS[0], choices[0])
