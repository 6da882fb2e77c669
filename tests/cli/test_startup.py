"""Help must be quick, errors short, and the shell must know the names."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "scipy", "librosa", "numpy", "soundfile", "matplotlib", "rich", "msgspec")
PTX = shutil.which("ptx", path=str(Path(sys.executable).parent)) or "ptx"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "80", **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment}
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=env, timeout=60)


@pytest.mark.parametrize("line", ["--help", "transfer --help", "train copycat --help", "--version"])
def test_help_imports_nothing_heavy(line: str) -> None:
    code = f"""
import sys
from prosody_transfer.cli import main
sys.argv = ["ptx", *{line.split()!r}]
try:
    main()
except SystemExit as exit:
    assert not exit.code, exit.code
print("HEAVY", [name for name in {HEAVY!r} if name in sys.modules])
"""
    result = python(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("HEAVY []\n"), result.stdout[-300:]


def test_nothing_at_all_prints_help(ptx) -> None:
    result = ptx()
    assert result.exit_code == 0
    assert "transfer" in result.stdout and "Exit codes" in result.stdout


def test_the_installed_script_runs() -> None:
    result = shell("ptx --version")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("ptx 0.")


@pytest.mark.parametrize(("line", "wanted"), [("ptx transfer x.wav --speaker ali", "alice"), ("ptx tra", "transfer")])
def test_the_shell_completes_verbs_and_voices(line: str, wanted: str) -> None:
    words = line.split()
    result = shell("ptx", _PTX_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert wanted in result.stdout.split(), result.stderr


def test_completing_a_voice_imports_no_torch() -> None:
    code = """
import sys
from prosody_transfer.cli._options import complete_speaker
heavy = [name for name in ("torch", "numpy", "soundfile") if name in sys.modules]
print([name for name, _ in complete_speaker("al")], heavy)
"""
    assert python(code).stdout == "['alice'] []\n"


def test_a_wrong_flag_is_one_line(ptx) -> None:
    result = ptx("transfer", "src.wav", "-s", "alice", "--stregth", "1")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("ptx: no such option: --stregth") and result.stderr.count("\n") == 1
    assert "ptx transfer --help" in result.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    result = shell("set -o pipefail; ptx speakers | true; echo ${PIPESTATUS[0]}")
    assert result.stderr == ""
    assert result.stdout.strip() in ("0", "141")


def test_a_mistake_of_ours_is_one_line_unless_asked(ptx, recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ValueError("two\nlines")

    monkeypatch.setattr("prosody_transfer.store.voices.list_voices", broken)
    result = ptx("speakers")
    assert result.exit_code == 70
    assert result.stderr.count("\n") == 1 and "ValueError: two lines" in result.stderr
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("PTX_DEBUG", "1")
    result = ptx("speakers")
    assert result.exit_code == 70
    assert "Traceback" in result.stderr and "broken" in result.stderr


def test_control_c_is_130(ptx, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("prosody_transfer.store.voices.list_voices", interrupt)
    result = ptx("speakers")
    assert result.exit_code == 130
    assert result.stderr == "ptx: interrupted; nothing that was finished is lost\n"


def test_a_terminal_without_unicode_does_not_fail(tmp_path: Path) -> None:
    result = shell(f"ptx align '{tmp_path}/日本\x07.wav'", PYTHONIOENCODING="ascii")
    assert result.returncode == 3
    assert result.stderr.startswith("ptx: ") and result.stderr.count("\n") == 1 and "\\x07" in result.stderr


LONG_NAMES = {"letters": "x" * 300, "three bytes each": "名" * 90, "a part of it": "d/" + "x" * 300 + "/y.wav"}
LINES = (
    "transfer {0}.wav -s alice", "transfer {1} -s alice -o {0}.wav", "transfer {1} -s alice --out-dir {0}",
    "evaluate --sources {0} --speaker alice", "leakage --sources {0}", "train copycat --data {0}", "voice import {0}",
    "listen analyse {0}", "listen build {0} -o x", "prepare {0} -o x", "align {0}.wav",
)  # fmt: skip


@pytest.mark.parametrize("name", LONG_NAMES)
@pytest.mark.parametrize("line", LINES)
def test_a_name_that_no_system_takes_is_one_line(ptx, recording: Path, line: str, name: str) -> None:
    folder = recording.parent
    words = [word.format(folder / LONG_NAMES[name], recording) for word in line.split()]
    done = ptx(*words)
    assert done.exit_code in (2, 3, 5, 6), done.stderr
    assert done.stderr.count("\n") == 1 and "a mistake of ours" not in done.stderr
    assert [path for path in folder.rglob("*") if path.is_file()] == [recording]


def test_what_the_system_refuses_names_the_file_and_the_remedy(ptx, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/there/x")

    monkeypatch.setattr("prosody_transfer.store.voices.list_voices", refused)
    done = ptx("speakers")
    assert done.exit_code == 5
    assert done.stderr == "ptx: /there/x: no space left on device; make room, or write elsewhere\n"
