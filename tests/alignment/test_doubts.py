"""Labels and parentheses that could be said: the phones that were heard decide."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.alignment.doubts import settle
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.text.cleaning import clean
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.normalise import normalise


def heard(text: str, sure: float = 0.9) -> Alignment:
    names = [p for word in normalise(text) for p in pronounce(word)[0]]
    phones = tuple(PhoneInterval(p, i / 10, (i + 1) / 10) for i, p in enumerate(names))
    return Alignment(phones, (), len(names) / 10, "made-up", np.full((len(names), 40), sure, np.float32))


@pytest.mark.parametrize(("written", "said"), [
    ("Paris: the city of light", "Paris: the city of light"),
    ("Paris: the city of light", "the city of light"),
    ("JOHN: Shall we drive?", "Shall we drive?"),
    ("JOHN: Shall we drive?", "JOHN: Shall we drive?"),
    ("The committee (all nine of them) voted for it.", "The committee voted for it."),
    ("The committee (all nine of them) voted for it.", "The committee (all nine of them) voted for it."),
    ("He took [the] train (turning away) home.", "He took [the] train home."),
])  # fmt: skip
def test_the_recording_decides(written, said):
    found = settle(clean(written), [heard(said)])
    assert found.text == said and not found.doubts


def test_a_recogniser_in_doubt_leaves_what_is_usual():
    found = clean("JOHN: We saw Paris (all of it).")
    assert settle(found, [heard("We saw Paris", 0.3)]).text == found.text == "We saw Paris (all of it)."


def test_many_pieces_are_one_recording():
    found = settle(
        clean("Anna: We go.\nThen (maybe) we stay (all of us)."), [heard("we go"), heard("then we stay all of us")]
    )
    assert found.text == "We go. Then we stay (all of us)." and "(maybe)" in found.note()
