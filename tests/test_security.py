"""SECURITY.md: every promise names tests that hold it, and they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
SECTIONS = {title: body for title, _, body in (part.partition("\n") for part in TEXT.split("\n## ")[1:])}
WITHOUT = ("Reporting", "What is not promised")


def promises() -> list[str]:
    """Each bullet with the lines that belong to it."""
    bodies = (body for title, body in SECTIONS.items() if title not in WITHOUT)
    return [bullet for body in bodies for bullet in re.findall(r"^- .*(?:\n  .*)*", body, re.M)]


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf8"))
    skips = ("skip", "xfail")
    return {
        node.name for node in tree.body
        if isinstance(node, ast.FunctionDef) and not any(ast.unparse(d).endswith(skips) for d in node.decorator_list)
    }  # fmt: skip


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise[2:60])
def test_a_promise_has_tests(promise: str) -> None:
    assert NAMED.search(promise), promise


def test_every_test_that_is_named_is_there() -> None:
    named = NAMED.findall(TEXT)
    assert len(named) >= 50
    assert not [f"{path}::{name}" for path, name in named if name not in functions_of(path)]


def test_it_says_how_to_report_and_what_is_not_promised() -> None:
    assert set(WITHOUT) < set(SECTIONS) and len(promises()) >= 18
    assert "in private" in SECTIONS["Reporting"]
