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

from prosody_transfer.core.errors import OutputError, PtxError, UsageError

INTERRUPTED, OUR_MISTAKE, READER_GONE = 130, 70, 141
# What a system refuses wherever a file is touched, and the user alone can mend.
SYSTEM_REFUSES = {
    errno.ENAMETOOLONG: "shorten it: 255 bytes are the most, and letters of many scripts take three",
    errno.EACCES: "check who may read and write there", errno.EPERM: "check who may read and write there",
    errno.EROFS: "write elsewhere", errno.ENOSPC: "make room, or write elsewhere",
    errno.EDQUOT: "make room, or write elsewhere",
}  # fmt: skip


class PtxGroup(TyperGroup):
    """A command group whose every failure is one line on stderr and a documented exit code."""

    def main(self, args: Sequence[str] | None = None, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        for stream in (sys.stdout, sys.stderr):
            if getattr(stream, "errors", "") == "strict":  # a terminal that can't show a letter is no reason to fail
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            refuse_empty(sys.argv[1:] if args is None else args)
            code = super().main(args, standalone_mode=False, **extra)
            sys.stdout.flush()
        except Exception as error:
            code = report(error)
        code = code if isinstance(code, int) else 0
        if code == INTERRUPTED:
            complain("interrupted; nothing that was finished is lost")
        if standalone_mode:
            sys.exit(code)
        return code

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `ptx speakers | head -1`: the reader has what it wanted
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(READER_GONE) from None


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
        traceback.print_exception(error)
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
    if isinstance(error, OSError) and error.errno in SYSTEM_REFUSES and error.filename:
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
    """One line on stderr; control characters, which file names may hold, are written out."""
    line = "".join(c if c.isprintable() or 0xDC80 <= ord(c) <= 0xDCFF else repr(c)[1:-1] for c in message)
    with contextlib.suppress(BrokenPipeError):
        print(f"ptx: {line}", file=sys.stderr, flush=True)


def note(message: str) -> None:
    """A warning: worth knowing, but nothing failed."""
    complain(f"note: {message}")


def print_table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """Rows of text in columns, the first row being the heading; columns in `right` are set flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        print("  ".join(cells).rstrip())


def print_json(value: Any) -> None:
    """JSON on stdout."""
    print(format_json(value))


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
            self._bar.update(self._task, completed=done, note=note)

    def say(self, line: str) -> None:
        """A line on stdout, above the bar where both are on one terminal."""
        if self._bar and sys.stdout.isatty():
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, flush=True)


@contextlib.contextmanager
def progress(label: str, total: int) -> Iterator[Bar]:
    """A bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty() or total < 2:
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    left, right = TextColumn("{task.description}"), TextColumn("{task.fields[note]}", markup=False)
    columns = (left, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), right)
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        yield Bar(bar, bar.add_task(label, total=total, note=""))
