"""The tables of figures in docs/evaluation.md and docs/leakage.md are written by program: PTX_WRITE_DOCS=1 does it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prosody_transfer.evaluation import leakage, leakage_figures
from prosody_transfer.evaluation.catalogue import markdown, table

DOCS = Path(__file__).parents[2] / "docs"
BEGIN = "<!-- figures: written by `make docs` from the code; a test compares them -->\n"
END = "<!-- end -->\n"


@pytest.mark.parametrize(
    ("name", "text"), [("evaluation", markdown()), ("leakage", "\n".join(table(leakage_figures.FIGURES)) + "\n")]
)
def test_the_guide_holds_every_definition(name: str, text: str) -> None:
    page = DOCS / f"{name}.md"
    head, _, rest = page.read_text(encoding="utf8").partition(BEGIN)
    found, _, tail = rest.partition(END)
    if os.environ.get("PTX_WRITE_DOCS"):
        page.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf8")
        found = f"\n{text}\n"
    assert found == f"\n{text}\n", "run `make docs`"


def test_the_limits_in_the_guide_are_those_of_the_code() -> None:
    page = (DOCS / "leakage.md").read_text(encoding="utf8")
    for limit in (
        f"{leakage.LEAST_SPEAKERS} speakers with {leakage.LEAST_UTTERANCES} utterances",
        f"above {100 * leakage.ROOM:.0f} points",
        f"above {leakage.MOST_LEAK_INDEX:.2f}".replace("0.", "."),
        f"below {leakage.LEAST_POSITIVE:.2f}".replace("0.", "."),
    ):
        assert limit in page, limit
