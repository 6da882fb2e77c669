"""Reading files that somebody else has made: regular files only, and no more of one than its kind can need."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import tomllib
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from prosody_transfer.core.errors import PtxError, UsageError

# The most bytes that are read of each kind: several times what the largest good one has.
TRANSCRIPT_BYTES = 8_000_000  # three hours of speech are 0.3 MB of text; subtitles with effects ten times that
TEXTGRID_BYTES = 64_000_000  # three hours with phones are 20 MB, twice that in UTF-16
SETTINGS_BYTES = 1_000_000  # a config, a preset, a listening test's design
LIST_BYTES = 512_000_000  # a manifest or a list of pairs that is read whole: some millions of lines
RECORD_BYTES = 64_000_000  # what ptx has written itself: keys, results, records
PAGE_BYTES = 64_000_000

_RIGHT = "check that it is the right file"
FOLDER = "a folder"
_KINDS = (
    (stat.S_ISDIR, FOLDER), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
)  # fmt: skip


def kind_of(mode: int) -> str:
    """What a file is by its mode: "a folder", "a pipe", "a socket", "a device"; "" for a regular file."""
    return next((kind for test, kind in _KINDS if test(mode)), "" if stat.S_ISREG(mode) else "no regular file")


def open_regular(path: str | Path, error: type[PtxError], remedy: str = "check the path") -> BinaryIO:
    """A regular file, open for reading, without waiting: a pipe would never end, and a device is no file.

    Args:
        error: What is raised.

    Raises:
        PtxError: Of the class `error`: it is missing, can't be read, or is no regular file, also behind a link.
    """
    place = _shown(path)
    try:
        # Opening a pipe waits for its other end, so it is looked at first; and once more, should it have changed.
        kind = kind_of(os.stat(path).st_mode)
        if not kind:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            kind = kind_of(os.fstat(descriptor).st_mode)
            if not kind:
                return open(descriptor, "rb")
            os.close(descriptor)
    except (OSError, ValueError) as caught:
        reason = getattr(caught, "strerror", None) or str(caught)
        raise error(f"cannot be read ({reason})", place=place, remedy=remedy) from None
    raise error(f"cannot be read (it is {kind}, not a file)", place=place, remedy=remedy)


def read_bytes(path: str | Path, most: int, error: type[PtxError], remedy: str = "check the path") -> bytes:
    """The content of a small file.

    Args:
        most: Bytes; one that is larger is refused before it is read.
        error: What is raised.

    Raises:
        PtxError: Of the class `error`: as `open_regular`, or it is too large.
    """
    with open_regular(path, error, remedy) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            data = file.read(most + 1) if size <= most else b""
        except (OSError, MemoryError) as caught:
            reason = getattr(caught, "strerror", None) or "there is too little memory"
            raise error(f"cannot be read ({reason})", place=_shown(path), remedy=remedy) from None
    if max(size, len(data)) > most:
        raise error(_too_large(_megabytes(max(size, len(data))), most), place=_shown(path), remedy=_RIGHT)
    return data


def unpack(data: bytes, most: int, error: type[PtxError], place: str | Path) -> bytes:
    """What gzip has packed; no more of it is unpacked than may be.

    Args:
        most: Bytes, unpacked.
        place: The file, for what is raised.

    Raises:
        PtxError: Of the class `error`: it is damaged or not packed, or it is too large.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            found = file.read(most + 1)
    except (OSError, EOFError, zlib.error, MemoryError) as caught:
        reason = "there is too little memory" if isinstance(caught, MemoryError) else "it is damaged"
        raise error(f"cannot be read ({reason})", place=_shown(place), remedy="copy it again") from None
    if len(found) > most:
        raise error(_too_large(f"over {_megabytes(most)} unpacked", most), place=_shown(place), remedy=_RIGHT)
    return found


def read_toml(path: str | Path, remedy: str) -> dict[str, Any]:
    """A TOML file as plain data.

    Args:
        remedy: What to do where it is none.

    Raises:
        UsageError: It is missing, too large, not UTF-8, or no TOML.
    """
    data, place = read_bytes(path, SETTINGS_BYTES, UsageError, remedy), str(path)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8 text", place=place, remedy="save it as UTF-8") from None
    except RecursionError:
        raise UsageError("is not TOML: it is nested too deeply", place=place, remedy=remedy) from None
    except ValueError as error:  # TOML's own, and a number of thousands of digits
        problem = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(error))[:500]
        raise UsageError(f"is not TOML: {problem}", place=place, remedy=remedy) from None


def _shown(path: str | Path) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(path))


def _too_large(size: str, most: int) -> str:
    return f"is too large: {size}, and {_megabytes(most)} are the most that is read"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.3g} MB" if size < 1e9 else f"{size / 1e9:.3g} GB"


def parse_json(data: bytes | str) -> Any:
    """JSON as plain data.

    Raises:
        ValueError: It is none, is nested too deeply, holds a number of thousands of digits, or letters that are half of
            a pair, which could not be shown or written again.
    """
    try:
        found = json.loads(data)
        if "\\u" in (data if isinstance(data, str) else data.decode("utf8", "replace")):
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except RecursionError:
        raise ValueError("is nested too deeply") from None
