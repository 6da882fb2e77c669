from __future__ import annotations

import random
import re
import subprocess
import sys
from functools import lru_cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text import numbers as num
from prosody_transfer.text.normalise import normalise
from prosody_transfer.text.readings import ORDER, RULES, readings, text_tokens
from prosody_transfer.text.rules import MOST

# (rule, written, readings that must be among those found, the likeliest first)
KINDS = [
    ("number", "1995", ["nineteen ninety five", "one thousand nine hundred ninety five", "one nine nine five"]),
    ("number", "627", ["six hundred twenty seven", "six hundred and twenty seven", "six two seven"]),
    ("number", "0063", ["zero zero six three", "oh oh sixty three"]),
    ("number", "2,500", ["two thousand five hundred", "twenty five hundred"]),
    ("number", "2.5", ["two point five", "two and a half"]),
    ("number", "-7", ["minus seven", "negative seven"]),
    ("ordinal", "101st", ["one hundred first", "one hundred and first"]),
    ("decade", "1960s", ["nineteen sixties"]),
    ("decade", "'70s", ["seventies", "nineteen seventies"]),
    ("slashed", "10/12", ["october twelfth", "ten twelfths", "ten twelve", "ten over twelve"]),
    ("slashed", "3/4", ["three quarters", "three fourths", "march fourth", "three over four"]),
    ("mixed number", "3 1/2", ["three and a half", "three and one half"]),
    ("spaced thousands", "4 500 000", ["four million five hundred thousand"]),
    ("times", "3x", ["three x", "three times"]),
    ("and more", "70+", ["seventy plus"]),
    ("month day", "Feb. 2", ["february second", "february two", "the second of february"]),
    ("month day", "June 5th, 2007", ["june fifth two thousand seven", "the fifth of june two thousand seven"]),
    ("day month", "9 April 1987", ["the ninth of april nineteen eighty seven", "april ninth nineteen eighty seven"]),
    ("month year", "Nov. 2031", ["november twenty thirty one", "november two thousand thirty one"]),
    ("date in figures", "12/31/98", ["december thirty first ninety eight", "twelve thirty one ninety eight"]),
    ("date in figures", "31.12.1998", ["the thirty first of december nineteen ninety eight"]),
    ("date in figures", "2003-05-04", ["may fourth two thousand three", "the fourth of may two thousand three"]),
    ("clock", "4:45", ["four forty five", "a quarter to five"]),
    ("clock", "10:00", ["ten o'clock", "ten", "ten hundred"]),
    ("clock", "7:05 PM", ["seven oh five p m", "seven five p m", "five past seven p m"]),
    ("clock", "2:10:59", ["two hours ten minutes and fifty nine seconds", "two ten fifty nine"]),
    ("hour", "11a.m.", ["eleven a m"]),
    ("ratio", "100:37", ["one hundred to thirty seven"]),
    ("military time", "0630 hours", ["oh six thirty hours", "zero six thirty hours"]),
    ("money", "$3.50", ["three dollars and fifty cents", "three dollars fifty cents", "three fifty"]),
    ("money", "€2.5 million", ["two point five million euros", "two and a half million euros"]),
    ("money", "£1", ["one pound", "a pound"]),
    ("money", "A$40", ["forty australian dollars", "forty dollars"]),
    ("money", "$30/wk", ["thirty dollars per week", "thirty dollars a week"]),
    ("money after", "80 EUR", ["eighty euros"]),
    ("great number", "7 billion", ["seven billion"]),
    ("measure", "10M", ["ten million", "ten m", "ten meters"]),
    ("measure", "5m", ["five meters", "five million"]),
    ("measure", "3 km²", ["three square kilometers", "three kilometers squared"]),
    ("measure", "60 km/h", ["sixty kilometers per hour", "sixty kilometers an hour"]),
    ("measure", "9 m/s²", ["nine meters per second squared"]),
    ("measure", "0.5%", ["zero point five percent", "point five percent", "one half percent"]),
    ("part of a measure", "3/8-inch", ["three eighths inch"]),
    ("degrees", "-3° F", ["minus three degrees fahrenheit", "minus three degrees"]),
    ("feet and inches", "6'1\"", ["six one", "six feet one inch", "six foot one"]),
    ("inches", '8"', ["eight inches", "eight"]),
    ("by", "4 x 6 m", ["four by six meters"]),
    ("per", "3/day", ["three per day"]),
    ("range", "10-12", ["ten to twelve", "ten twelve", "ten minus twelve"]),
    ("range", "$40-$60", ["forty dollars to sixty dollars", "forty to sixty dollars"]),
    ("range with unit", "4-5 kg", ["four to five kilograms"]),
    ("telephone", "(212) 555-0134", ["two one two five five five zero one three four",
                                     "two one two five five five oh one three four"]),
    ("telephone", "1-800-555-1212", ["one eight hundred five five five one two one two"]),
    ("dotted", "10.0.0.7", ["one zero dot zero dot zero dot seven"]),
    ("sum", "a=b", ["a equals b", "a is b"]),
    ("sum", "2*9", ["two times nine", "two asterisk nine"]),
    ("web address", "https://dog.org/c-d", ["h t t p s colon slash slash dog dot org slash c dash d"]),
    ("mail address", "jo.x9@mail.de", ["jo dot x nine at mail dot d e"]),
    ("host", "goodnews.co.uk", ["good news dot co dot u k"]),
    ("www", "www.cat.dog/9", ["w w w dot cat dot dog slash nine", "cat dot dog slash nine"]),
    ("path", "/usr/bin/cat", ["slash u s r slash bin slash cat"]),
    ("file", "cats.txt", ["cats dot t x t"]),
    ("handle", "@cats", ["at cats"]),
    ("tag", "#GoodDogs", ["hashtag good dogs"]),
    ("mixed", "A380", ["a three eighty", "a three hundred eighty", "a three eight zero"]),
    ("mixed", "the mid-1970s-look", ["the mid nineteen seventies look"]),
    ("", "the IV drip", ["the i v drip", "the four drip"]),
    ("", "Louis XIV", ["louis the fourteenth", "louis fourteenth", "louis fourteen"]),
    ("", "Act II", ["act two"]),
    ("", "Elm St.", ["elm street"]),
    ("", "St. Anne", ["saint anne"]),
    ("", "9 N Elm Ave, Troy, NY 12180", ["nine north elm avenue troy new york one two one eight zero"]),
    ("", "4120 Elm St", ["forty one twenty elm street", "four thousand one hundred twenty elm street"]),
    ("", "NASA", ["nasa", "n a s a"]),
    ("", "card ending in 4471", ["card ending in four four seven one"]),
    ("", "either/or", ["either or", "either slash or"]),
    ("", "C#", ["c sharp"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "written", "expected"), KINDS, ids=[f"{k}: {w}" for k, w, _ in KINDS])
def test_each_kind_has_the_readings_that_speakers_use(name, written, expected):
    found = [" ".join(words) for words in readings(written)]
    assert found[0] == expected[0]
    assert set(expected) <= set(found)


def test_every_rule_has_an_example():
    assert {name for name, _, _ in KINDS if name} == set(ORDER) == {r.name for r in RULES}


@pytest.mark.parametrize("text", ["She sold sea shells by the shore.", "don't stop", "Well-known and good, he said"])
def test_plain_words_have_one_reading(text):
    assert [len(t.readings) for t in text_tokens(text)] == [1] * len(text.split())


def test_written_words_that_keep_their_order_are_kept_apart():
    token = text_tokens("Jan. 15 2020")[0]
    assert token.written == "Jan 15 2020"
    assert token.readings[0] == (("Jan", ("january",)), ("15", ("fifteenth",)), ("2020", ("twenty", "twenty")))
    assert (("Jan 15 2020", ("the", "fifteenth", "of", "january", "twenty", "twenty")),) in token.readings


def test_a_quotation_mark_after_a_number_is_not_an_inch():
    assert normalise('He said "in 1987" to me') == ["he", "said", "in", "nineteen", "eighty", "seven", "to", "me"]


ANY = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="abcXIV019 .,:;'-–/$£€%&#@°½²'\"()[]+=*<>~^_\\|!?st mkK日٣", max_size=24),
    st.lists(st.sampled_from(["Jan.", "12", "St.", "$", "3.5", "million", "1/2", "IV", "-", "10-12", "km/h", "@"]),
             max_size=7).map(" ".join),
)  # fmt: skip


@given(ANY)
@settings(deadline=None, max_examples=500)
@example("0/0 00/00/0000 99:99:99 $.5k -0 ٣٣:٣٣")
@example("9" * 600 + "/" + "9" * 600)
@example("1" + ",000" * 60)
@example("a." * 200 + "com")
@example("0²")
@example("http://a²3")
@example("www.٣²½.com/①#@")
@example("-.-.-1.-1.1.1.1")
def test_any_text_has_readings_or_a_clear_error(text):
    try:
        found = readings(text)
    except TranscriptError as error:
        assert error.problem
        with pytest.raises(TranscriptError):
            normalise(text)
        return
    assert 1 <= len(found) <= MOST
    assert found[0] == normalise(text)
    assert all(re.fullmatch("[a-z']*[a-z][a-z']*", word) for words in found for word in words)
    assert len({tuple(words) for words in found}) == len(found)
    for token in text_tokens(text):
        assert 1 <= len(token.readings) <= MOST


@lru_cache(maxsize=1)
def engine():
    return pytest.importorskip("inflect").engine()


@given(st.integers(0, 10**15 - 1) | st.integers(0, 3000))
@settings(deadline=None, max_examples=200)
def test_cardinals_and_ordinals_are_those_of_inflect(value):
    inflect = engine()
    plain = lambda words: " ".join(re.findall("[a-z]+", words))
    cardinal = plain(inflect.number_to_words(value, andword=""))
    assert num.cardinal(str(value)) == cardinal
    assert num.ordinal(str(value)) == plain(inflect.ordinal(cardinal))


@given(st.integers(0, 999_999))
@settings(deadline=None, max_examples=200)
def test_the_british_form_is_that_of_inflect(value):
    inflect = engine()
    assert num.with_and(num.cardinal(str(value))) == " ".join(re.findall("[a-z]+", inflect.number_to_words(value)))


@given(st.integers(1, 3999))
def test_roman_numerals_are_read_back(value):
    table = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
             (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]  # fmt: skip
    numeral, rest = "", value
    for size, letters in table:
        numeral += letters * (rest // size)
        rest %= size
    assert num.roman(numeral) == value


def test_numbers_import_nothing_slow():
    code = (
        "import sys\nfrom prosody_transfer.text.normalise import normalise\nnormalise('In 1998, $5')\n"
        "assert not {'inflect', 'typeguard', 'torch', 'scipy'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_long_texts_are_read_in_linear_time():
    from time import perf_counter

    rng = random.Random(1)
    text = " ".join(rng.choice(["In 1995", "$3.50", "Jan. 3", "he said", "10-12 km", "a1b2-c3"]) for _ in range(1500))
    began = perf_counter()
    tokens = text_tokens(text)
    assert len(tokens) > 1500
    assert perf_counter() - began < 5


@pytest.mark.parametrize("text", ["IT WAS A GOOD DAY FOR US", "I AM AS PATIENT AS IT TAKES"])
def test_short_words_in_capitals_are_words_where_all_is_in_capitals(text):
    assert normalise(text) == text.lower().split()
