"""What the shell hands over and takes back: empty arguments, streams that cannot be written, signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLOSED = "ptx: standard output: cannot be written (it is closed)"
FULL = "ptx: standard output: cannot be written (no space left on device)"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=env, cwd=folder, timeout=60)


@pytest.mark.parametrize(("where", "told"), [(">&-", CLOSED), (">/dev/full", FULL), ("1</dev/null", "ptx: standard")])
@pytest.mark.parametrize("line", ["--help", "--version", "speakers", "speakers --json", "transfer --help"])
def test_output_that_cannot_be_written_is_5(tmp_path: Path, line: str, where: str, told: str) -> None:
    done = shell(f"ptx {line} {where}", tmp_path)
    assert done.returncode == 5
    assert done.stderr.startswith(told) and done.stderr.count("\n") == 1


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
def test_it_is_found_out_before_the_work(recording: Path, where: str) -> None:
    done = shell(f"ptx transfer {recording} -s alice --text yes {where}", recording.parent)
    assert done.returncode == 5 and done.stderr.count("\n") == 1
    assert list(recording.parent.iterdir()) == [recording]


@pytest.mark.parametrize(("line", "code"), [("speakers", 0), ("speakers --wrong", 2), ("align none.wav", 3)])
@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_without_stderr_the_exit_code_tells(tmp_path: Path, line: str, code: int, where: str) -> None:
    done = shell(f"ptx {line} {where}", tmp_path)
    assert done.returncode == code
    assert "ptx:" not in done.stdout, "what is said of a failure is no result"


def test_what_is_opened_does_not_take_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """A library that prints to descriptor 2 would write into it."""
    code = "from prosody_transfer.cli._terminal import open_streams as o; o(); print(open('x', 'w').fileno())"
    done = shell(f'{sys.executable} -c "{code}" 0<&- 2>&-', tmp_path)
    assert int(done.stdout) > 2


@pytest.mark.parametrize("line", ["--help", "transfer --help", "speakers", "voice list --json", "--version"])
def test_a_reader_that_has_gone_is_141(line: str) -> None:
    read, write = os.pipe()
    os.close(read)
    code = f"import sys; from prosody_transfer.cli import main; sys.argv = ['ptx', *{line.split()!r}]; main()"
    done = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "line",
    [
        ["transfer", "", "-s", "alice"], ["transfer", "a.wav", "-s", ""], ["transfer", "a.wav", "--speaker="],
        ["transfer", "-s", "alice", "--", ""], ["align", ""], ["features", "a.wav", "-o", ""], ["evaluate", ""],
        ["voice", "show", ""], ["prepare", "", "out"], ["train", "copycat", ""], ["listen", "serve", ""], [""],
    ],
)  # fmt: skip
def test_an_empty_argument_is_refused_wherever_it_stands(ptx, tmp_path, monkeypatch, line) -> None:
    monkeypatch.chdir(tmp_path)
    result = ptx(*line)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and "empty" in result.stderr
    assert not list(tmp_path.iterdir())


def test_an_empty_value_is_named_by_its_option(ptx) -> None:
    assert ptx("transfer", "a.wav", "--speaker", "").stderr.startswith("ptx: --speaker: is empty")
    assert ptx("transfer", "a.wav", "--speaker=").stderr.startswith("ptx: --speaker: its value is empty")


def test_a_file_whose_name_ends_like_an_option_is_a_file(ptx) -> None:
    assert "empty" not in ptx("transfer", "-s", "alice", "--", "--name=").stderr
