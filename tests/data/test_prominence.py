"""Words with prominence and boundary: read as the Helsinki Prosody Corpus has them, refused by line."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.prominence import read_prominence

GOOD = (
    "<file>\t84_1_0.txt\nHe\t1\t0\t0.9\t0.1\nleft\t2\t2\t2.1\t2.0\n.\tNA\tNA\tNA\tNA\n"
    "<file>\t251_1_0.txt\nYes\tNA\t1\tNA\t0.8\n"
)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_readings_by_reader(tmp_path: Path, pack):
    path = tmp_path / "dev.txt"
    path.write_bytes(pack(GOOD.encode()))
    first, second = read_prominence([path])
    assert (first.name, first.reader, first.items) == ("84_1_0.txt", "84", ("He", "left", "."))
    assert [(x.prominence, x.boundary) for x in first.labels] == [(1, 0), (2, 2), (None, None)]
    assert first.labels[1].prominence_value == 2.1 and math.isnan(first.labels[2].boundary_value)
    assert second.reader == "251" and second.labels[0].prominence is None and second.labels[0].boundary == 1


@pytest.mark.parametrize(("text", "message"), [
    ("He\t1\t0\t0.9\t0.1\n", r":1: is neither"), (GOOD + "x\t3\t0\t1\t1\n", r":7: '3' is none of 0, 1, 2 and NA"),
    (GOOD + "x\t1\t0\tone\t1\n", r":7: 'one' is no number"), (GOOD + "x\t1\t0\n", r":7: is neither"),
    (GOOD + "a b\t1\t0\t1\t1\n", r":7: 'a b' is no word"), ("\n", "hold no sentence"),
])  # fmt: skip
def test_a_line_that_is_none_is_named(tmp_path: Path, text, message):
    path = tmp_path / "dev.txt"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_prominence([path])


@pytest.mark.parametrize("data", [b"\x1f\x8bnot gzip", gzip.compress(GOOD.encode())[:40], b"\xff\xfe\xfa"])
def test_a_file_that_cannot_be_read(tmp_path: Path, data):
    path = tmp_path / "dev.txt.gz"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"dev.txt.gz: cannot be read"):
        read_prominence([path])
    with pytest.raises(UsageError, match="No such file"):
        read_prominence([tmp_path / "gone"])


def test_what_is_packed_is_unpacked_within_a_bound(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("prosody_transfer.data.prominence.LIST_BYTES", 20_000)
    path = tmp_path / "dev.txt.gz"
    path.write_bytes(gzip.compress(GOOD.encode()) + gzip.compress(GOOD.encode()))  # two members are one text
    assert len(read_prominence([path])) == 4
    path.write_bytes(gzip.compress(bytes(10_000_000)))  # 10 kB on the disk
    with pytest.raises(UsageError, match=r"dev.txt.gz: is too large: over 0.02 MB unpacked"):
        read_prominence([path])
