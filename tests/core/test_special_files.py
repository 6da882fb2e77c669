"""What is no file stays what it is: no writer replaces a pipe, a socket or a device, and none waits for one."""

from __future__ import annotations

import ast
import os
import pty
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.alignment.textgrid import write_textgrid
from prosody_transfer.audio.io import check_writable, write_audio
from prosody_transfer.core.atomic import check_target, write_atomically
from prosody_transfer.core.errors import OutputError, TranscriptError, UsageError
from prosody_transfer.core.reading import open_regular, read_bytes
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.data.prominence import read_prominence
from prosody_transfer.features.cache import write_npz
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.synthesis.report import check_report, write_report
from prosody_transfer.text.linguistics.word_lists import read_sentences
from prosody_transfer.text.user_lexicon import read_lexicon
from prosody_transfer.training.logs import CsvLog

ROOT = Path(__file__).parents[2]
GRID = Alignment((PhoneInterval("AH0", 0.0, 1.0),), (), 1.0, "mine")
WRITERS: dict[str, Callable[[Path], object]] = {
    "atomic": lambda path: write_atomically(path, b"x"),
    "atomic-folder": lambda path: write_atomically(path, b"x", folder=True),
    "check": check_target,
    "report": lambda path: write_report(path, b"x", overwrite=True),
    "check-report": lambda path: check_report(path, (path.suffix,), overwrite=True),
    "textgrid": lambda path: write_textgrid(GRID, path),
    "audio": lambda path: write_audio(path, np.ones(9, np.float32) / 2, 24000, overwrite=True),
    "check-audio": lambda path: check_writable(path, overwrite=True),
    "checkpoint": lambda path: save_checkpoint(path, "vocoder", {"x": torch.ones(1)}, {}),
    "cache": lambda path: write_npz(path, x=np.ones(2)),
    "log": lambda path: CsvLog(path).add(1, 1.0, {"loss": 1.0}),
}
KINDS = ("pipe", "socket", "device", "folder")


@pytest.fixture
def special(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Something that is no file, by kind."""
    held: list[Callable[[], None]] = []

    def make(kind: str) -> Path:
        path = tmp_path / "it.wav"
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "socket":
            server = socket.socket(socket.AF_UNIX)
            held.append(server.close)
            server.bind(str(path))
        else:  # a device that nobody needs; a link, because devices are made by the administrator alone
            first, second = pty.openpty()
            held.extend([lambda: os.close(first), lambda: os.close(second)])
            path.symlink_to(os.ttyname(second))
        return path

    yield make
    for close in held:
        close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("linked", [False, True], ids=["itself", "through-a-link"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_file_is_refused_and_stays(tmp_path, special, name, linked, kind) -> None:
    path = special(kind)
    before = stat.S_IFMT(os.stat(path).st_mode)
    asked = path
    if linked:
        asked = tmp_path / "link.wav"
        asked.symlink_to(path.name)
    with pytest.raises(OutputError, match=f"is a {kind}") as caught:
        WRITERS[name](asked)
    assert caught.value.exit_code == 5 and caught.value.remedy and str(asked) in str(caught.value)
    assert stat.S_IFMT(os.stat(path).st_mode) == before and asked.is_symlink() == (linked or kind == "device")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted({path.name, asked.name}), "nothing is left behind"


@pytest.mark.parametrize("name", ["atomic", "report", "textgrid", "audio", "checkpoint"])
def test_links_to_files_are_followed_by_all_in_the_same_way(tmp_path, name) -> None:
    (tmp_path / "real.wav").write_bytes(b"old")
    for link, target in (("link.wav", "real.wav"), ("new.wav", "made.wav"), ("loop.wav", "loop.wav")):
        (tmp_path / link).symlink_to(target)
        WRITERS[name](tmp_path / link)
    assert (tmp_path / "link.wav").is_symlink() and (tmp_path / "real.wav").read_bytes() != b"old"
    assert (tmp_path / "new.wav").is_symlink() and (tmp_path / "made.wav").is_file()
    assert (tmp_path / "loop.wav").is_file(), "a link to itself names no file: it becomes one"


@pytest.mark.parametrize("name", ["atomic", "report", "textgrid", "audio", "checkpoint"])
def test_no_writer_makes_the_folder_of_a_file_that_was_named(tmp_path, name) -> None:
    with pytest.raises(OutputError, match="there is no folder .*; make it first"):
        WRITERS[name](tmp_path / "not" / "there.wav")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_no_reader_waits_for_what_is_no_file(special, kind) -> None:
    path = special(kind)
    for read in (lambda: open_regular(path, UsageError), lambda: read_bytes(path, 10, UsageError)):
        with pytest.raises(UsageError, match=f"is a {kind}, not a file.; check the path"):
            read()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [read_lexicon, read_sentences, lambda path: read_prominence([path])])
def test_no_parser_reads_what_is_no_file(special, read, kind) -> None:
    with pytest.raises((TranscriptError, UsageError), match=f"is a {kind}, not a file"):
        read(special(kind))


def test_no_file_is_read_that_is_larger_than_its_kind(tmp_path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5, UsageError) == b"12345"
    with pytest.raises(UsageError, match="is too large: 5e-06 MB"):
        read_bytes(path, 4, UsageError)
    os.truncate(path, 1 << 40)  # none of it is on the disk
    with pytest.raises(UsageError, match=r"is too large: 1.1e\+03 GB, and 4e-06 MB are the most"):
        read_bytes(path, 4, UsageError)


# Who opens files for writing: the two that write whole files, those that give other programs files of their own in a
# temporary folder, two that hold a lock or add to a table, which ask `check_target` first, and two
# for what is not to be seen.
OPENERS = {"core/atomic.py", "audio/io.py", "alignment/mfa.py", "alignment/viter.py", "training/logs.py",
           "voices/adapt.py", "cli/_terminal.py", "integration/export.py", "jobs/journal.py"}  # fmt: skip


def test_nobody_else_opens_a_file_for_writing() -> None:
    found = set()
    for path in (p for folder in ("prosody_transfer", "cli", "models") for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "open" and getattr(getattr(node.func, "value", None), "id", "") == "av":
                continue  # into memory
            modes = [a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)]
            opens = name == "open" and any(m in ("w", "wb", "a", "ab", "x", "xb", "w+b", "r+b") for m in modes)
            if opens or name in ("write_text", "write_bytes"):
                found.add("/".join(path.relative_to(ROOT).parts[-2:]))
    assert found == OPENERS
