"""One line: what, where, remedy; and an exit code for each kind."""

from __future__ import annotations

import pytest

from prosody_transfer.core import errors
from prosody_transfer.core.errors import AudioError, PtxError

KINDS = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, PtxError)]


@pytest.mark.parametrize(
    ("place", "remedy", "text"),
    [
        ("", "", "is silent"),
        ("a.wav", "", "a.wav: is silent"),
        ("", "check it", "is silent; check it"),
        ("a.wav", "check it", "a.wav: is silent; check it"),
    ],
)
def test_one_line(place, remedy, text):
    error = AudioError("is silent", place=place, remedy=remedy)
    assert str(error) == text and (error.problem, error.place, error.remedy) == ("is silent", place, remedy)


def test_exit_codes_match_the_table():
    table = {
        line.split("|")[2].strip(" `"): int(line.split("|")[1])
        for line in (errors.__doc__ or "").splitlines()
        if "`" in line
    }
    assert len(table) == 8
    assert {c.__name__: c.exit_code for c in KINDS if c.__name__ in table} == table


def test_codes_are_told_apart():
    codes = [c.exit_code for c in KINDS if c.exit_code != PtxError.exit_code and PtxError in c.__bases__]
    codes.remove(errors.CutSampleError.exit_code)  # a pipe that ends inside a sample shares the models'
    assert len(codes) == len(set(codes)) == 7 and not {0, 130} & set(codes)
