"""The words beside a recording: finding the file and reading it whatever its encoding."""

from __future__ import annotations

import codecs
from pathlib import Path

from prosody_transfer.core.errors import TranscriptError

SUFFIXES = (".txt", ".lab", ".TextGrid")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_transcript(audio_path: str | Path) -> Path | None:
    """The transcript beside a recording: same name, .txt, .lab or .TextGrid (in this order, any case); None if none.

    For `take.wav` that is `take.txt` before `take.lab` before `take.TextGrid`.
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


def decode(data: bytes) -> str:
    """Bytes of a text file to text: UTF-8 with or without its mark, UTF-16, else Latin-1; line ends become "\\n".

    >>> decode("\\ufeffcafé".encode("utf-16")), decode("café".encode("latin-1"))
    ('café', 'café')
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    if not encoding and data[:200].count(0) * 3 > len(data[:200]):  # UTF-16 without its mark
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    for candidate in (encoding or "utf-8", "latin-1"):
        try:
            return data.decode(candidate).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise AssertionError("Latin-1 decodes everything")


def read_transcript(path: str | Path) -> str:
    """The text of a .txt or .lab file, lines joined by spaces.

    Raises:
        TranscriptError: The file is missing, cannot be read, is no text, or holds nothing.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise TranscriptError(f"cannot be read ({reason})", place=str(path), remedy="check the path") from error
    text = " ".join(decode(data).split())
    if "\0" in text:
        raise TranscriptError("is not a text file", place=str(path), remedy="give the words as plain text")
    if not any(c.isalnum() for c in text):
        raise TranscriptError("holds no words", place=str(path), remedy="write what is said")
    return text
