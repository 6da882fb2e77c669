"""Few items in flight, none lost, and none that can end the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prosody_transfer.core.errors import OutputError
from prosody_transfer.corpus.workers import IN_FLIGHT, Crashed, work


def double(item: int) -> int:
    return 2 * item


def deadly(item: int) -> tuple[int, str | None]:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item, os.environ.get("OMP_NUM_THREADS")


def full(item: int) -> int:
    raise OutputError("the disk is full")


def counted(size: int, drawn: list[int]) -> Iterator[int]:
    for item in range(size):
        drawn.append(item)
        yield item


def test_one_process_is_this_one():
    assert list(work(double, range(4), 1)) == [(0, 0), (1, 2), (2, 4), (3, 6)]


@pytest.fixture(autouse=True)
def found_by_new_processes(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


def test_few_are_in_flight_and_one_that_kills_its_process_is_found(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    drawn: list[int] = []
    results = work(deadly, counted(40, drawn), 2)
    first = next(results)
    assert len(drawn) <= IN_FLIGHT * 2 + 1
    found = dict([first, *results])
    assert isinstance(found.pop(3), Crashed) and found == {i: (2 * i, "1") for i in range(40) if i != 3}
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_errors_of_ours_end_the_run():
    with pytest.raises(OutputError, match="full"):
        list(work(full, range(3), 2))


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text("from prosody_transfer.corpus.workers import work\nprint(list(work(abs, [1, 2], 2)))\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    told = 'call this under if __name__ == "__main__":; or use one worker'
    assert done.returncode and done.stderr.strip().endswith(told)
