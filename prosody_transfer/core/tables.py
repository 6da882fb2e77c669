"""Tables of cells, as spreadsheets and other programs read them (CSV, RFC 4180): all that are written come from here.

A spreadsheet computes a cell whose text begins with a sign of a formula, and what strangers typed could begin so: "'"
stands before it then, which spreadsheets know for "this is text". `text_of` takes it off again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # some tables of characters make the wide ones narrow


class Figure(str):
    """A number that is written out already, with the digits that it is to have: no text, whatever its sign."""


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    r"""Rows of cells; numbers stay numbers, texts stay texts.

    Args:
        rows: Of cells: text, int, float, `Figure`; None is empty.

    >>> csv_text([["name", "score"], ["=1+1", -2.5], ["a,b", Figure("-1e-05")], ["two\rlines", None]])
    'name,score\n\'=1+1,-2.5\n"a,b",-1e-05\n"two\rlines",\n'
    """
    return "".join(_line(row) for row in rows)


def text_of(cell: str) -> str:
    """What was written as a cell.

    >>> text_of("'=1+1"), text_of("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _line(row: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_cell(value) for value in row])  # ended by \n alone, it would leave a \r bare
    return buffer.getvalue()[:-2] + "\n"


def _cell(value: Any) -> Any:
    text = isinstance(value, str) and not isinstance(value, Figure)
    return f"'{value}" if text and _FORMULA.match(value) else value
