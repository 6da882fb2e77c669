"""Text as sentences of items: words as they are written, and signs of punctuation, each with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Split = Callable[[str], Sequence[str]]  # a string without spaces to what a parser reads as tokens, nothing left out

_FINAL = frozenset(".!?…")
_CLOSING = frozenset("\"'”’)]}»")
_JOINERS = frozenset(["-", "'", "’", "/", "&", "@", "_", "+", "‐", "‑", "·"])
_BEFORE_WORD, _AFTER_WORD = frozenset("$£€¥₹#°"), frozenset("%°€$£¢'’")
_APART = re.compile(r"-{2,}|\.{2,}|[—―–…]+|[\"“”]")  # signs between words that a tokeniser may leave glued to them
_UNSEEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, 0x200B, 0xFEFF), " ")  # part words, and are none
_LONGEST = 400  # items of one sentence; a text without ends is cut, at a sign where there is one
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True)
class Item:
    """A word or a sign of punctuation.

    Attributes:
        text: As it is written.
        start, end: Its place in the text, in characters.
        parts: What a parser reads it as: "don't" is "do", "n't".
    """

    text: str
    start: int
    end: int
    parts: tuple[str, ...]

    @property
    def is_word(self) -> bool:
        """Whether it has a letter or a digit."""
        return any(map(str.isalnum, self.text))


def sentences_of(text: str, split: Split) -> list[list[Item]]:
    """The sentences of a text, each of its items; a sentence without a word belongs to the one before.

    A sentence ends at `.`, `!`, `?` or `…` with what closes after it, unless a small letter follows ("Why?" he said),
    and at an empty line. The full stop of an abbreviation is part of its word, as `split` knows it.

    Args:
        text: Any text, with its lines.
        split: Such as a spaCy tokeniser, on strings without spaces.

    >>> cut = lambda chunk: re.findall(r"\\w+|\\W", chunk)
    >>> [[item.text for item in s] for s in sentences_of('"Why?" he said. It is 3-4.', cut)]
    [['"', 'Why', '?', '"', 'he', 'said', '.'], ['It', 'is', '3-4', '.']]
    """
    text = text.translate(_UNSEEN)
    found: list[list[Item]] = []
    start = 0
    for end in [*(m.end() for m in _PARAGRAPH.finditer(text)), len(text)]:
        items: list[Item] = []
        for chunk in re.finditer(r"\S+", text[start:end]):
            at = start + chunk.start()
            for piece in _pieces(chunk[0]):
                items += _items(piece, at, split)
                at += len(piece)
        found += _sentences(items)
        start = end
    return found


def items_of(words: Sequence[str], split: Split) -> list[Item]:
    """Items that are given one by one, with places as if single spaces lay between them."""
    items, at = [], 0
    for word in words:
        items.append(Item(word, at, at + len(word), tuple(split(word))))
        at += len(word) + 1
    return items


def _pieces(chunk: str) -> list[str]:
    """A chunk cut before and after every sign that no word holds."""
    edges = sorted({0, len(chunk), *(edge for m in _APART.finditer(chunk) for edge in m.span())})
    return [chunk[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _items(chunk: str, at: int, split: Split) -> list[Item]:
    """What stands between two spaces: words of neighbouring parts, and the signs around them."""
    parts = [chunk] if _APART.fullmatch(chunk) else list(split(chunk))
    in_word = [any(map(str.isalnum, part)) for part in parts]
    for i, part in enumerate(parts):
        before, after = i > 0 and in_word[i - 1], i + 1 < len(parts) and any(map(str.isalnum, parts[i + 1]))
        joins = part in _JOINERS and before and after
        if joins or (part in _BEFORE_WORD and after) or (part in _AFTER_WORD and before and _owned(parts, i)):
            in_word[i] = True
    items: list[Item] = []
    start = 0
    while start < len(parts):
        end = start + 1
        while in_word[start] and end < len(parts) and in_word[end]:
            end += 1
        word = "".join(parts[start:end])
        items.append(Item(word, at, at + len(word), tuple(parts[start:end])))
        at, start = at + len(word), end
    return items


def _owned(parts: list[str], i: int) -> bool:
    """Whether a sign after a word is of it: "5%", and the apostrophe of "the dogs' bones", which opens nowhere."""
    return parts[i] not in "'’" or (parts[i - 1].endswith("s") and parts[0] not in ("'", "‘"))


def _sentences(items: list[Item]) -> list[list[Item]]:
    found: list[list[Item]] = []
    current: list[Item] = []
    ended = False
    for item in items:
        closes = item.text[0] in _CLOSING and bool(current) and item.start == current[-1].end
        if ended and not (closes or item.text[0] in _FINAL or item.text[:1].islower()):
            found.append(current)
            current, ended = [], False
        current.append(item)
        if item.is_word:
            ended = False
        elif item.text[0] in _FINAL:
            ended = True
        elif not closes:
            ended = False
    return _with_words([part for sentence in [*found, current] for part in _cut(sentence)])


def _cut(sentence: list[Item]) -> list[list[Item]]:
    """A sentence in parts that are not too long."""
    if len(sentence) <= _LONGEST:
        return [sentence]
    signs = [i for i in range(_LONGEST // 2, _LONGEST) if not sentence[i].is_word]
    end = signs[-1] + 1 if signs else _LONGEST
    return [sentence[:end], *_cut(sentence[end:])]


def _with_words(sentences: list[list[Item]]) -> list[list[Item]]:
    """Signs alone are no sentence: they go to the one before, or to the first."""
    found: list[list[Item]] = []
    waiting: list[Item] = []
    for sentence in sentences:
        if any(item.is_word for item in sentence):
            found.append([*waiting, *sentence])
            waiting = []
        elif found:
            found[-1] += sentence
        else:
            waiting += sentence
    return found
