"""The words beside a recording: finding the file and reading it whatever its encoding."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from pathlib import Path

from prosody_transfer.core.errors import NoWordsError, TranscriptError
from prosody_transfer.text import subtitles
from prosody_transfer.text.cleaning import Cleaned, clean
from prosody_transfer.text.encoding import read_text
from prosody_transfer.text.subtitles import is_subtitles, lines_of

LONGEST_TEXT = 600_000  # characters; three hours of fast speech are 300,000
SUFFIXES = (".txt", ".lab", ".TextGrid", *subtitles.SUFFIXES)


def find_transcript(audio_path: str | Path) -> Path | None:
    """The transcript beside a recording: same name, another suffix, in any case; None if there is none.

    For `take.wav` that is `take.txt` before `take.lab`, `take.TextGrid`, `take.srt`, `.vtt`, `.ass` and `.ssa`.
    """
    audio = Path(audio_path)
    stem = audio.stem if audio.suffix else audio.name
    if os.path.isfile(first := os.path.join(audio.parent, stem + SUFFIXES[0])):
        return Path(first)
    names = _named(str(audio.parent), stem)
    for suffix in SUFFIXES if names else ():
        for name in (stem + suffix, *(n for n in names if n.lower() == (stem + suffix).lower())):
            if name in names and os.path.isfile(found := os.path.join(audio.parent, name)):
                return Path(found)
    return None


def _named(folder: str, stem: str) -> tuple[str, ...]:
    """Names in a folder that are a stem and one suffix; none where it can't be listed."""
    try:
        changed = os.stat(folder).st_mtime_ns
        fresh = time.time_ns() - changed < 2_000_000_000  # what comes now may have the same time
        return (_stems.__wrapped__ if fresh else _stems)(folder, changed).get(stem, ())
    except (OSError, ValueError):
        return ()


@lru_cache(maxsize=2)
def _stems(folder: str, changed: int) -> dict[str, tuple[str, ...]]:
    """Names in a folder by stem: a folder of thousands is listed once for all of its recordings."""
    found: dict[str, tuple[str, ...]] = {}
    for name in os.listdir(folder):
        stem = name.rpartition(".")[0]
        found[stem] = (*found.get(stem, ()), name)
    return found


def read_words(path: str | Path) -> Cleaned:
    """What a file says that is said: plain text, or subtitles (SRT, WebVTT, ASS), whatever its name.

    Raises:
        TranscriptError: The file is missing, cannot be read, is no text, or holds nothing that is said.
    """
    text = read_text(path, "give the words as plain text")
    if is_subtitles(text):
        try:
            text = "\n".join(lines_of(text))
        except ValueError as error:
            problem, remedy = f"has subtitles that cannot be read ({error})", "give the words as plain text"
            raise TranscriptError(problem, place=str(path), remedy=remedy) from None
    return spoken_part(text, str(path))


def spoken_part(text: str, place: str) -> Cleaned:
    """What a transcript says that is said; where all of it is in doubt, all of it.

    Raises:
        TranscriptError: Nothing in it is said, or it is longer than any recording; `place` is named.
    """
    if len(text) > LONGEST_TEXT:
        problem = f"is too long: {len(text):,} characters; {LONGEST_TEXT:,} are the most, several hours of speech"
        raise TranscriptError(problem, place=place, remedy="check that it is the right text, or cut the recording")
    found = clean(text)
    if not any(map(str.isalnum, found.text)):
        found = found.settled([True] * len(found.doubts))
    if not any(map(str.isalnum, found.text)):
        note = found.note()
        raise NoWordsError(f"holds no words{f' ({note})' if note else ''}", place=place, remedy="write what is said")
    return found


def read_transcript(path: str | Path) -> str:
    """The text of `read_words` on one line, doubts decided by what is usual.

    Raises:
        TranscriptError: As `read_words`.
    """
    return read_words(path).text
