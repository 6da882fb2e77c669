"""A text in sentences and items: nothing is lost, and every item is where it says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.text.linguistics.items import items_of, sentences_of


def cut(chunk: str) -> list[str]:
    """A tokeniser of letters and signs, in place of spaCy's."""
    return re.findall(r"Mr\.|\w+|\W", chunk)


@pytest.mark.parametrize(("text", "wanted"), [
    ('"Why?" he said. Go!', ['" Why ? " he said .', "Go !"]), ("One. two. Three", ["One . two .", "Three"]),
    ('He left. "Now," she said.', ["He left .", '" Now , " she said .']), ("Mr. Brown left.", ["Mr. Brown left ."]),
    ("Well... yes. No--never!", ["Well ... yes .", "No -- never !"]), ("a\n\nb\nc", ["a", "b c"]),
    ("It's 5% of $3.50 (or so).", ["It's 5% of $3.50 ( or so ) ."]),
    ("well-known, twenty-one", ["well-known , twenty-one"]),
    ("the dogs' home", ["the dogs' home"]), ("'yes' it is", ["' yes ' it is"]), ("! ?", []), ("? Yes", ["? Yes"]),
    ("and/or R&D", ["and/or R&D"]), ("Really?! Yes.", ["Really ? !", "Yes ."]),
])  # fmt: skip
def test_sentences_and_their_items(text, wanted):
    split = lambda chunk: ["3.50" if p == "3.50" else p for p in re.findall(r"Mr\.|\d+\.\d+|\w+|\W", chunk)]
    assert [" ".join(item.text for item in s) for s in sentences_of(text, split)] == wanted


@given(st.text("aB'\"-.,!?( \n…—5$%é", max_size=50))
def test_nothing_is_lost_and_places_are_right(text):
    sentences = sentences_of(text, cut)
    items = [item for sentence in sentences for item in sentence]
    assert all(text[item.start : item.end] == item.text == "".join(item.parts) for item in items)
    if any(map(str.isalnum, text)):
        assert "".join(item.text for item in items) == "".join(text.split())
        assert all(any(item.is_word for item in sentence) for sentence in sentences)
    assert [i.start for i in items] == sorted(i.start for i in items)


def test_a_sentence_without_an_end_is_cut_somewhere():
    sentences = sentences_of("word " * 5000, cut)
    assert len(sentences) > 5 and max(map(len, sentences)) <= 400


def test_given_items_are_kept_as_they_are():
    items = items_of(["'Don't", ",", "Mr."], cut)
    assert [(i.text, i.start, i.is_word) for i in items] == [("'Don't", 0, True), (",", 7, False), ("Mr.", 9, True)]


def test_characters_that_nobody_sees_are_no_words():
    (items,) = sentences_of("\ufeffone\u200btwo\0three \x07.", cut)
    assert [(i.text, i.start) for i in items] == [("one", 1), ("two", 5), ("three", 9), (".", 16)]
