"""README and card print the stored baseline: PTX_WRITE_DOCS=1 writes it into them."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- baseline: written by `make docs` from benchmarks/baseline.json -->\n", "<!-- end -->\n"


@pytest.fixture(scope="module")
def baseline() -> ModuleType:
    spec = importlib.util.spec_from_file_location("baseline", ROOT / "benchmarks" / "baseline.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "models/copycat/CARD.md"])
def test_the_page_prints_what_is_stored(baseline: ModuleType, page: str) -> None:
    wanted = f"\n{baseline.table(json.loads(baseline.STORED.read_text(encoding='utf8')))}\n\n"
    path = ROOT / page
    head, begin, rest = path.read_text(encoding="utf8").partition(BEGIN)
    found, end, tail = rest.partition(END)
    assert begin and end
    if os.environ.get("PTX_WRITE_DOCS"):
        path.write_text(f"{head}{BEGIN}{wanted}{END}{tail}", encoding="utf8")
        found = wanted
    assert found == wanted, "run `make docs`"


def test_what_is_stored_says_where_it_comes_from(baseline: ModuleType) -> None:
    stored = json.loads(baseline.STORED.read_text(encoding="utf8"))
    assert "baseline.py" in stored["command"]
    assert set(stored["conditions"]) == set(baseline.CONDITIONS)
    for condition in stored["conditions"].values():
        assert condition["commit"] and condition["pairs"] == len(condition["rows"]) and condition["sources"] > 10


def figures(baseline: ModuleType, similarity: list[float], errors: list[int]) -> dict[str, Any]:
    rows = [
        {"id": f"{i}", "speaker": "alice", "source": f"{i}.wav", "target_similarity": s, "word_errors": e, "words": 10}
        for i, (s, e) in enumerate(zip(similarity, errors, strict=True))
    ]
    return {"conditions": {"pairs, words given": {"rows": rows}}}


def test_worse_is_where_the_interval_of_paired_differences_leaves_zero(baseline: ModuleType) -> None:
    old = figures(baseline, [0.9 + 0.01 * i for i in range(8)], [1] * 8)
    for new, worse in (
        (figures(baseline, [0.9 + 0.01 * i for i in range(8)], [1] * 8), set()),
        (figures(baseline, [0.89 + 0.01 * i for i in range(8)], [2] * 8), {"target_similarity", "wer"}),
        (figures(baseline, [0.91 + 0.01 * i for i in range(8)], [0] * 8), set()),
        (figures(baseline, [0.9 + 0.01 * i + 0.05 * (-1) ** i for i in range(8)], [1, 1, 1, 2, 0, 1, 1, 1]), set()),
    ):
        assert {row["figure"] for row in baseline.compare(new, old) if row["worse"]} == worse
