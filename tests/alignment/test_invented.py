"""What a word recogniser makes up where nothing is said is left out; what is said stays."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.alignment.invented import without_invented
from prosody_transfer.core.types import SILENCE
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.normalise import normalise
from prosody_transfer.text.phones import PHONE_IDS, split_stress

PAUSE = 60  # frames


def heard(*parts: str | int) -> np.ndarray:
    """Posteriors of words that are heard well, and of pauses of so many frames."""
    rows = []
    for part in parts:
        if isinstance(part, int):
            rows += [PHONE_IDS[SILENCE]] * part
            continue
        for word in normalise(part):
            for phone in pronounce(word)[0]:
                rows += [PHONE_IDS[split_stress(phone)[0]]] * 6
    posteriors = np.full((len(rows), len(PHONE_IDS)), 0.1 / (len(PHONE_IDS) - 1))
    posteriors[np.arange(len(rows)), rows] = 0.9
    return posteriors


@pytest.mark.parametrize("invented", ["you", "Thank you.", "Thanks for watching!", "Bye."])
@pytest.mark.parametrize("first", [True, False])
def test_words_made_up_in_the_pause_before_or_after_are_left_out(invented, first):
    said, pause = "Take the night train.", heard(PAUSE, "Take the night train.", PAUSE)
    text = f"{invented} {said}" if first else f"{said} {invented}"
    found, dropped = without_invented(text, pause)
    assert normalise(found) == normalise(said) and normalise(" ".join(dropped)) == normalise(invented)


def test_in_silence_all_is_left_out():
    assert without_invented("Thank you.", heard(200)) == ("", ["Thank", "you"])


@pytest.mark.parametrize("said", ["Thank you.", "You, and you?", "In 1998, I said so: thank you!"])
def test_what_is_said_stays_as_it_is_written(said):
    assert without_invented(said, heard(PAUSE, said, PAUSE)) == (said, [])


def test_a_word_between_two_that_are_said_stays():
    assert without_invented("take the train", heard("take", PAUSE, "train")) == ("take the train", [])


@pytest.mark.parametrize("text", ["", "日本", "♪", "word " * 500])
def test_what_cannot_be_placed_is_left_to_the_aligner(text):
    assert without_invented(text, heard("take")) == (text, [])
