"""Names that are too long, and what killed processes leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core import atomic
from prosody_transfer.core.atomic import check_target, part_name, remove_leftovers, write_atomically
from prosody_transfer.core.errors import OutputError


@pytest.mark.parametrize(("letter", "fit"), [("x", 251), ("ж", 125), ("あ", 83), ("😀", 62)])
def test_a_name_fits_or_is_refused_by_its_bytes(tmp_path: Path, letter, fit):
    write_atomically(tmp_path / f"{letter * fit}.wav", b"whole")
    with pytest.raises(OutputError, match="bytes; 255 are the most; give a shorter one"):
        check_target(tmp_path / "not" / "there" / "yet" / f"{letter * (fit + 1)}.wav")
    with pytest.raises(OutputError, match="255 are the most"):
        write_atomically(tmp_path / f"{letter * (fit + 1)}.wav", b"none")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"whole"]


def test_a_path_that_is_too_long_as_a_whole_is_refused(tmp_path: Path):
    with pytest.raises(OutputError, match="the path has [0-9]+ bytes"):
        check_target(tmp_path / "/".join(["folder"] * 1000) / "x.wav")


@given(st.text(st.characters(), min_size=1).filter(lambda name: "/" not in name))
def test_any_name_is_fine_or_refused_in_one_way(tmp_path_factory: pytest.TempPathFactory, name: str):
    try:
        check_target(os.path.join(tmp_path_factory.getbasetemp(), name))
        assert len(os.fsencode(name)) <= 255
    except OutputError as error:
        assert error.exit_code == 5 and error.remedy


def killed_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process.kill()
    process.wait()
    return process.pid


def test_what_a_dead_process_left_is_removed_at_once(tmp_path: Path):
    ours, dead, machine = part_name(), killed_process(), atomic._machine()
    kept = [ours, f".ptx-{os.getpid()}-00.part", f".ptx-{dead}-{'0' * 8}-ab.part", ".ptx-x-00.part"]
    kept.append(f"a.ptx-{dead}-0.part")
    gone = [f".ptx-{dead}-{machine}-ab12.part", f".ptx-{dead}-ab12.part"]  # the second of an earlier version
    for name in (*kept, *gone):
        (tmp_path / name).write_bytes(b"half")
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept), "living ones' and another machine's stay"
    for name in kept:
        os.utime(tmp_path / name, (1, 1))
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [f"a.ptx-{dead}-0.part"], "but for no longer than an hour"


def test_a_folder_that_a_dead_process_left_goes_too(tmp_path: Path):
    outside = tmp_path / "kept.txt"
    outside.write_text("x")
    dead = tmp_path / "in" / f".ptx-{killed_process()}-{atomic._machine()}-ab12.part"
    (dead / "audio").mkdir(parents=True)
    (dead / "audio" / "a.wav").write_bytes(b"half")
    (dead / "link").symlink_to(outside)
    remove_leftovers(tmp_path / "in")
    assert not list((tmp_path / "in").iterdir()) and outside.read_text() == "x"


def test_a_process_that_is_not_ours_is_alive_all_the_same(tmp_path: Path, monkeypatch):
    def not_allowed(process: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", not_allowed)
    (tmp_path / f".ptx-4-{atomic._machine()}-ab.part").write_bytes(b"half")
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_temporary_folder_goes_at_the_end_and_what_was_killed_with_the_next(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(atomic.tempfile, "tempdir", str(tmp_path))
    killed = tmp_path / f".ptx-{killed_process()}-{atomic._machine()}-ab12.part"
    (killed / "work").mkdir(parents=True)
    with atomic.temporary_folder() as folder:
        (folder / "words.dict").write_text("x")
        assert not killed.exists() and folder.parent.stat().st_mode & 0o777 == 0o700
    assert not list(tmp_path.iterdir())


def test_every_temporary_folder_is_made_here():
    """One of Python's own stays where it is when the process is killed."""
    root = Path(__file__).parents[2]
    sources = [path for top in ("prosody_transfer", "cli", "models") for path in (root / top).rglob("*.py")]
    found = [p.relative_to(root).as_posix() for p in sources if "import tempfile" in p.read_text(encoding="utf8")]
    nameless = "prosody_transfer/core/spool.py"  # its files have no name: they go with the process
    assert sorted(found) == ["cli/_checks.py", "prosody_transfer/core/atomic.py", nameless], "doctor only tries"
