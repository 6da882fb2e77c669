"""A text as spoken words, and as what prosody is predicted from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.synthesis.speaking.wishes import requests
from prosody_transfer.text.marks import Break, Emphasis
from prosody_transfer.text.markup import read_markup
from prosody_transfer.text.prosody_tokens import CLASSES, NUMBERS, tokens_of
from prosody_transfer.text.spoken import SIGNS, spoken_sentences


def test_signs_belong_to_the_words_before_them():
    (sentence,) = spoken_sentences("Well, (he said) — no; it's 5 o’clock!")
    assert [(w.text, w.sign) for w in sentence.words] == [
        ("well", "semicolon"), ("he", ""), ("said", "semicolon"), ("no", "semicolon"), ("it's", ""), ("five", ""),
        ("o'clock", "!"),
    ]  # fmt: skip
    assert sentence.kind == "exclamation"


def test_a_full_stop_of_an_abbreviation_ends_nothing():
    found = spoken_sentences("Mr. Hall met Dr. Lee at 5 p.m. in the U.S. embassy. They left.")
    assert [len(s.words) > 3 for s in found] == [True, False]
    assert all(not w.sign for w in found[0].words[:-1])


@pytest.mark.parametrize(
    ("text", "kind"),
    [("He left.", "statement"), ("Did he go?", "yes_no_question"), ("Why did he go?", "wh_question"),
     ("By post or by hand?", "or_question"), ("Go!", "exclamation"), ("no sign", "statement")],
)  # fmt: skip
def test_kinds_without_a_parse(text, kind):
    assert spoken_sentences(text)[0].kind == kind


def test_a_paragraph_ends_at_an_empty_line():
    found = spoken_sentences("One. Two.\n\nThree.")
    assert [s.ends_paragraph for s in found] == [False, True, False]


def test_the_lexicon_goes_first_and_the_article_hears_the_vowel_after_it():
    (sentence,) = spoken_sentences("The egg, the Siobhan.", lexicon={"siobhan": (("SH", "AH0", "V", "AO1", "N"),)})
    assert [w.phones for w in sentence.words][::3] == [("DH", "IY0"), ("SH", "AH0", "V", "AO1", "N")]
    assert sentence.words[2].phones == ("DH", "AH0")


def test_words_lie_where_they_are_written():
    text = "It cost $3.50 — “really”, didn’t it?"
    for word in spoken_sentences(text)[0].words:
        assert text[word.start : word.end].strip(), word
    assert {text[w.start : w.end] for w in spoken_sentences(text)[0].words} >= {"$3.50", "really", "didn’t"}


def test_nothing_to_say_is_refused():
    with pytest.raises(TranscriptError, match="no words"):
        spoken_sentences("... !")


def test_tokens_have_a_gap_before_the_first_word_and_after_each():
    words = spoken_sentences("Cats, dogs.")[0].words
    tokens = tokens_of(words, "statement", [None, 1.0])
    assert tokens.word.tolist() == [-1, *[0] * 5, *[1] * 5]
    assert np.flatnonzero(tokens.is_gap).tolist() == [0, 5, 10]
    assert tokens.classes.shape == (len(CLASSES), 11) and tokens.numbers.shape == (len(NUMBERS), 11)
    heard = tokens.numbers[NUMBERS.index("heard")]
    assert not heard[:6].any() and heard[6:].all()
    assert tokens.classes[2, 5] == SIGNS.index("comma") and tokens.classes[2, 10] == SIGNS.index("final")


@given(st.lists(st.sampled_from(["red", "a", "don't", "5", "Dr.", "U.S.", "well-known", "—", ",", "?"]), max_size=12))
def test_any_text_is_words_in_order_or_refused(parts):
    text = " ".join(parts)
    try:
        found = spoken_sentences(text)
    except TranscriptError:
        return
    words = [w for s in found for w in s.words]
    assert all(w.phones and w.sign in SIGNS for w in words)
    assert all(s.words[-1].sign in ("final", "?", "!") for s in found)
    assert [w.start for w in words] == sorted(w.start for w in words)
    for sentence in found:
        tokens = tokens_of(sentence.words, sentence.kind)
        assert tokens.classes.shape[1] == sum(len(w.phones) + 1 for w in sentence.words) + 1
        assert all((tokens.classes[i] < size).all() for i, (_, size) in enumerate(CLASSES))


def test_marks_reach_their_words():
    marked = read_markup("I said *Tuesday* [[W ER1 D]] now.")
    (found,) = requests(spoken_sentences(marked.text), [*marked.marks, Break(marked.text.index("now"), 0.5)])
    assert [w.emphasis for w in found.wishes] == ["", "", "strong", "", ""]
    assert found.sentence.words[3].phones == ("W", "ER1", "D") and found.wishes[3].pause == 0.5
    (early,) = requests(spoken_sentences("Now."), [Break(0, 0.3), Emphasis(0, 3)])
    assert early.lead == 0.3 and early.wishes[0].emphasis == "strong"
