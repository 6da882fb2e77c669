"""Tables: what a stranger typed stays text in a spreadsheet, numbers stay numbers, and every cell comes back."""

from __future__ import annotations

import ast
import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.tables import Figure, csv_text, text_of

ROOT = Path(__file__).parents[2]
SIGNS = "=+-@\t\r\n＝＋－＠"
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("'=+-@\t\r\n,;\""), max_size=8)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@given(st.lists(st.lists(texts, min_size=2, max_size=4), min_size=1, max_size=4))
def test_texts_come_back_and_none_is_a_formula(rows: list[list[str]]) -> None:
    cells = read(csv_text(rows))
    assert [[text_of(cell) for cell in row] for row in cells] == rows
    assert not [cell for row in cells for cell in row if cell[:1] in tuple(SIGNS)]


@given(st.lists(st.floats(allow_nan=False) | st.integers(), min_size=2, max_size=4))
def test_numbers_stay_numbers(row: list[float]) -> None:
    assert [float(cell) for cell in read(csv_text([row]))[0]] == [float(value) for value in row]
    assert read(csv_text([[Figure("-0.50"), None]])) == [["-0.50", ""]]


@pytest.mark.parametrize("sign", SIGNS)
def test_every_sign_of_a_formula_is_quoted(sign: str) -> None:
    assert read(csv_text([[f'{sign}HYPERLINK("//x")', "a"]])) == [[f"'{sign}HYPERLINK(\"//x\")", "a"]]


def test_a_carriage_return_is_no_new_row() -> None:
    assert csv_text([["a\rb", "c"]]) == '"a\rb",c\n'


def test_all_tables_are_written_here() -> None:
    found = []
    for top in ("prosody_transfer", "cli", "models"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
                named = isinstance(node, ast.Attribute) and node.attr in ("writer", "DictWriter")
                if named and isinstance(node.value, ast.Name) and node.value.id == "csv":
                    found.append(str(path.relative_to(ROOT)))
                assert not (isinstance(node, ast.ImportFrom) and node.module == "csv"), path
    assert found == ["prosody_transfer/core/tables.py"]


def test_webmushras_table_holds_no_formula() -> None:
    from prosody_transfer.evaluation.listening.ratings import Rating
    from prosody_transfer.evaluation.listening.webmushra_results import write_results

    evil = '=HYPERLINK("//x","\rclick")'
    rating = Rating(
        listener=evil, session="-1", page="@p", item="i", aspect="a", stimulus="s", system="\tx", role="system",
        score=-0.0, seconds=math.nan, repeat=False,
    )  # fmt: skip
    head, row = read(write_results("+t", [rating], [(evil, "@p", "-say\r=1+1")]))
    assert row[:3] == ["'+t", f"'{evil}", "'-1"] and row[-1] == "'-say\r=1+1" and len(row) == len(head)


def test_a_word_of_a_recording_is_no_formula(tmp_path: Path) -> None:
    import numpy as np

    from prosody_transfer.core.config import MelConfig
    from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
    from prosody_transfer.features.extract import Features
    from prosody_transfer.synthesis.report import features_csv

    flat = np.zeros(9, np.float32)
    features = Features(np.zeros((100, 9), np.float32), flat, flat > 0, flat - 20, 24000, MelConfig())
    heard = Alignment((PhoneInterval("AH0", 0.0, 1.0),), (WordInterval("=1+1\r,", 0.0, 1.0),), 1.0, "mfa")
    rows = read(features_csv(features, heard))
    assert {len(row) for row in rows} == {7} and rows[1][5] == "'=1+1\r,"
    assert rows[1][2] == "-20.0", "a number stays one"


def test_the_log_of_a_run_keeps_its_numbers(tmp_path: Path) -> None:
    from prosody_transfer.training.logs import CsvLog

    for figures in ({"loss": -0.5}, {"loss": -1e-7, "a\rb": 1.0}):
        CsvLog(tmp_path / "log.csv", 10).add(len(figures), 0.1, figures)
    assert read((tmp_path / "log.csv").read_bytes().decode()) == [
        ["step", "seconds", "loss", "a\rb"], ["1", "0.1", "-0.5", ""], ["2", "0.1", "-1e-07", "1"]
    ]  # fmt: skip
