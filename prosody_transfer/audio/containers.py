"""What a file's own bytes say, before and beside libsndfile: is it audio, and is all of it there?"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from prosody_transfer.core.sharing import STDERR

# Sizes at or above this are "I cannot know yet", as written by programs that write to a pipe (ffmpeg, sox).
_UNKNOWN = 0x7FFFF000
_FOREIGN = {
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
    b"0&\xb2u": "a Windows Media file",
    b"#!AMR": "an AMR file",
    b"\xff\xf1": "an AAC stream",
    b"\xff\xf9": "an AAC stream",
    b"MThd": "a MIDI file",
}
_KNOWN = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3", b".snd", b"caff", b"riff")


def foreign_kind(head: bytes) -> str:
    """Name of a format that we do not read and that libsndfile does not tell well, or "".

    >>> foreign_kind(bytes(4) + b"ftypM4A "), foreign_kind(b"RIFF")
    ('an MP4 or M4A file', '')
    """
    if head[4:8] == b"ftyp":
        return "an MP4 or M4A file"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and head[2:].count(0) >= len(head) // 2 - 1:  # else taken for an mp3
        return "a text file"
    return next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), "")


def looks_like_audio(head: bytes) -> bool:
    """Whether the first bytes are those of a format that we read (an mp3 without a tag cannot be told)."""
    return head.startswith(_KNOWN)


def what_is_missing(file: BinaryIO) -> str:
    """Find out whether sound was cut off, in formats whose header or pages tell (wav, aiff, ogg).

    libsndfile reads such files without a word, as if the rest had never been recorded.

    Args:
        file: Open, seekable; its position is left anywhere.

    Returns:
        The problem, or "" when everything is there.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return _missing_in_chunk(file, size, b"data", ">" if head[:4] == b"RIFX" else "<")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _missing_in_chunk(file, size, b"SSND", ">")
    if head[:4] == b"OggS":
        return _missing_in_ogg(file, size)
    return ""


def _missing_in_chunk(file: BinaryIO, size: int, wanted: bytes, order: str) -> str:
    at, long_size = 12, 0
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack(order + "4sI", file.read(8))
        if name == b"ds64":  # RF64 keeps the true size of the data chunk here
            body = file.read(16)
            long_size = struct.unpack("<Q", body[8:16])[0] if len(body) == 16 else 0
        if name == wanted:
            there = size - at - 8
            if length == 0xFFFFFFFF and long_size:
                length = long_size
            elif length >= _UNKNOWN:
                return ""
            if length == 0 and there > 8 and not _at_chunk(file):
                return f"was never finished: its header says 0 bytes of sound, but {there} follow"
            return f"is cut off: {there} of the {length} bytes of sound are there" if length > there else ""
        at += 8 + length + (length & 1)
    return ""


def _at_chunk(file: BinaryIO) -> bool:
    name = file.read(4)
    return len(name) == 4 and all(32 <= c < 127 for c in name)


def _missing_in_ogg(file: BinaryIO, size: int) -> str:
    # A page is at most 65,307 bytes. Only an incomplete last page is called cut off: recordings of live streams end
    # on a whole page, without the end mark, and are good.
    start = max(0, size - 65_400)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS\0")
    page = tail[at:]
    if at < 0:
        return ""
    if len(page) > 26 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]]) and len(page) >= 27 + page[26]:
        return ""
    return f"is cut off: it ends within a page, after {size} bytes"



@contextlib.contextmanager
def quiet_stderr(active: bool = True) -> Iterator[None]:
    """Keep libmpg123's own notes off the terminal while it decodes; it has no switch that we can reach."""
    if not active:
        yield
        return
    with STDERR.use():
        try:
            saved = os.dup(2)
        except OSError:  # stderr is closed: nothing to keep quiet
            saved = -1
        if saved >= 0:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            os.close(null)
        try:
            yield
        finally:
            if saved >= 0:
                os.dup2(saved, 2)
                os.close(saved)
