"""What is written in a transcript and not said is left out, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.text.cleaning import KEEP, clean, note_on

SAID = "Shall we take the train?"


@pytest.mark.parametrize("written", [
    f"JOHN: {SAID}", f"John: {SAID}", f"John Smith: {SAID}", f"DR. WHO (V.O.): {SAID}", f"- John: {SAID}",
    f">> JOHN: {SAID}", f">>> {SAID}", f"- {SAID}", f"Speaker 2: {SAID}", f"SPEAKER_00: {SAID}", f"MAN #1: {SAID}",
    f"Mrs. O'Brien: {SAID}", f"Ludwig van Beethoven: {SAID}", f"**John:** {SAID}", f"JOHN [whispering]: {SAID}",
    f"[00:01:02] John: {SAID}", f"00:01:02,500 --> 00:01:04,000\n{SAID}", f"John Smith  0:03\n{SAID}",
    f"(laughs) {SAID}", f"{SAID} [door slams]", f"{{sighs}} {SAID}", f"*sighs* {SAID}", f"♪ ominous music ♪ {SAID}",
    "♪ Shall we take the train? ♪", f"[inaudible] {SAID} [?]", f"【laughs】 {SAID} （笑）", f"<laughs> {SAID}",
    f"{{\\an8}}<i>{SAID}</i>", f'<font color="#ff0000">{SAID}</font>', f"<v Anna>{SAID}</v>", f"&nbsp;{SAID}&nbsp;",
    "Shall&#32;we&nbsp;take the train&#63;", "&lt;b&gt;Shall we&lt;/b&gt; take the train?",
    f"\ufeff\u200b{SAID}\0\ud800",
    "Shall\xa0we\u2028take\tthe\r\ntrain?", f"(to Mary) {SAID}", f"{SAID} (smiling broadly)",
    "Shall we [beat] take the train?",
])  # fmt: skip
def test_what_is_not_said_is_left_out(written):
    assert clean(written).text == SAID


@pytest.mark.parametrize("prose", [
    "Remember: never give up.", "Note: three things.", "At 10:30 we left.", "The answer is: no.", "He said: yes!",
    "Step two: Open it.", "Dear John: I left.", "One thing: Don't.", "WARNING: keep out.", "NOTE: DO NOT ENTER",
    "The ratio is 3:1, a < b and c > d.", "I <3 you.", "word(s) and f(x)", "Call (555) 123-4567.", "5 * 3 * 2 is 30.",
    "My name is (and I mean this) Anna.", "AT&T; R&D & more", "I *really* mean it.", "It's -5 degrees - cold!",
    'She said "John: come here".', "https://example.com is at C: now", "Paris: the city of light", "Hi. Yes: no. Why?",
    "don’t — “never”… €5", "1. First we go.",
])  # fmt: skip
def test_what_could_be_said_stays_as_it_is(prose):
    assert clean(prose).text == prose and not clean(prose).left_out


def test_names_that_take_turns_are_labels_whatever_they_are():
    assert clean("paris: hello.\ntexas: oh hi.\nparis: bye.").text == "hello. oh hi. bye."
    assert clean("ANNA: STOP!\nBEN: I WILL NOT STOP!").text == "STOP! I WILL NOT STOP!"
    assert clean("Hi. MARY: Hello. JOHN: Yes.").text == "Hi. Hello. Yes."


def test_words_that_come_before_colons_stay_however_often():
    text = "Remember: be kind. Remember: be brave."
    assert clean(text.replace(". ", ".\n")).text == text


def test_of_a_screenplay_the_dialogue_is_said():
    page = """
12    INT. KITCHEN - DAY

John comes in, with a knife.

                    JOHN (CONT'D)
          (quietly)
     Shall we take
     the train?

                    MARY
     Or drive.

                                        CUT TO:
"""
    found = clean(page)
    assert found.text == "Shall we take the train? Or drive."
    assert "John comes in, with a knife." in found.note() and "INT. KITCHEN" in found.note()


def test_a_heading_over_prose_stays():
    assert clean("CHAPTER ONE\nIt was late.\n\nHe slept.").text == "CHAPTER ONE It was late. He slept."


def test_the_note_names_what_was_left_out():
    note = clean("JOHN: (laughs) Well (laughs), <i>no</i>.").note()
    assert note.startswith("left out as not said: ") and '"JOHN:" (a speaker\'s label)' in note
    assert '"(laughs)" (a direction), 2 times' in note and '"<i>" (markup)' in note
    assert clean(SAID).note() == note_on([]) == ""
    many = clean(" ".join(f"[noise {i} beeps]" for i in range(30)) + " hello").note()
    assert many.endswith("; and 24 more")


def test_doubts_are_told_and_can_be_decided():
    found = clean("Paris: the city (of light) sleeps.")
    assert found.doubts == ["Paris:", "(of light)"] and KEEP in found.marked
    assert found.settled([False, True]).marked == "the city (of light) sleeps."
    assert found.settled([True, False]).left_out[0].text == "(of light)"


def test_twice_encoded_punctuation_is_read():
    assert clean("don’t — go".encode().decode("cp1252")).text == "don’t — go"


MARKS = [
    *"()[]{}<>*♪:&;-–>\n\"\x01\x02\x03", "JOHN:", "John: ", "&nbsp;", "&lt;", "(laughs)", "{\\an8}", "<i>", "</i>",
    ">> ", "00:01 ", "INT. ROOM\n", "Hi there. ", "we ", "Note: ", "&amp;", "**",
]  # fmt: skip
marks = st.sampled_from(MARKS)


@given(st.lists(marks | st.text(max_size=4), max_size=25).map("".join))
def test_cleaning_never_fails_and_twice_is_once(text):
    once = clean(text).text
    assert clean(once).text == once and not set("\x01\x02\x03\n") & set(once)


@given(st.text(max_size=60))
def test_any_text_can_be_cleaned(text):
    found = clean(text)
    assert found.text == " ".join(found.text.split()) and isinstance(found.note(), str)


word = st.from_regex(r"[A-Za-z][a-z']{0,8}", fullmatch=True)


@given(st.lists(st.tuples(word, st.sampled_from(["", ",", ".", "?", "!", ";", " -", "..."])), min_size=1, max_size=20))
def test_plain_prose_is_unchanged(pairs):
    text = " ".join(w + mark for w, mark in pairs)
    assert clean(text).text == text and not clean(text).left_out
