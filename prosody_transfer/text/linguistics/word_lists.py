"""Files of sentences in items: a JSON list of words and signs of punctuation a line."""

from __future__ import annotations

import json
from pathlib import Path

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.encoding import read_text

_REMEDY = 'write a line such as ["He", "left", "."]'
LONGEST = 400  # items of one sentence, as in texts


def read_sentences(path: str | Path) -> str:
    """A text file as it is, whatever its encoding.

    Raises:
        TranscriptError: As `text.encoding.read_text`, or it is empty.
    """
    text = read_text(path)
    if not text.strip():
        raise TranscriptError("is empty", place=str(path), remedy="write something into it")
    return text


def read_word_lists(path: str | Path) -> list[list[str]]:
    """The lists of a file, one a line.

    Raises:
        TranscriptError: As `read_sentences`, or a line is no list of words; it is named.
    """
    lines = read_sentences(path).rstrip("\n").split("\n")
    return [parse_word_list(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)]


def parse_word_list(line: str, place: str) -> list[str]:
    """One line.

    Raises:
        TranscriptError: It is no JSON list of strings, or a string of it is empty or has a space; `place` is named.

    >>> parse_word_list('["He", "left", "."]', "words.jsonl:1")
    ['He', 'left', '.']
    """
    try:
        items = json.loads(line)
    except (ValueError, RecursionError):
        raise TranscriptError("is not JSON", place=place, remedy=_REMEDY) from None
    if not isinstance(items, list):
        raise TranscriptError("is no list", place=place, remedy=_REMEDY)
    if len(items) > LONGEST:
        problem = f"has {len(items)} items; {LONGEST} are the most"
        raise TranscriptError(problem, place=place, remedy="write one sentence a line")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, str):
            raise TranscriptError(f"item {number} is no string", place=place, remedy=_REMEDY)
        if not item or not item.isprintable() or " " in item:
            problem = f"item {number}, {item[:40]!r}, is no word and no sign"
            raise TranscriptError(problem, place=place, remedy="one word or sign an item, without spaces")
    return items
