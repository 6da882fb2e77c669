"""A key of a key is that key, and two ways of writing one thing have one key."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prosody_transfer.core.keys import LONGEST_FILE_NAME, file_name, fold, name_key, sentence_key

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
KEYS = (fold, name_key, sentence_key)
TEXT = st.text(max_size=30)


def letters():
    return (chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i < 0xE000)


def test_every_letter_of_unicode_keeps_its_key():
    """All of them, not a sample: the fault that this module mends was in one letter of thousands."""
    for letter in letters():
        key = sentence_key(letter)
        ways = (key, letter.upper(), letter.lower(), letter.casefold())
        assert {sentence_key(way) for way in ways} == {key}, hex(ord(letter))
        assert fold(fold(letter)) == fold(letter), hex(ord(letter))


@pytest.mark.parametrize("key", KEYS)
@given(text=TEXT)
@example(text="𝑨")
@example(text="ŉ ﬃ ſ İ ı ẞ ͅ Ά")
@example(text="a\u0345\u0301")
def test_a_key_is_its_own_key(key, text):
    assert key(key(text)) == key(text)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", FORMS)
@given(text=TEXT)
@example(text="Zoë, ＡＢＣ ½ ﷺ")
def test_the_form_of_a_text_is_not_in_its_key(key, form, text):
    assert key(unicodedata.normalize(form, text)) == key(text)


@given(TEXT)
def test_case_is_not_in_a_sentences_key(text):
    assert sentence_key(text.upper()) == sentence_key(text) == sentence_key(text.casefold())


@given(TEXT)
@example("日本")
@example("con/../../x")
@example("x" * 300)
@example("名" * 80)
def test_a_file_name_stays_in_its_folder_and_is_its_own(name):
    found = file_name(name)
    assert Path(found).name == found and found.isascii() and not found.startswith(".")
    assert 0 < len(found) <= LONGEST_FILE_NAME and file_name(found) == found


@given(st.lists(TEXT, max_size=5, unique=True))
@example(["日本", "中国", "a b", "a_b", "a/b", "a  b", "", ".", "_"])
def test_two_names_never_share_a_file(names):
    assert len({file_name(name) for name in names}) == len(names)


def test_plain_names_stay_as_they_are():
    assert [file_name(n) for n in ("p225_001", "A-b.c", "84-121123-0000")] == ["p225_001", "A-b.c", "84-121123-0000"]
