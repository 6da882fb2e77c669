"""docs/prepare.md says what the code does: layouts, reasons, thresholds."""

from __future__ import annotations

from pathlib import Path

from prosody_transfer.data.layouts import LAYOUTS
from prosody_transfer.data.quality import Quality
from prosody_transfer.data.reasons import REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "prepare.md").read_text(encoding="utf8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading row."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [
        [cell.strip().replace("\0", "|") for cell in line.replace("\\|", "\0").strip("|").split("|")] for line in lines
    ]


def test_the_layouts():
    assert rows("name | what lies in the folder") == [[f"`{name}`", layout.shape] for name, layout in LAYOUTS.items()]


def test_the_reasons():
    expected = [[f"`{name}`", reason.means, reason.remedy] for name, reason in REASONS.items()]
    assert rows("reason | the recordings | what to do") == expected


def test_the_thresholds():
    assert rows("reason | when") == [[f"`{name}`", when] for name, when in Quality().lines()]
