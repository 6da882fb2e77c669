"""A user's own pronunciations: read, and refused line by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.user_lexicon import parse_entry, read_lexicon


def test_words_and_their_variants(tmp_path: Path):
    path = tmp_path / "names.txt"
    lines = ["\ufeff# names", ";;; of people", "Siobhan  SH AH0 V AO1 N # Irish", "siobhan(2)\tSH AH0 V AA1 N",
             "SIOBHAN SH AH0 V AO1 N", "", "O’Neil ow0 n iy1 l", ""]  # fmt: skip
    path.write_bytes("\r\n".join(lines).encode())
    assert read_lexicon(path) == {
        "siobhan": (("SH", "AH0", "V", "AO1", "N"), ("SH", "AH0", "V", "AA1", "N")),
        "o'neil": (("OW0", "N", "IY1", "L"),),
    }


@pytest.mark.parametrize(("text", "message"), [
    ("word W ER1 D\nSiobhan\n", r":2: 'Siobhan' has no phones; write them after it"),
    ("Siobhan SH AH V AO1 N\n", r":1: the vowel AH has no stress"), ("# x\nx X1\n", r":2: 'X1' is no phone"),
    ("[x] W ER1 D\n", r":1: '\[x\]' is no word"), ("# nothing\n", "holds no words"), ("\0\0W\0E\0", "is no text file"),
])  # fmt: skip
def test_a_line_that_is_none_is_named(tmp_path: Path, text, message):
    path = tmp_path / "names.txt"
    path.write_text(text)
    with pytest.raises(TranscriptError, match=message):
        read_lexicon(path)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(TranscriptError, match=r"gone.txt: cannot be read \(No such file"):
        read_lexicon(tmp_path / "gone.txt")


PHONES = st.lists(st.sampled_from(["K", "AH0", "ER1", "ZH"]), min_size=1)


@given(st.from_regex(r"[A-Za-z][a-z'-]{0,9}", fullmatch=True), PHONES)
def test_an_entry_comes_back(word, phones):
    assert parse_entry(f"{word}\t{' '.join(phones)}", "x") == (word.lower(), tuple(phones))
