"""What every verb shares: errors as one line and an exit code, JSON, progress. Typer and the standard library only."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from prosody_transfer.cli._terminal import (
    cannot_write,
    close_streams,
    drop_streams,
    is_terminal,
    open_streams,
    say,
    say_lines,
    visible,
)
from prosody_transfer.core.errors import OutputError, PtxError, UsageError

INTERRUPTED, OUR_MISTAKE, READER_GONE = 130, 70, 141
ENDED = {
    130: "interrupted; nothing that was finished is lost", 143: "ended by SIGTERM; nothing that was finished is lost",
    129: "ended by SIGHUP; nothing that was finished is lost",
}  # fmt: skip
# What a system refuses wherever a file is touched, and the user alone can mend.
SYSTEM_REFUSES = {
    errno.ENAMETOOLONG: "shorten it: 255 bytes are the most, and letters of many scripts take three",
    errno.EACCES: "check who may read and write there", errno.EPERM: "check who may read and write there",
    errno.EROFS: "write elsewhere", errno.ENOSPC: "make room, or write elsewhere",
    errno.EDQUOT: "make room, or write elsewhere",
}  # fmt: skip


class ReaderGone(Exception):
    """`ptx speakers | head -1`: the reader has what it wanted. Typer would make 1 of a `BrokenPipeError`."""


class PtxGroup(TyperGroup):
    """A command group whose every failure is one line on stderr and a documented exit code."""

    def main(self, args: Sequence[str] | None = None, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        from prosody_transfer.core import stopping

        stopping.forget()
        try:
            if standalone_mode:
                stopping.raise_stopped()
            code = self._outcome(args, extra)
            if standalone_mode:
                stopping.exit_at_once()
        except KeyboardInterrupt:  # again, while the first was seen to
            code = INTERRUPTED
        code = stopping.exit_code(code)
        if code in ENDED:
            complain(ENDED[code])
        drop_streams()
        if standalone_mode:
            sys.exit(code)
        return code

    def _outcome(self, args: Sequence[str] | None, extra: dict[str, Any]) -> int:
        """The exit code, after whatever is to be said of a failure."""
        from prosody_transfer.core import stopping

        try:
            open_streams()
            refuse_empty(sys.argv[1:] if args is None else args)
            code = super().main(args, standalone_mode=False, **extra)
            close_streams()
        except (BrokenPipeError, ReaderGone):
            return READER_GONE
        except KeyboardInterrupt:
            return INTERRUPTED
        except Exception as error:  # an interrupted import fails in ways of its own
            return INTERRUPTED if stopping.received() else report(error)
        return code if isinstance(code, int) else 0

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _reader_gone():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _reader_gone():
            return super().invoke(ctx)


@contextlib.contextmanager
def _reader_gone() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None


def refuse_empty(arguments: Sequence[str]) -> None:
    """No file, folder, voice or number has an empty name: an unset variable would mean the current folder.

    Raises:
        UsageError: One of them is "", or is `--option=` without a value.
    """
    names_end = arguments.index("--") if "--" in arguments else len(arguments)
    for i, argument in enumerate(arguments):
        option, mark, value = argument.partition("=")
        if i < names_end and option.startswith("--") and mark and not value:
            raise UsageError("its value is empty", place=option, remedy="give one, or leave the option out")
        if not argument:
            before = arguments[i - 1] if 0 < i <= names_end else ""
            place = before if before.startswith("-") and before != "--" else f"argument {i + 1}"
            raise UsageError('is empty ("")', place=place, remedy="is a variable unset?")


def report(error: Exception) -> int:
    """Say in one line what went wrong; returns the exit code."""
    if os.environ.get("PTX_DEBUG") == "1":
        say_lines("".join(traceback.format_exception(error)).rstrip("\n"), error=True)
    if isinstance(error, PtxError):
        complain(str(error))
        return error.exit_code
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    if callable(getattr(error, "format_message", None)):  # a wrong flag: typer's own, whichever class its version has
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "ptx"
        message = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")  # type: ignore[attr-defined]
        complain(f"{message[:1].lower()}{message[1:]}; see '{path} --help'")
        return int(getattr(error, "exit_code", 2))
    if isinstance(error, MemoryError):
        complain("out of memory; close other programs, or give a shorter recording")
        return OUR_MISTAKE
    if isinstance(error, OSError) and error.errno in SYSTEM_REFUSES and not error.filename:
        return report(cannot_write(error))  # typer prints help itself
    if isinstance(error, OSError) and error.errno in SYSTEM_REFUSES:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
        name = name if len(name) <= 200 else f"{name[:80]}...{name[-80:]}"
        complain(f"{name}: {(error.strerror or '').lower()}; {SYSTEM_REFUSES[error.errno]}")
        return OutputError.exit_code
    problem = " ".join(str(error).split())
    kind = type(error).__name__
    remedy = "a mistake of ours: please report what PTX_DEBUG=1 in front of the command prints"
    complain(f"{kind}: {problem}; {remedy}")
    return OUR_MISTAKE


def complain(message: str) -> None:
    """One line on stderr."""
    say(f"ptx: {message}", error=True)


def note(message: str) -> None:
    """A warning: worth knowing, but nothing failed."""
    complain(f"note: {message}")


def print_table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Rows of text in columns, the first row being the heading; columns in `right` are set flush right."""
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        say("  ".join(cells).rstrip())


def print_json(value: Any) -> None:
    """JSON on stdout."""
    say_lines(format_json(value), as_json=True)


def format_json(value: Any, margin: str = "") -> str:
    """JSON that people can read too: short values and lists of numbers on one line; NaN and infinity become null.

    >>> print(format_json({"input": Path("a.wav"), "f0_hz": [float("nan"), 100.0]}))
    {"input": "a.wav", "f0_hz": [null, 100.0]}
    """
    value = _plain(value)
    line = json.dumps(value, ensure_ascii=False)
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    flat = isinstance(value, list) and not any(isinstance(v, (dict, list)) for v in items)
    if not items or flat or len(margin) + len(line) <= 100:
        return line
    inner = margin + "  "
    keys = [f"{json.dumps(k, ensure_ascii=False)}: " for k in value] if isinstance(value, dict) else [""] * len(items)
    body = ",\n".join(inner + key + format_json(item, inner) for key, item in zip(keys, items, strict=True))
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}\n{body}\n{margin}{end}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return _plain(value.tolist())
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value


class Bar:
    """Progress on stderr; without a terminal there, only what is said is printed."""

    def __init__(self, bar: Any = None, task: Any = None) -> None:
        self._bar, self._task = bar, task

    def move(self, done: int, note: str) -> None:
        """How many are done, and which was the last."""
        if self._bar:
            self._bar.update(self._task, completed=done, note=visible(note))

    def say(self, line: str) -> None:
        """A line on stdout, above the bar where both are on one terminal."""
        if self._bar and is_terminal(sys.stdout):
            self._bar.console.print(visible(line), markup=False, highlight=False, soft_wrap=True)
        else:
            say(line)


@contextlib.contextmanager
def progress(label: str, total: int) -> Iterator[Bar]:
    """A bar on stderr, where that is a terminal."""
    if not is_terminal(sys.stderr) or total < 2:
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    left, right = TextColumn("{task.description}"), TextColumn("{task.fields[note]}", markup=False)
    columns = (left, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), right)
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        yield Bar(bar, bar.add_task(label, total=total, note=""))
