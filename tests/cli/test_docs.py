"""docs/cli.md is written by program from the commands themselves: PTX_WRITE_DOCS=1 writes it again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from prosody_transfer.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
HEADING = """# The `ptx` command

<!-- Written by `make docs` from the commands themselves; a test compares them. -->
"""


def commands(command: Any, name: str = "ptx") -> Iterator[tuple[str, Any]]:
    """Every command below one, itself first."""
    yield name, command
    for verb, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{name} {verb}")


def section(name: str, command: Any) -> str:
    """One command: what it does, its examples, its arguments and options."""
    lines = [f"\n## {name}\n", (command.help or "").strip() + "\n"]
    epilog = (command.epilog or "").replace("\b\n", "")
    examples = [line.strip() for line in epilog.splitlines() if line.startswith("  ptx")]
    lines += ["```bash", *examples, "```\n"] if examples else []
    rows = []
    for parameter in command.params:
        if parameter.name in ("install_completion", "show_completion", "help"):
            continue
        flags = ", ".join(f"`{flag}`" for flag in [*parameter.opts, *parameter.secondary_opts])
        if parameter.param_type_name == "argument":
            flags = f"`{parameter.metavar or parameter.name.upper()}`"
        elif parameter.metavar:
            flags += f" {parameter.metavar}".replace("|", "\\|")
        default = parameter.default if parameter.default is not True else "yes"
        shown = "required" if parameter.required else "" if default is None or default is False else str(default)
        rows.append(f"| {flags} | {(parameter.help or '').replace('|', chr(92) + '|')} | {shown} |")
    return "\n".join(lines + (["| option | what it does | default |", "|---|---|---|", *rows] if rows else [])) + "\n"


def page() -> str:
    return HEADING + "".join(section(name, command) for name, command in commands(get_command(app)))


def test_the_page_is_what_the_commands_say() -> None:
    if os.environ.get("PTX_WRITE_DOCS"):
        PAGE.write_text(page(), encoding="utf8")
    assert PAGE.read_text(encoding="utf8") == page(), "run `make docs`"


def test_every_verb_is_in_the_page_with_an_example() -> None:
    for name, command in commands(get_command(app)):
        assert f"\n## {name}\n" in page()
        assert "Example" in (command.epilog or ""), f"{name} has no example"
        assert (command.help or "").strip(), f"{name} has no help"
