"""The examples in docstrings, run under each module's real name (pytest would import cli/ and models/ twice)."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules() -> list[str]:
    names = []
    for top, prefix in (("prosody_transfer", ""), ("cli", "prosody_transfer."), ("models", "prosody_transfer.")):
        for path in sorted((ROOT / top).rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf8"):
                parts = path.relative_to(ROOT).with_suffix("").parts
                names.append(prefix + ".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


@pytest.mark.parametrize("name", modules())
def test_docstring_examples(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted and not result.failed
