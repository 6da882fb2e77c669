"""What a file's own bytes say, before and beside libsndfile: is it audio, and is all of it there?"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from prosody_transfer.core.sharing import STDERR

MOST_CHUNKS = 10_000  # of a wav, aiff or caf file; ten is many
MOST_LINKS = 2_000  # of a chain of Ogg streams: three hours of jingles
MOST_TAGS = 100  # of ID3 before the sound of an mp3
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
    """Name of a format that libsndfile does not read and does not tell well, or "".

    >>> foreign_kind(bytes(4) + b"ftypM4A "), foreign_kind(b"RIFF")
    ('an MP4 or M4A file', '')
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "an MP4 or M4A file"
    if _is_avi(head):
        return "an AVI file"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and head[2:].count(0) >= len(head) // 2 - 1:  # else taken for an mp3
        return "a text file"
    return next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), "")


def is_film(head: bytes) -> bool:
    """Whether the first bytes are those of a container that libsndfile does not open and FFmpeg does."""
    return bool(foreign_kind(head)) and not foreign_kind(head).startswith(("a text", "a MIDI"))


def _is_avi(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


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
    problem = ""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        problem = _missing_in_chunk(file, size, b"data", ">" if head[:4] == b"RIFX" else "<")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        problem = _missing_in_chunk(file, size, b"SSND", ">")
    if head[:4] == b"OggS":
        problem = _missing_in_ogg(file, size)
    if not problem and _has_many_chunks(file, head, size):
        problem = f"has more than {MOST_CHUNKS:,} chunks, which no recorder writes"
    return problem


def _has_many_chunks(file: BinaryIO, head: bytes, size: int) -> bool:
    """Whether a wav, aiff or caf file has more parts than are looked at: every decoder goes through all of them."""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        at, form = 12, ("<" if head[:4] in (b"RIFF", b"RF64") else ">") + "4sI"
    elif head[:4] == b"caff":
        at, form = 8, ">4sq"
    else:
        return False
    step = struct.calcsize(form)
    for _ in range(MOST_CHUNKS):
        if at + step > size:
            return False
        file.seek(at)
        length = struct.unpack(form, file.read(step))[1]
        if length < 0:  # to the end
            return False
        at += step + length + (length & 1 if step == 8 else 0)
    return at + step <= size


def _missing_in_chunk(file: BinaryIO, size: int, wanted: bytes, order: str) -> str:
    at, long_size = 12, 0
    for _ in range(MOST_CHUNKS):
        if at + 8 > size:
            break
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


def wav_format(file: BinaryIO) -> tuple[int, int]:
    """Format tag and loudspeaker mask of a wav file, 0 where it has none; its position is left anywhere.

    The tag is that of the sound itself where the header is of the extensible kind.
    """
    start, stop, order = _wav_chunk(file, b"fmt ")
    file.seek(start)
    body = file.read(min(stop - start, 40))
    if len(body) < 16:
        return 0, 0
    tag = struct.unpack(order + "H", body[:2])[0]
    if tag != 0xFFFE or len(body) < 26:
        return tag, 0
    mask, tag = struct.unpack(order + "IH", body[20:26])
    return tag, mask


def wav_data(file: BinaryIO) -> tuple[int, int]:
    """Where the sound of a wav file begins and ends, in bytes; its position is left anywhere."""
    start, stop, _ = _wav_chunk(file, b"data")
    return start, min(stop, file.seek(0, os.SEEK_END))


def _wav_chunk(file: BinaryIO, wanted: bytes) -> tuple[int, int, str]:
    """Start and end of a chunk's body, (0, 0) where there is none, and the byte order."""
    file.seek(0)
    head = file.read(12)
    order = ">" if head[:4] == b"RIFX" else "<"
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        at = 12
        while len(start := file.read(8)) == 8:
            name, length = struct.unpack(order + "4sI", start)
            if name == wanted:
                return at + 8, at + 8 + length, order
            at += 8 + length + (length & 1)
            file.seek(at)
    return 0, 0, order


class Mp3Header(NamedTuple):
    """What an mp3's first frame says of all of it (Xing, Info).

    Attributes:
        frames: That hold sound.
        bytes: Size of the file, tags before and behind included; another one where it is cut off or something follows.
        padding: Samples per channel that the coder added, at the beginning and the end; -1 where it does not tell.
    """

    frames: int
    bytes: int
    padding: int


def mp3_header(file: BinaryIO) -> Mp3Header | None:
    """The header of an mp3, None where it has none that counts frames and bytes; the position is left anywhere."""
    at = _after_id3(file)
    data = file.read(4096)
    sync = next((i for i in range(len(data) - 1) if data[i] == 0xFF and data[i + 1] & 0xE0 == 0xE0), -1)
    found = max(data.find(b"Xing", sync, sync + 64), data.find(b"Info", sync, sync + 64)) if sync >= 0 else -1
    if found < 0 or len(data) < found + 160:
        return None
    flags, frames, size = struct.unpack(">III", data[found + 4 : found + 16])
    if flags & 3 != 3:
        return None
    coder = found + 16 + (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    told = int.from_bytes(data[coder + 21 : coder + 24], "big") if data[coder : coder + 3] in (b"LAM", b"Lav") else -1
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 128))
    tag = 128 if file.read(3) == b"TAG" else 0
    return Mp3Header(frames, at + sync + size + tag, (told >> 12) + (told & 0xFFF) if told > 0 else -1)


def _after_id3(file: BinaryIO) -> int:
    """Where the sound begins behind ID3 tags; the file stands there."""
    at = 0
    for left in range(MOST_TAGS, -1, -1):
        file.seek(at)
        head = file.read(10)
        if not left or len(head) < 10 or head[:3] != b"ID3" or any(c > 127 for c in head[6:]):
            file.seek(at)
            break
        at += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (10 if head[5] & 0x10 else 0)
    return at


def ogg_links(file: BinaryIO) -> list[list[int]]:
    """Where the streams of an Ogg file begin: a list per link of a chain, in it an offset per stream side by side.

    Of more than `MOST_LINKS` links not all are looked for.
    """
    links: list[list[int]] = []
    after = -1  # where the page ends that began a stream
    file.seek(0)
    base, kept = 0, b""
    while len(links) <= MOST_LINKS and (data := file.read(1 << 20)):
        data = kept + data
        at = data.find(b"OggS\0")
        while at >= 0 and at + 27 + 255 <= len(data):
            if data[at + 5] & 2 and not data[at + 5] & 1:
                if links and base + at == after:
                    links[-1].append(base + at)
                else:
                    links.append([base + at])
                after = base + at + 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
            at = data.find(b"OggS\0", at + 27)
        kept = data[-281:] if at < 0 else data[at:]
        base += len(data) - len(kept)
    return links


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
