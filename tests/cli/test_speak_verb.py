"""`ptx speak`: what is refused, and before a network is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

PLAIN = ("--prosody", "plain")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["One.", "-s", "nobody"], 2, "nobody"),
        (["One.", "-s", "alice", "--sentence-silence", "x"], 2, "--sentence-silence"),
        (["One.", "-s", "alice", "--sentence-silence", "3-1"], 2, "out of range"),
        (["One.", "-s", "alice", "--length-scale", "9"], 2, "length_scale"),
        (["One.", "-s", "alice", "--input-file", "x.txt"], 2, "one of TEXT and --input-file"),
        (["-s", "alice", "--input-file", "gone.txt"], 4, "gone.txt"),
        (["  ", "-s", "alice"], 2, "needs a text"),
        (["One.", "-s", "alice", "-o", "a.mp3"], 5, ".mp3"),
        (["One.", "-s", "alice", "-o", "a.wav", "--output-raw"], 2, "--output-raw"),
        (["One.", "-s", "alice", "--lexicon", "gone.txt"], 4, "gone.txt"),
    ],
)  # fmt: skip
def test_refusals(ptx, tmp_path: Path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("prosody_transfer.synthesis.transferer.Transferer.__init__", _never)
    result = ptx("speak", *arguments, *PLAIN)
    assert result.exit_code == code and says in result.stderr and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def _never(*_: object, **__: object) -> None:
    raise AssertionError("a network was loaded")


def test_what_is_there_is_not_overwritten(ptx, tmp_path: Path):
    (tmp_path / "a.wav").write_text("mine")
    result = ptx("speak", "One.", "-s", "alice", "-o", tmp_path / "a.wav", *PLAIN)
    assert result.exit_code == 5 and (tmp_path / "a.wav").read_text() == "mine"


def test_without_the_extra_it_says_how_to_do_without(ptx, tmp_path: Path, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "spacy" else find(name, *a))
    result = ptx("speak", "One.", "-s", "alice", "-o", tmp_path / "a.wav")
    assert result.exit_code == 7 and "prosody-transfer[speak]" in result.stderr and "--prosody plain" in result.stderr
