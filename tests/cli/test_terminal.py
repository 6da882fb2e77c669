"""What is printed moves no cursor: control characters of files' names, voices and transcripts are written out."""

from __future__ import annotations

import ast
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.cli import _shared, _terminal

ROOT = Path(__file__).parents[2]
EVIL = "a\x1b[2J\x9b31m\u202egnp\u2066\x07\r.wav"
HARMFUL = "\x1b\x9b\x07\r\u202e\u2066\x7f\x00\u200e\ufeff"


def harmless(text: str) -> bool:
    return not any(c in HARMFUL for c in text)


@given(st.text())
def test_what_is_shown_is_one_line_that_can_be_seen(text: str) -> None:
    shown = _terminal.visible(text)
    assert all(c.isprintable() or c in "\u200c\u200d\u00a0\u2007\u202f\u3000" for c in shown)
    assert text == shown or not text.isprintable()


@pytest.mark.parametrize("text", ["naïve 名前 Ωμέγα", "می\u200cخواهم", "全角\u3000空白", "👩\u200d🔬"])
def test_letters_of_all_languages_stay(text: str) -> None:
    assert _terminal.visible(text) == text


def test_bytes_that_are_no_letters_are_written_out() -> None:
    assert _terminal.visible(b"a\x9b\xff.wav".decode("utf8", "surrogateescape")) == "a\\x9b\\xff.wav"


@given(st.recursive(st.text(), lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside), max_leaves=5))
def test_json_says_the_same_and_harms_nothing(value: object) -> None:
    shown = _terminal.visible_json(_shared.format_json(value))
    assert json.loads(shown) == value
    assert harmless(shown)


def printing(node: ast.AST) -> bool:
    """Whether a call prints, or a stream is reached for."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        return name in ("print", "typer.echo", "typer.secho", "click.echo") or name.endswith("console.print")
    return isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout.write", "sys.stderr.write")


def test_everything_is_printed_in_one_place() -> None:
    """But for the line above a progress bar, which rich prints; its text is made visible."""
    found = []
    for top in ("cli", "prosody_transfer", "models"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
                if printing(node):
                    found.append((str(path.relative_to(ROOT)), ast.unparse(node)))
    assert {path for path, _ in found} == {"cli/_terminal.py", "cli/_shared.py"}
    (above_the_bar,) = [code for path, code in found if path == "cli/_shared.py"]
    assert above_the_bar.startswith("self._bar.console.print(visible(line), markup=False")


def test_questions_are_asked_in_visible_letters() -> None:
    for path in sorted((ROOT / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.confirm", "typer.prompt"):
                parts = [ast.unparse(p.value) for p in ast.walk(node) if isinstance(p, ast.FormattedValue)]
                assert all(part.startswith("visible(") for part in parts), path


VERBS = (
    "transfer {}.wav -s alice", "align {}.wav", "features {}.wav", "evaluate {}.jsonl", "leakage --sources {}",
    "prepare {} -o out", "train copycat {}.toml", "train vocoder --data {}", "train recogniser {}.toml",
    "voice add {} takes --consent c.txt", "voice show {}", "voice export {}", "voice import {}", "voice remove {}",
    "voice renew jane --consent {}", "voice accept {} --by me", "voice add jane takes --consent {}",
    "listen build {}.toml -o out", "listen serve {}", "listen analyse {}", "listen webmushra {} -o x.csv", "{}",
    "speakers --voices {}x{}", "transfer a.wav -s {}", "transfer a.wav -s alice --keep {}",
)  # fmt: skip


@pytest.mark.parametrize("line", VERBS)
def test_no_verb_prints_a_name_as_it_is(ptx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = ptx(*(word.replace("{}", EVIL) for word in line.split(" ")))
    assert harmless(done.stdout + done.stderr)
    assert "a mistake of ours" not in done.stderr
    assert line.startswith("speakers") or ("\\x1b[2J\\x9b31m\\u202egnp" in done.stderr and done.exit_code)


def test_results_are_printed_in_visible_letters(ptx, transferer, make_recording, tmp_path: Path) -> None:
    for name in (EVIL, "b\u202e.wav"):
        make_recording(tmp_path / "in" / name)
    one = ptx("transfer", tmp_path / "in" / EVIL, "-s", "alice")
    assert one.exit_code == 0 and harmless(one.stdout + one.stderr) and "\\u202egnp" in one.stdout
    several = ptx("transfer", tmp_path / "in", "-s", "alice", "--force")
    assert several.exit_code == 0 and harmless(several.stdout + several.stderr) and "b\\u202e" in several.stdout
    plain = ptx("transfer", tmp_path / "in", "-s", "alice", "--force", "--json")
    assert harmless(plain.stdout) and EVIL in {Path(row["input"]).name for row in json.loads(plain.stdout)["done"]}


def test_a_bar_shows_visible_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", screen)
    with _shared.progress("x", 3) as bar:
        bar.move(1, "one\x9b\u202e\x07")
        bar.say("two\x9b\u202e\x07")
    shown = screen.getvalue()
    assert "two\\x9b\\u202e\\x07" in shown and not any(c in shown for c in "\x9b\u202e\x07")


def test_a_table_is_as_wide_as_what_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    _shared.print_table([("NAME", "X"), ("a\x1bb", "1")])
    assert capsys.readouterr().out == "NAME    X\na\\x1bb  1\n"
