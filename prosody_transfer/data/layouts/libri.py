"""LibriSpeech (SPEAKER/CHAPTER/*.trans.txt) and LibriTTS (ID.normalized.txt beside ID.wav)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from prosody_transfer.data.layouts.base import (
    Entry,
    Fault,
    Folder,
    Source,
    entry_or_fault,
    is_audio,
    key_and_rest,
    lines,
    printable,
    walk,
)

LOOKED_AT = 400  # folders, before the layout is ruled out
TRANS, NORMALISED, ORIGINAL = ".trans.txt", ".normalized.txt", ".original.txt"


def _first(source: Source, ending: str) -> str:
    if source.listing is not None:
        return ""
    for count, folder in enumerate(walk(source)):
        for name in folder.names:
            if name.endswith(ending):
                return printable(str((folder.path / name).relative_to(source.root)))
        if count >= LOOKED_AT:
            break
    return ""


def speech_clue(source: Source) -> str:
    name = _first(source, TRANS)
    return f"transcripts by chapter ({name})" if name else ""


def tts_clue(source: Source) -> str:
    name = _first(source, NORMALISED)
    return f"normalised transcripts beside the recordings ({name})" if name else ""


def _speaker(folder: Folder, stem: str, mark: str) -> str:
    """The first number of an id such as 84_121123_000007_000001; else the folder above the chapter's."""
    first = stem.split(mark)[0]
    return first if first.isdigit() else folder.path.parent.name


def read_librispeech(source: Source) -> Iterator[Entry | Fault]:
    """The words are in capitals without punctuation; they are put into lower case, or they would be spelled out."""
    for folder in walk(source):
        yield from folder.faults
        audio = {os.path.splitext(name)[0]: name for name in folder.names if is_audio(name)}
        listed = set()
        for name in (n for n in folder.names if n.endswith(TRANS)):
            for number, line in lines(folder.path / name):
                stem, text = key_and_rest(line)
                if os.path.basename(stem) != stem:
                    detail = f"{printable(name)} line {number}: {printable(stem)[:80]!r} is no id"
                    yield Fault(id=printable(stem), audio="", reason="row", detail=detail)
                    continue
                listed.add(stem)
                known = {"id": stem, "speaker": _speaker(folder, stem, "-")}
                yield entry_or_fault(
                    source, folder.path, audio.get(stem, f"{stem}.flac"),
                    text=text.lower() if text == text.upper() else text, **known,
                )  # fmt: skip
        for stem, name in audio.items():
            if stem not in listed:
                yield entry_or_fault(source, folder.path, name, id=stem, speaker=_speaker(folder, stem, "-"))


def read_libritts(source: Source) -> Iterator[Entry | Fault]:
    """ID.normalized.txt, or ID.original.txt where there is no other."""
    for folder in walk(source):
        yield from folder.faults
        names = set(folder.names)
        stems = set()
        for name in (n for n in folder.names if is_audio(n)):
            stem = os.path.splitext(name)[0]
            stems.add(stem)
            words = next((stem + end for end in (NORMALISED, ORIGINAL, ".txt") if stem + end in names), "")
            sidecar = str(folder.path / words) if words else ""
            known = {"id": stem, "speaker": _speaker(folder, stem, "_"), "sidecar": sidecar}
            yield entry_or_fault(source, folder.path, name, **known)
        for name in folder.names:
            stem = name.removesuffix(NORMALISED)
            if name != stem and stem not in stems:
                path = printable(str(folder.path / f"{stem}.wav"))
                yield Fault(id=printable(stem), audio=path, reason="missing", detail="its transcript has no recording")
