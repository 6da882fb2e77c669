"""Folders of recordings with the words beside them, or without any: MFA's corpora, and bare ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from prosody_transfer.data.layouts.base import Entry, Fault, Folder, Source, entry_or_fault, is_audio, printable, walk

SIDECARS = (".txt", ".lab", ".textgrid", ".srt", ".vtt", ".ass", ".ssa")
LOOKED_AT = 400
# Names that say when or how something was recorded, and not who speaks.
_NOT_NAMES = re.compile(
    r"(sessions?|takes?|parts?|days?|dis[ck]s?|cd|chapters?|chap|wavs?|flacs?|audio|clips?|recordings?|batch|sets?|raw|"
    r"train|dev|test|sounds?|lines?|scenes?|week|vol|volume|tape|side)[ _.-]*\d*|\d{1,2}",
    re.IGNORECASE,
)


def clue(source: Source) -> str:
    count = 0
    for at, folder in enumerate(_looked_at(source)):
        count += sum(map(is_audio, folder.names)) + len(folder.faults)
        if at >= LOOKED_AT:
            break
    return f"there are recordings, but no list of them; {_who(source)[1]}" if count else ""


def mfa_clue(source: Source) -> str:
    """Folders of speakers whose recordings have .lab or .TextGrid files beside them."""
    if not _who(source)[0]:
        return ""
    for folder in _looked_at(source):
        labels = [name for name in folder.names if name.lower().endswith((".lab", ".textgrid"))]
        if labels and folder.path != source.root and any(map(is_audio, folder.names)):
            return f"a folder a speaker, with labels beside the recordings ({printable(labels[0])})"
    return ""


def _looked_at(source: Source) -> Iterator[Folder]:
    if source.listing is None:
        yield from walk(source)


def _who(source: Source) -> tuple[bool, str]:
    """Whether the folders below are speakers, and why."""
    if source.speaker:
        return False, f"one speaker, as given: {source.speaker}"
    names = []
    for name in source.names():
        path = source.root / name
        if path.is_dir() and not path.is_symlink():
            names += [name] if path != source.skip else []
        elif is_audio(name):
            return False, f"one speaker, named like the folder: {source.one_speaker}"
    if names and not all(_NOT_NAMES.fullmatch(name) for name in names):
        return True, "its folders are speakers"
    return False, f"one speaker, named like the folder: {source.one_speaker}"


def read(source: Source) -> Iterator[Entry | Fault]:
    """One speaker, or a folder a speaker: see `clue`."""
    return _read(source, _who(source)[0])


def read_mfa(source: Source) -> Iterator[Entry | Fault]:
    """A folder a speaker, or the speaker that was given."""
    return _read(source, not source.speaker)


def _read(source: Source, by_folder: bool) -> Iterator[Entry | Fault]:
    for folder in walk(source):
        yield from folder.faults
        words: dict[str, dict[str, str]] = {}
        for name in folder.names:
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in SIDECARS:
                words.setdefault(stem, {}).setdefault(suffix.lower(), name)
        relative = folder.path.relative_to(source.root)
        speaker = relative.parts[0] if by_folder and relative.parts else source.one_speaker
        for name in (n for n in folder.names if is_audio(n)):
            stem = os.path.splitext(name)[0]
            known = words.pop(stem, {})
            sidecar = next((str(folder.path / known[s]) for s in SIDECARS if s in known), "")
            identity = "-".join((*relative.parts, stem))
            yield entry_or_fault(source, folder.path, name, id=identity, speaker=speaker, sidecar=sidecar)
        yield from _without_audio(folder.path, relative, words)


def _without_audio(folder: Path, relative: Path, words: dict[str, dict[str, str]]) -> Iterator[Fault]:
    """Labels whose recording is not there; a .txt alone may be a licence."""
    for stem, known in words.items():
        if known.keys() & {".lab", ".textgrid"}:
            name = printable("-".join((*relative.parts, stem)))
            path = printable(str(folder / f"{stem}.wav"))
            yield Fault(id=name, audio=path, reason="missing", detail="its transcript has no recording")
