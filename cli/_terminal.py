"""All that is printed comes from here: no file name, voice or transcript moves the cursor or turns the text around."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from typing import Any

from prosody_transfer.core.errors import OutputError

JOINERS = "\u200c\u200d"  # of letters in Persian and Hindi, and of emoji: seen, and harmless
STDOUT, STDERR = "standard output", "standard error"


def visible(text: object) -> str:
    r"""Text with what would not be seen written out: control characters, bidi overrides, bytes that are no letters.

    >>> visible("a\x1b[31mb\u202e.wav"), visible("naïve 名前")
    ('a\\x1b[31mb\\u202e.wav', 'naïve 名前')
    """
    text = str(text)
    return text if text.isprintable() else "".join(c if _is_seen(c) else _written_out(c) for c in text)


def visible_json(text: str) -> str:
    """The same of JSON, as JSON writes them out; they stand in its strings only, apart from its line ends."""
    return "".join(c if _is_seen(c) or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _is_seen(c: str) -> bool:
    return c.isprintable() or c in JOINERS or c in "\u00a0\u2007\u202f\u3000"  # spaces of several languages


def _written_out(c: str) -> str:
    byte = ord(c) - 0xDC00  # how a byte of a file's name that is no letter is kept
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else repr(c)[1:-1]


def say(*parts: object, end: str = "\n", error: bool = False) -> None:
    """A line on standard output, or on standard error; what is in `parts` stays one line.

    Raises:
        OutputError: Standard output can't be written. What can't be said on standard error is not said.
    """
    _write("  ".join(map(visible, parts)) + end, error)


def say_lines(text: str, *, error: bool = False, as_json: bool = False) -> None:
    """Text of several lines, each as `say` would; `as_json`, only what stands in its strings is written out."""
    shown = visible_json(text) if as_json else "\n".join(map(visible, text.split("\n")))
    _write(shown + "\n", error)


def _write(text: str, error: bool) -> None:
    if error:
        with contextlib.suppress(OSError, ValueError):
            print(text, end="", file=sys.stderr, flush=True)
        return
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as failed:
        raise cannot_write(failed) from None


def cannot_write(failed: OSError | ValueError) -> OutputError:
    """Of standard output."""
    reason = (getattr(failed, "strerror", None) or str(failed)).lower()
    remedy = "what is done is kept; send it to a file or a pipe that can be written"
    return OutputError(f"cannot be written ({reason})", place=STDOUT, remedy=remedy)


def open_streams() -> None:
    """Give what prints something to print to; called before anything is opened.

    A stream that was closed (`2>&-`) leaves its number to the first file that is opened, and what libraries print would
    go into that file: the null device takes its place. A letter that a terminal can't show is no reason to fail.

    Raises:
        OutputError: Standard output is closed, full or was opened for reading: found out before any work is done.
    """
    closed = sys.stdout is None
    for number in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  until the process ends
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", "") in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if closed:
        raise cannot_write(ValueError("it is closed"))
    _try_stdout()


def _try_stdout() -> None:
    try:
        number = sys.stdout.fileno()
        kind = os.fstat(number).st_mode
        if stat.S_ISREG(kind) or stat.S_ISCHR(kind) or stat.S_ISFIFO(kind):
            os.write(number, b"")  # of nothing: a socket would send it
    except ValueError:  # a test's
        return
    except BrokenPipeError:
        raise
    except OSError as failed:
        raise cannot_write(failed) from None


def close_streams() -> None:
    """Write what is left, and let nothing fail after this.

    Raises:
        OutputError, BrokenPipeError: Standard output can't be written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as failed:
        raise cannot_write(failed) from None


def drop_streams() -> None:
    """Throw away what could not be written: the interpreter would try again, and end with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)


def is_terminal(stream: Any) -> bool:
    """False too where there is no such stream, or it is closed."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False
