"""Tunes that are drawn: where they begin, and what they measure as."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.synthesis.speaking.outline import SEMITONE, SONORANT, Outline
from prosody_transfer.synthesis.speaking.tunes import accented, draw, final_slope
from prosody_transfer.text.phones import phone_class
from prosody_transfer.text.prosody_tokens import tokens_of
from prosody_transfer.text.spoken import spoken_sentences

FRAMES = 8


def flat(text: str, slope: float = -0.01, kind: str = ""):
    """A sentence whose phones are all as long, all voiced, melody falling by `slope` semitones a frame."""
    from dataclasses import replace

    (sentence,) = spoken_sentences(text)
    sentence = replace(sentence, kind=kind or sentence.kind)
    tokens = tokens_of(sentence.words, sentence.kind)
    frames = np.where(tokens.is_gap, 0, FRAMES)
    frames[[0, -1]] = FRAMES
    starts = np.concatenate([[0], np.cumsum(frames)])
    phones = iter(p for w in sentence.words for p in w.phones)
    names = tuple("SIL" if gap else next(phones) for gap in tokens.is_gap)
    size = int(starts[-1])
    voiced = np.repeat([phone_class(name) in SONORANT for name in names], frames)
    contour = np.arange(size) * slope * SEMITONE
    return Outline(sentence.words, starts, tokens.word, names, contour, voiced, np.zeros(size)), sentence


@pytest.mark.parametrize("text", ["Did she call you?", "Is it the red one?", "Are you coming home tomorrow?"])
def test_a_yes_no_question_rises(text):
    made, sentence = flat(text)
    assert draw(made, sentence) == "rise" and final_slope(made) > 1


@pytest.mark.parametrize("text", ["Why did she call?", "She called."])
@pytest.mark.parametrize("slope", [-0.2, 0.0, 0.3])
def test_wh_questions_and_statements_fall(text, slope):
    made, sentence = flat(text, slope)
    draw(made, sentence)
    assert final_slope(made) < -0.5


def test_a_melody_that_falls_by_itself_is_left_alone():
    made, sentence = flat("She called the man.", -0.2)
    before = made.log_f0.copy()
    assert draw(made, sentence) == "as predicted"
    np.testing.assert_array_equal(made.log_f0, before)


def test_alternatives_rise_and_the_last_falls():
    made, sentence = flat("Did it come by post, or by hand?")
    draw(made, sentence)
    first = [w.text for w in sentence.words].index("post")
    assert final_slope(made, made.span(first)[1]) > 1 > 0 > final_slope(made)


def test_lists_go_on_until_their_end():
    made, sentence = flat("We need tomatoes, bananas, and bread.", kind="list")
    draw(made, sentence)
    for word in (i for i, w in enumerate(sentence.words) if w.sign == "comma"):
        assert final_slope(made, made.span(word)[1]) > 1
    assert final_slope(made) < -0.5


def test_a_tag_rises_after_a_fall():
    made, sentence = flat("She called you, didn't she?", kind="tag_question")
    assert draw(made, sentence) == "fall, then rise"
    comma = next(i for i, w in enumerate(sentence.words) if w.sign)
    assert final_slope(made, made.span(comma)[1]) < 0 < 1 < final_slope(made)


def test_what_is_asked_for_goes_first():
    made, sentence = flat("Did she call?")
    draw(made, sentence, "fall")
    assert final_slope(made) < -0.5
    made, sentence = flat("She called.", -0.3)
    draw(made, sentence, "rise")
    assert final_slope(made) > 1


def test_weak_words_bear_no_accent():
    (sentence,) = spoken_sentences("Did you see it?")
    assert sentence.words[accented(sentence.words, 0, 3)].text == "see"
