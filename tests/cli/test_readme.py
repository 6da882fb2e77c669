"""What README.md and examples/ say must be true."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from prosody_transfer.cli.app import app
from prosody_transfer.core import errors
from prosody_transfer.store.weights import shipped

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf8")
PAGES = [README, (ROOT / "examples" / "README.md").read_text(), (ROOT / "examples" / "dub_folder.sh").read_text()]
QUOTED = {line for page in PAGES for line in re.findall(r"(?m)^ptx .*|`ptx [^`]*`", page)}
NEVER = {"ptx --install-completion"}  # it would change the shell of whoever runs the tests
LINES = sorted({line.strip("`").partition("#")[0].strip() for line in QUOTED} - NEVER)
weights = all(shipped(kind).exists() for kind in ("copycat", "vocoder", "recogniser"))


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_parses(line: str) -> None:
    """The flags are known and their values of the right kind; nothing is run."""
    command, words = get_command(app), shlex.split(line)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    try:
        command.make_context(line, words)
    except typer.Exit as done:  # --help and --version
        assert done.exit_code == 0


@pytest.mark.skipif(not weights, reason="the weights are not there")
@pytest.mark.parametrize("block", re.findall(r"<!-- run -->\n```python\n(.*?)```", README, re.S))
def test_python_blocks_run(block: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    result = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert "24000" in result.stdout


@pytest.mark.skipif(not weights, reason="the weights are not there")
def test_the_examples_run(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    python = [sys.executable, str(ROOT / "examples" / "transfer_in_python.py")]
    examples = ROOT / "examples"
    folder = [str(examples / "dub_folder.sh"), str(examples / "audio"), "emma", str(tmp_path / "dubbed")]
    for command in (python, folder):
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "source.alice.wav").exists() and (tmp_path / "dubbed" / "source.emma.wav").exists()


def test_the_training_example_prepares_and_trains(tmp_path: Path) -> None:
    from prosody_transfer.data.manifest import read_manifest
    from prosody_transfer.evaluation.benchmark import FOLDER, benchmark_items
    from prosody_transfer.store.header import read_header

    for item in {item.source_voice: item for item in benchmark_items()}.values():
        folder = tmp_path / "recordings" / item.source_voice
        folder.mkdir(parents=True)
        (folder / f"{item.id}{Path(item.source).suffix}").write_bytes((FOLDER / item.source).read_bytes())
        (folder / f"{item.id}.txt").write_text(item.text)
    example, run = ROOT / "examples" / "train_on_your_recordings.py", tmp_path / "run"
    command = [sys.executable, str(example), str(tmp_path / "recordings"), str(run), "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    speakers = {row.speaker for row in read_manifest(run / "data" / "train.jsonl")}
    assert len(speakers) >= 2 and f"--model {run / 'model.safetensors'}" in done.stdout
    assert set(read_header(run / "model.safetensors", "copycat")[0]["config"]["speakers"]) == speakers


def test_the_exit_codes_are_those_of_the_errors() -> None:
    in_readme = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", README)}
    in_errors = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", errors.__doc__ or "")}
    assert in_errors <= in_readme
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.PtxError)]
    assert {c.exit_code for c in classes} <= in_readme


def test_files_that_are_named_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
    for target in re.findall(r"recipes/\w+\.toml|examples/[\w/.]+", " ".join(PAGES)):
        assert (ROOT / target.rstrip(".")).exists(), target


def test_the_first_screen_has_the_two_commands() -> None:
    first = README.splitlines()[:14]
    assert sum(line.startswith(("make demo", "make test")) for line in first) == 2
