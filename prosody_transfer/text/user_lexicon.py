"""A user's own pronunciations: a file of names and their phones, as the CMU dictionary has them."""

from __future__ import annotations

import re
from pathlib import Path

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.encoding import read_text
from prosody_transfer.text.lexicon import Pronunciation
from prosody_transfer.text.marks import phones_of

_WORD = re.compile(r"[^\W_](?:[^\W_]|['’.-])*")
_VARIANT = re.compile(r"\([0-9]{1,2}\)$")


def read_lexicon(path: str | Path) -> dict[str, tuple[Pronunciation, ...]]:
    """Words in small letters to how they are said, the usual way first.

    A line has a word, then spaces or tabs, then its phones: `Siobhan  SH AH0 V AO1 N`. A word may have several lines,
    and "(2)" after it as in the CMU dictionary. Lines that are empty or begin with # or ;;; say nothing.

    Raises:
        TranscriptError: The file cannot be read, or a line is none of these; file and line are named.
    """
    place, text = str(path), read_text(path, "give a word and its phones a line")
    found: dict[str, tuple[Pronunciation, ...]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith(("#", ";;;")):
            continue
        word, phones = parse_entry(line, f"{place}:{number}")
        if phones not in found.get(word, ()):
            found[word] = (*found.get(word, ()), phones)
    if not found:
        raise TranscriptError("holds no words", place=place, remedy="write a line such as: Siobhan  SH AH0 V AO1 N")
    return found


def parse_entry(line: str, place: str) -> tuple[str, Pronunciation]:
    """One line to a word in small letters and its phones.

    Raises:
        TranscriptError: It has no phones, the word is none, or a phone is none; `place` is named.

    >>> parse_entry("Siobhan(2)  SH AH0 V AO1 N # Irish", "names.txt:3")
    ('siobhan', ('SH', 'AH0', 'V', 'AO1', 'N'))
    """
    parts = line.partition(" #")[0].split(maxsplit=1)
    word = _VARIANT.sub("", parts[0]) if parts else ""
    if not _WORD.fullmatch(word):
        raise TranscriptError(f"{word[:40]!r} is no word", place=place, remedy="begin the line with one word")
    if len(parts) < 2:
        raise TranscriptError(f"{word[:40]!r} has no phones", place=place, remedy="write them after it, as in: W ER1 D")
    return word.lower().replace("’", "'"), phones_of(parts[1], place)
