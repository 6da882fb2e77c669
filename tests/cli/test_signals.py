"""Signals: no traceback from the entry point on, what is half done is cleaned up, and the exit code tells which."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A shell may have started us deaf; and a line on stderr tells when the entry point has come to its first statement.
ENTRY = """
import signal, sys
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
from prosody_transfer.cli import main
from prosody_transfer.core import stopping
first = stopping.exit_at_once
def told():
    stopping.exit_at_once = first
    first()
    print("entered", file=sys.stderr, flush=True)
stopping.exit_at_once = told
sys.argv = ["ptx", *sys.argv[1:]]
"""
WORKERS = """
import os, sys, tempfile, time
from pathlib import Path

def stay(folder):
    with tempfile.TemporaryDirectory(dir=folder):
        Path(folder, "here", str(os.getpid())).touch()
        time.sleep(100)

def busy(*args):
    from prosody_transfer.core.processes import process_pool
    with process_pool(2) as pool:
        jobs = [pool.submit(stay, sys.argv[-1]) for _ in range(2)]
        while len(os.listdir(os.path.join(sys.argv[-1], "here"))) < 2:
            time.sleep(0.02)
        print("busy", file=sys.stderr, flush=True)
        return [job.result() for job in jobs]
"""


def start(script: Path, *arguments: object) -> subprocess.Popen[str]:
    line = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=script.parent)


def said(process: subprocess.Popen[str], word: str) -> None:
    assert process.stderr
    for line in process.stderr:
        if line == f"{word}\n":
            return
    raise AssertionError(f"it has not said {word!r}")


def write(path: Path, more: str = "", last: str = "main()") -> Path:
    indented = "\n".join(f"    {line}" for line in [*ENTRY.splitlines(), last])
    path.write_text(f"{more}\nif __name__ == '__main__':\n{indented}\n")
    return path


@pytest.mark.parametrize("moment", range(8))
def test_control_c_at_any_moment_is_one_line_at_most(tmp_path: Path, moment: int) -> None:
    process = start(write(tmp_path / "run.py"), "align", ROOT / "examples" / "audio" / "source.flac")
    said(process, "entered")
    time.sleep(random.Random(moment).uniform(0, 0.4 * moment))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode in (130, 0, -signal.SIGINT)  # the last while the interpreter itself goes
    assert told in ("", "ptx: interrupted; nothing that was finished is lost\n") or process.returncode == 0
    assert "Traceback" not in told and "Exception ignored" not in told


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_workers_and_what_they_have_half_done_go(tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "here").mkdir()
    patch = "import prosody_transfer.store.voices as voices; voices.all_voices = busy; main()"
    process = start(write(tmp_path / "run.py", WORKERS, patch), "speakers", "--voices", tmp_path)
    said(process, "busy")
    os.kill(process.pid, getattr(signal, name))
    _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert told.count("\n") == 1 and told.endswith("nothing that was finished is lost\n")
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__") == ["here", "run.py"]
    for number in (int(path.name) for path in (tmp_path / "here").iterdir()):
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_file_that_is_half_written_goes(tmp_path: Path, name: str, code: int) -> None:
    work = f"""
import os
def interrupted(*args):
    from prosody_transfer.core.atomic import write_atomically
    os.fsync = lambda file: os.kill(os.getpid(), signal.{name})
    write_atomically("half", b"x")
"""
    patch = "import prosody_transfer.store.voices as voices; voices.all_voices = interrupted; main()"
    process = start(write(tmp_path / "run.py", work, patch), "speakers")
    process.communicate(timeout=60)
    assert process.returncode == code
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 0), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_server_that_control_c_ends_has_done_what_it_should(tmp_path: Path, name: str, code: int) -> None:
    work = """
def waits(*args, **more):
    import contextlib, time
    with contextlib.suppress(KeyboardInterrupt):
        print("serves", file=sys.stderr, flush=True)
        time.sleep(100)
    return 3
"""
    patch = "import prosody_transfer.evaluation.listening.serve as there; there.serve = waits; main()"
    process = start(write(tmp_path / "run.py", work, patch), "listen", "serve", "folder")
    said(process, "serves")
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    assert process.returncode == code


def test_what_nohup_ignores_stays_ignored() -> None:
    code = """
import signal
from prosody_transfer.core.stopping import exit_at_once, raise_stopped
signal.signal(signal.SIGHUP, signal.SIG_IGN)
exit_at_once(), raise_stopped()
assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_an_interrupt_in_a_destructor_is_not_lost() -> None:
    code = """
import os, signal, sys, time
from prosody_transfer.core.stopping import exit_code, raise_stopped
signal.signal(signal.SIGINT, signal.default_int_handler)
raise_stopped()
class Thing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.001)
try:
    thing = Thing()
    del thing
    time.sleep(30)
except KeyboardInterrupt:
    sys.exit(exit_code(1))
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_training_run_that_is_told_to_end_says_by_what(tmp_path: Path) -> None:
    from prosody_transfer.core import stopping
    from prosody_transfer.training.watch import stop_flag

    for name, code in (("SIGTERM", 143), ("SIGHUP", 129)):
        stopping.forget()
        before = signal.signal(getattr(signal, name), signal.SIG_DFL)  # also where the checks run under nohup
        with stop_flag() as asked:
            assert not asked()
            os.kill(os.getpid(), getattr(signal, name))
            assert asked() and stopping.exit_code(130) == code
        signal.signal(getattr(signal, name), before)
    stopping.forget()
