"""The words beside a recording: finding the file and reading it whatever its encoding."""

from __future__ import annotations

from pathlib import Path

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text import subtitles
from prosody_transfer.text.cleaning import Cleaned, clean
from prosody_transfer.text.encoding import decode, not_text
from prosody_transfer.text.subtitles import is_subtitles, lines_of

SUFFIXES = (".txt", ".lab", ".TextGrid", *subtitles.SUFFIXES)


def find_transcript(audio_path: str | Path) -> Path | None:
    """The transcript beside a recording: same name, another suffix, in any case; None if there is none.

    For `take.wav` that is `take.txt` before `take.lab`, `take.TextGrid`, `take.srt`, `.vtt`, `.ass` and `.ssa`.
    """
    audio = Path(audio_path)
    try:
        names = {entry.name.lower(): entry for entry in audio.parent.iterdir() if entry.stem == audio.stem}
    except OSError:
        return None
    for suffix in SUFFIXES:
        exact = audio.with_suffix(suffix) if audio.suffix else audio.parent / (audio.name + suffix)
        found = exact if exact.is_file() else names.get(exact.name.lower())
        if found is not None and found.is_file():
            return found
    return None


def read_words(path: str | Path) -> Cleaned:
    """What a file says that is said: plain text, or subtitles (SRT, WebVTT, ASS), whatever its name.

    Raises:
        TranscriptError: The file is missing, cannot be read, is no text, or holds nothing that is said.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise TranscriptError(f"cannot be read ({reason})", place=str(path), remedy="check the path") from error
    if what := not_text(data):
        what = "not a text file" if what.startswith("no ") else f"{what}, not a text file"
        raise TranscriptError(f"is {what}", place=str(path), remedy="give the words as plain text")
    text = decode(data)
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
        TranscriptError: Nothing in it is said; `place` is named.
    """
    found = clean(text)
    if not any(map(str.isalnum, found.text)):
        found = found.settled([True] * len(found.doubts))
    if not any(map(str.isalnum, found.text)):
        note = found.note()
        raise TranscriptError(f"holds no words{f' ({note})' if note else ''}", place=place, remedy="write what is said")
    return found


def read_transcript(path: str | Path) -> str:
    """The text of `read_words` on one line, doubts decided by what is usual.

    Raises:
        TranscriptError: As `read_words`.
    """
    return read_words(path).text
