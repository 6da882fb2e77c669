from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment import spoken
from prosody_transfer.alignment.heard import split_tokens
from prosody_transfer.alignment.spoken import choose_readings, unlikely, words_of
from prosody_transfer.analysis.source import SourceAligner
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import PHONE_IDS, split_stress
from prosody_transfer.text.readings import text_tokens

TEXTS = [
    "It was 1995 then",
    "I paid $3.50 on Jan. 1",
    "10M people in 2012",
    "the IV drip at 10/12",
    "call 911, room 405 now",
]


def frames(words: list[str], *, length: int = 6, sure: float = 0.7, pause: int = 0, seed: int = 0) -> np.ndarray:
    """Posteriors of these words said clearly enough, (T, 40): a share `sure` for the phone said, the rest at random."""
    rng = np.random.default_rng(seed)
    phones = [SILENCE] * 2
    for word in words:
        phones += [split_stress(p)[0] for p in pronounce(word)[0]] + [SILENCE] * (pause > 0)
    ids = np.repeat([PHONE_IDS[p] for p in [*phones, SILENCE]], length)
    noise = rng.dirichlet(np.full(40, 0.3), len(ids))
    rows = (1 - sure) * noise
    rows[np.arange(len(ids)), ids] += sure
    return rows.astype(np.float32)


@given(st.sampled_from(TEXTS), st.data())
@settings(deadline=None, max_examples=40)
def test_what_is_said_is_chosen_for_every_token_by_itself(text, data):
    tokens = text_tokens(text)
    said = [data.draw(st.sampled_from(token.readings)) for token in tokens]
    pause = data.draw(st.sampled_from([0, 1]))
    found = choose_readings(tokens, frames([w for r in said for w in words_of(r)], pause=pause))
    assert [words_of(r) for r in found] == [words_of(r) for r in said]


@pytest.mark.parametrize("posteriors", [None, np.zeros((0, 40)), np.full((3, 40), 1 / 40), np.full((300, 40), 1 / 40)])
def test_without_evidence_the_likeliest_is_taken(posteriors):
    tokens = text_tokens("It was 1995 in Jan.")
    assert choose_readings(tokens, posteriors) == [t.readings[0] for t in tokens]


def test_a_text_without_ambiguous_tokens_is_not_scored(monkeypatch):
    monkeypatch.setattr(spoken, "score_words", lambda *given: pytest.fail("scored"))
    tokens = text_tokens("Nothing here can be read in two ways.")
    assert [r for t, r in zip(tokens, choose_readings(tokens, np.ones((50, 40)) / 40), strict=True)] == [
        t.readings[0] for t in tokens
    ]


def test_what_is_not_likeliest_is_told():
    tokens = text_tokens("Room 405 is here")
    readings = choose_readings(tokens, frames(["room", "four", "zero", "five", "is", "here"]))
    assert unlikely(tokens, readings) == [("405", "four zero five")]
    assert unlikely(tokens, [t.readings[0] for t in tokens]) == []


def heard(words: str) -> Alignment:
    phones, at = [], 0.0
    for phone in [p for w in words.split() for p in pronounce(w)[0]]:
        phones.append(PhoneInterval(phone, at, at + 0.1))
        at += 0.1
    return Alignment(tuple(phones), (), at)


def test_tokens_keep_their_readings_over_pieces():
    tokens = text_tokens("We left on Jan. 1, 1995 for St. Louis")
    parts = split_tokens(tokens, [heard("we left on january first nineteen ninety five"), heard("for saint louis")])
    assert [[t.written for t in part] for part in parts] == [["We", "left", "on", "Jan 1 1995"], ["for", "St", "Louis"]]
    assert len(parts[0][-1].readings) > 1


def test_the_aligner_gets_the_words_that_are_said(monkeypatch):
    """What is written stays; the words in time are those of the reading that was heard."""
    from prosody_transfer.analysis import source as module

    asked: list[list[str]] = []

    class Aligner:
        name = "made-up"

        def align(self, waveform, sample_rate, words, told=None):
            assert told is None or told.posteriors is posteriors
            asked.append(list(words))
            return heard(" ".join(words))

    listener = SourceAligner(None)
    listener._aligners["made-up"] = Aligner()
    words = ["i", "was", "born", "in", "one", "nine", "nine", "five"]
    posteriors = frames(words)
    alignment = Alignment(heard(" ".join(words)).phones, (), 9.0, "recogniser", None, posteriors)

    class Config:
        sample_rate, hop_length = 24000, 256

    class Measured:
        n_frames, config = len(posteriors), Config()

    piece = module.Piece(0, 24000, 0, Measured())
    chosen: list[spoken.Chosen] = []
    listener._align(np.zeros(24000), [piece], ["I was born in 1995."], [alignment], "made-up", [], chosen, strict=True)
    assert asked == [words]
    assert chosen == [("1995", "one nine nine five")]
