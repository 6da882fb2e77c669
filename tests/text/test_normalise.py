from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.normalise import normalise, words_with_origin

CASES = {
    # numbers
    "105 apples": "one hundred five apples",
    "1,234,567": "one million two hundred thirty four thousand five hundred sixty seven",
    "-5 and 3.14 and .5": "minus five and three point one four and point five",
    "−5": "minus five",
    "007": "zero zero seven",
    "the 21st, 2nd and 103rd": "the twenty first second and one hundred third",
    # years
    "1998": "nineteen ninety eight",
    "in 1900, 1905, 2000, 2007 and 2024": (
        "in nineteen hundred nineteen oh five two thousand two thousand seven and twenty twenty four"
    ),
    "the 1990s and '80s": "the nineteen nineties and eighties",
    "back in '98": "back in ninety eight",
    "1,998 men": "one thousand nine hundred ninety eight men",
    # money and shares
    "$5, $1 and $3.50": "five dollars one dollar and three dollars and fifty cents",
    "$3.5 million": "three point five million dollars",
    "£1.20 or 5€": "one pound and twenty pence or five euros",
    "$0.99": "ninety nine cents",
    "50% or 50 %": "fifty percent or fifty percent",
    # times
    "at 3:30": "at three thirty",
    "at 3:00": "at three o'clock",
    "3:05 p.m.": "three oh five p m",
    "10:15am": "ten fifteen a m",
    "15:00": "fifteen hundred",
    # ranges and mixtures
    "pages 10–20": "pages ten to twenty",
    "1914-1918": "nineteen fourteen to nineteen eighteen",
    "$5-10": "five to ten dollars",
    "call 555-1234": "call five five five one two three four",
    "a 20-year-old": "a twenty year old",
    "COVID-19 MP3": "covid nineteen m p three",
    "1/2, 3/4 and 3½": "one half three quarters and three and a half",
    "24/7": "twenty four seven",
    # units
    "10kg, 5 km, 1 lb, 60 mph": "ten kilograms five kilometers one pound sixty miles per hour",
    "20°C": "twenty degrees celsius",
    # abbreviations
    "Mr. and Mrs. Jones": "mister and missus jones",
    "Dr. Who of Rodeo Dr.": "doctor who of rodeo drive",
    "Elm St. near St. Paul's": "elm street near saint paul's",
    "cats, e.g. lions, i.e. big ones, etc.": "cats for example lions that is big ones et cetera",
    "us vs. them": "us versus them",
    "No. 5 is a no.": "number five is a no",
    # initialisms
    "the BBC's news": "the b b c's news",
    "NASA and NATO": "nasa and nato",
    "the US CEO": "the u s c e o",
    "U.S.A. and U.K.'s": "u s a and u k's",
    "J.R.R. Tolkien": "j r r tolkien",
    "HELLO THERE MY FRIEND": "hello there my friend",
    "It was a BIG day": "it was a big day",
    # Roman numerals
    "World War II, Henry VIII": "world war two henry the eighth",
    # symbols
    "AT&T, R & D": "a t and t r and d",
    "a/b and and/or": "a b and and or",
    "me@example.com": "me at example dot com",
    "#5": "number five",
    # punctuation
    "“Well—yes… no,” he said.": "well yes no he said",
    "don’t, won't; it's": "don't won't it's",
    "'quoted words' and 'em goin' home": "quoted words and 'em goin' home",
    "well-known": "well known",
    "wait--what": "wait what",
    "naïve café Łódź": "naive cafe lodz",
    "line one\nline two": "line one line two",
}


@pytest.mark.parametrize(("written", "spoken"), CASES.items())
def test_known_texts(written, spoken):
    assert " ".join(normalise(written)) == spoken


@pytest.mark.parametrize("text", ["", "   ", "...", "—", "!?", "*", "\n\t", "🙂"])
def test_nothing_to_say(text):
    with pytest.raises(TranscriptError, match="no words"):
        normalise(text)


@pytest.mark.parametrize("text", ["日本語", "hello мир there", "ab 你好"])
def test_a_word_that_cannot_be_said_is_named(text):
    word = next(w for w in text.split() if not w.isascii())
    with pytest.raises(TranscriptError, match=word):
        normalise(text)


def test_origin_keeps_what_was_written():
    pairs = words_with_origin("On “May 5th”, he paid $20.")
    assert pairs == [
        ("On", ["on"]), ("May", ["may"]), ("5th", ["fifth"]), ("he", ["he"]), ("paid", ["paid"]),
        ("$20", ["twenty", "dollars"]),
    ]  # fmt: skip


ODD = "abcXYZ019 .,:;'’-–—/$£%&#@°½²'\"()IVXé…\u00a0\u200b日٣"


@given(st.one_of(st.text(max_size=60), st.text(alphabet=ODD, max_size=40)))
@settings(deadline=None, max_examples=400)
@example("'' - 0's")
@example("$" * 20)
@example("9" * 400)
@example("0/0 1/0 00:00 99:99 -0 .-. 1e9 1:2:3 ½½ 1½½")
@example("٣ Ⅷ ﬁ ① ㎏ ² ³ ™")
def test_words_are_letters_or_an_error_says_why(text):
    try:
        pairs = words_with_origin(text)
    except TranscriptError as error:
        assert str(error)
        return
    assert pairs
    for written, spoken in pairs:
        assert written and spoken
        assert all(re.fullmatch("[a-z']*[a-z][a-z']*", word) for word in spoken)


@given(st.lists(st.sampled_from(["cat", "don't", "the", "walked", "o'clock"]), min_size=1, max_size=8))
@settings(deadline=None)
def test_plain_words_stay_and_a_second_pass_changes_nothing(words):
    assert normalise(" ".join(words)) == words
