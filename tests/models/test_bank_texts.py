"""No text that we judge by was learnt from, or lies in a bank that prosody is chosen from."""

from __future__ import annotations

from pathlib import Path

import pytest

from prosody_transfer.models.utterance.task import text_keys
from prosody_transfer.store.header import read_header
from prosody_transfer.store.weights import shipped

TESTS = Path(__file__).parents[1]
JUDGED = TESTS / "golden" / "evaluation_texts.txt"  # `text_keys` of sets that we judge by, which do not ship


@pytest.mark.parametrize("kind", ["vae", "kathaka"])
def test_no_text_of_an_evaluation_was_learnt_from(kind: str) -> None:
    learnt = set(read_header(shipped(kind), kind)[0]["texts"])
    lists = [path.read_text(encoding="utf8").splitlines()[1:] for path in TESTS.rglob("texts.tsv")]
    spoken = [line.split("\t")[-1].replace("*", "") for lines in lists for line in lines]
    judged = {*JUDGED.read_text(encoding="utf8").split(), *text_keys(spoken)}
    assert len(learnt) > 2000 and len(judged) > 150
    assert not learnt & judged
