"""Bytes of a text file as text, whatever wrote it; and what is no text at all."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.reading import TRANSCRIPT_BYTES, read_bytes

_MARKS = (  # UTF-32's first: in little endian it begins as UTF-16's does
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_LOOKED_AT = 4096
# "don't" as old Macs wrote it; in Windows-1252 it would be "donÕt", which no language has
_OLD_MAC = re.compile(rb"[A-Za-z]\xd5[A-Za-z]|\xd2[A-Za-z][^\xd2]*\xd3")
_NO_TEXT = (
    (b"{\\rtf", "an RTF document"), (b"%PDF", "a PDF document"), (b"PK\x03\x04", "a packed document, such as .docx"),
    (b"\xd0\xcf\x11\xe0", "an old Word document"), (b"RIFF", "a recording"), (b"ID3", "a recording"),
    (b"fLaC", "a recording"), (b"OggS", "a recording"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"),
)  # fmt: skip
_CONTROLS = re.compile("[\0-\x08\x0e-\x19\x1b-\x1f]")


def read_text(path: str | Path, remedy: str = "give plain text") -> str:
    """A text file as it is, whatever its encoding.

    Args:
        remedy: What to do where it is no text.

    Raises:
        TranscriptError: It is missing, can't be read, is no regular file, too large, or no text.
    """
    data = read_bytes(path, TRANSCRIPT_BYTES, TranscriptError)
    if what := not_text(data):
        raise TranscriptError(f"is {what}", place=str(path), remedy=remedy)
    return decode(data)


def decode(data: bytes) -> str:
    """Bytes of a text file to text; line ends become "\\n". Never fails: see `not_text`.

    Known are UTF-8, UTF-16 and UTF-32 with or without their mark. What is none of them is Windows-1252, which is what
    is meant by Latin-1: its five unused bytes become control characters. So are single bytes that are wrong in UTF-8.

    >>> decode("\\ufeffcafé".encode("utf-16")), decode("café".encode("latin-1")), decode(b"don\\x92t \\x80 5")
    ('café', 'café', 'don’t € 5')
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "") or _wide(data)
    if encoding.startswith("utf-8") or not encoding:
        old_mac = not encoding and b"\x92" not in data and _OLD_MAC.search(data) and not _is_utf8(data)
        text = data.decode("mac-roman" if old_mac else "utf-8", _AS_WINDOWS)
    else:
        text = data.decode(encoding, "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip("\0")


def not_text(data: bytes) -> str:
    """What a file that holds no plain text is, in a few words; "" for text."""
    for start, what in _NO_TEXT:
        if data.startswith(start) and (what.endswith("document") or b"\0" in data[:64]):
            return what
    text = decode(data[: _LOOKED_AT // 4 * 4] if len(data) > _LOOKED_AT else data)
    strange = len(_CONTROLS.findall(text)) + text[:-1].count("\ufffd")
    return "no text file" if "\0" in text or strange * 50 > len(text) else ""


def _wide(data: bytes) -> str:
    """UTF-16 or UTF-32 without its mark: told by where the zeros are."""
    head = data[: _LOOKED_AT // 4 * 4]
    for name in _WIDE:
        width = 4 if "32" in name else 2
        if len(head) < width or len(data) % width:
            continue
        at = range(width) if name.endswith("be") else range(width - 1, -1, -1)
        zeros = [head[i::width].count(0) * width / len(head) for i in at]  # shares, the highest byte first
        if max(zeros[-1:]) < 0.1 and min(zeros[:-1]) > 0.5:
            return name
    return ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are wrong in UTF-8, each read as Windows-1252 has it."""
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in wrong), error.end


_AS_WINDOWS = "prosody_transfer.windows"
codecs.register_error(_AS_WINDOWS, _windows)
