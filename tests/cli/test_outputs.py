"""What the shell hands over and takes back: empty arguments, streams that cannot be written, signals."""

from __future__ import annotations

import pytest


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
