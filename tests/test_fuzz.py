"""The fuzzer: it knows every parser, and tells what breaks one from what one refuses."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from prosody_transfer.core.errors import UsageError

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location("fuzz", BENCHMARKS / "fuzz.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_every_parser_takes_a_few_damaged_examples(fuzz, tmp_path: Path) -> None:
    parsers = fuzz.make_parsers(tmp_path)
    assert len({p.name for p in parsers}) == len(parsers) >= 25
    for parser in parsers:
        found = fuzz.run(parser, 8, 3, tmp_path, None)
        assert not found["findings"], (parser.name, found["findings"])
        assert found["read"] + found["refused"] == 8


def test_what_breaks_a_parser_is_counted_and_kept(fuzz, tmp_path: Path) -> None:
    def parse(path: Path) -> None:
        data = path.read_bytes()
        if not data.startswith(b"good"):
            raise UsageError("is not good")
        if len(data) % 2:
            raise IndexError("odd")

    keep = tmp_path / "keep"
    keep.mkdir()
    parser = fuzz.Parser("mine", "x.bin", parse, [b"good and even."])
    found = fuzz.run(parser, 200, 1, tmp_path, keep)
    assert found["read"] and found["refused"] and found["broken"] == len(found["findings"]) > 0
    assert "IndexError: 'odd'" in found["findings"][0]["problem"]
    assert all(len(path.read_bytes()) % 2 for path in keep.iterdir())
    again = fuzz.run(parser, 200, 1, tmp_path, None)
    assert again["findings"] == found["findings"], "a seed makes the same inputs"
    assert fuzz.run(parser, 200, 2, tmp_path, None)["findings"] != found["findings"]
