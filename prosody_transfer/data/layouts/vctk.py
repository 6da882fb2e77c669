"""VCTK: wav48/SPEAKER/ID.wav (or wav48_silence_trimmed/SPEAKER/ID_mic1.flac), txt/SPEAKER/ID.txt, speaker-info.txt."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.layouts.base import Entry, Fault, Source, entry_or_fault, is_audio, lines, printable, walk

INFO = "speaker-info.txt"


def _audio_root(source: Source) -> Path | None:
    folders = [source.root / n for n in source.names() if n.startswith("wav48") and (source.root / n).is_dir()]
    return folders[-1] if folders else None  # of two, wav48_silence_trimmed


def clue(source: Source) -> str:
    if source.listing is not None:
        return ""
    audio = _audio_root(source)
    return f"{audio.name}/ and txt/ stand side by side" if audio and (source.root / "txt").is_dir() else ""


def read(source: Source) -> Iterator[Entry | Fault]:
    """Of two microphones the first is taken: the second recorded the same speech."""
    root = _audio_root(source)
    if root is None:
        raise UsageError("there is no wav48 folder", place=str(source.root), remedy="choose another --layout")
    for folder in walk(source, root):
        yield from folder.faults
        first = {name for name in folder.names if re.search(r"_mic1\.\w+$", name)}
        stems = set()
        for name in (n for n in folder.names if is_audio(n)):
            if re.sub(r"_mic2(\.\w+)$", r"_mic1\1", name) in first - {name}:
                continue
            stem = re.sub(r"_mic[12]$", "", os.path.splitext(name)[0])
            stems.add(stem)
            speaker = folder.path.name if folder.path != root else source.one_speaker
            words = source.root / "txt" / speaker / f"{stem}.txt"
            sidecar = str(words) if words.is_file() else ""
            yield entry_or_fault(source, folder.path, name, id=stem, speaker=speaker, sidecar=sidecar)
        yield from _without_audio(source, folder.path, root, stems)


def _without_audio(source: Source, folder: Path, root: Path, stems: set[str]) -> Iterator[Fault]:
    texts = source.root / "txt" / folder.name
    if folder == root or not texts.is_dir():
        return
    for name in sorted(os.listdir(texts)):
        stem = os.path.splitext(name)[0]
        if name.endswith(".txt") and not name.startswith(".") and stem not in stems:
            path = printable(str(folder / f"{stem}.wav"))
            yield Fault(id=printable(stem), audio=path, reason="missing", detail="its transcript has no recording")


def speaker_info(root: Path) -> dict[str, dict[str, str]]:
    """What speaker-info.txt says: speaker -> "gender", "accent"; empty where there is no such file."""
    path = root / INFO
    found: dict[str, dict[str, str]] = {}
    if not path.is_file():
        return found
    for _, line in lines(path):
        fields = printable(line).split()
        if len(fields) >= 4 and fields[2] in ("F", "M"):
            name = f"p{fields[0]}" if fields[0].isdigit() else fields[0]
            found[name] = {"gender": fields[2], "accent": fields[3]}
    return found
