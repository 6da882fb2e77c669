"""`ptx prepare`: what it prints, as text and JSON, and that it adds nothing to the function it calls."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
import soundfile
import typer
from typer.testing import CliRunner

from prosody_transfer.cli import prepare as verb
from prosody_transfer.cli._shared import PtxGroup
from prosody_transfer.corpus.prepare import prepare_corpus


@pytest.fixture
def run():
    """The verb in a program of its own, with the errors and exit codes of the whole one."""
    app = typer.Typer(cls=PtxGroup, name="ptx")
    app.command(epilog=verb.EPILOG)(verb.prepare)
    app.command()(lambda: None)
    return lambda *args: CliRunner().invoke(app, ["prepare", *map(str, args)], prog_name="ptx")


@pytest.fixture
def corpus(tmp_path) -> Path:
    """Two recordings that will do without words, and one that will not."""
    wave, rate = soundfile.read(Path(__file__).parents[2] / "examples" / "audio" / "source.flac")
    (tmp_path / "in" / "ann").mkdir(parents=True)
    for name, take in (("a", wave), ("b", wave[::-1])):
        soundfile.write(tmp_path / "in" / "ann" / f"{name}.wav", take, rate)
    (tmp_path / "in" / "ann" / "bad.wav").touch()
    return tmp_path / "in"


def test_it_says_which_layout_what_is_left_out_and_where_the_page_is(run, corpus, tmp_path):
    out = tmp_path / "data"
    done = run(corpus, "-o", out, "--workers", 1, "--recognise", "none")
    assert done.exit_code == 0, done.stderr
    assert "layout: folder, because there are recordings, but no list of them; its folders are speakers" in done.stderr
    assert "under 10 dB (noisy)" in done.stderr and "under 0.5 s (short)" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["SIDE", "UTTERANCES", "MINUTES", "SPEAKERS"] and lines[1].split()[:2] == ["train", "1"]
    assert lines[4].split()[:3] == ["1", "unreadable", "export"]
    assert lines[-1] == str(out / "summary.html") and Path(lines[-1]).exists()
    again = run(corpus, "-o", out, "--workers", 1, "--recognise", "none", "--json")
    assert again.exit_code == 0 and "layout" not in again.stderr
    found = json.loads(again.stdout)
    assert found["used"]["utterances"] == 2 and found["layout"]["name"] == "folder" and found["output"] == str(out)


@pytest.mark.parametrize(("args", "code", "message"), [
    (("gone", "-o", "data"), 2, "gone: no such corpus"),
    ((".", "-o", "data"), 2, "holds no corpus in a layout that is"),
    ((".", "-o", "data", "--layout", "zip"), 2, "there is no layout 'zip'"),
    ((".", "-o", "data", "--recognise", "x", "--layout", "folder"), 2, "--recognise: 'x' is unknown"),
])  # fmt: skip
def test_errors_are_one_line(run, tmp_path, monkeypatch, args, code, message):
    monkeypatch.chdir(tmp_path)
    done = run(*args)
    assert done.exit_code == code and message in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("ptx: ")


def test_the_verb_has_the_functions_arguments():
    given = set(inspect.signature(verb.prepare).parameters) - {"output", "json"}
    assert given == set(inspect.signature(prepare_corpus).parameters) - {"out", "on_event", "quality"}
    for name, parameter in inspect.signature(prepare_corpus).parameters.items():
        if name in given and parameter.default is not inspect.Parameter.empty:
            assert inspect.signature(verb.prepare).parameters[name].default == parameter.default
