"""A text as sentences of spoken words: phones, what follows each word, and what is known of it as a reader would."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.abbreviations import DOTTED
from prosody_transfer.text.lexicon import Pronunciation, pronounce
from prosody_transfer.text.linguistics.features import sign_kind
from prosody_transfer.text.linguistics.items import Item, sentences_of
from prosody_transfer.text.normalise import words_with_origin
from prosody_transfer.text.phones import is_vowel

if TYPE_CHECKING:
    from prosody_transfer.text.linguistics.analysis import Sentence

SIGNS = ("", "comma", "semicolon", "final", "?", "!")
Lexicon = Mapping[str, Sequence[Pronunciation]]
_WH = frozenset(["who", "whom", "whose", "what", "which", "when", "where", "why", "how"])
_STRAIGHT = str.maketrans("‘’ʼ`´“”", "'''''\"\"")
_TITLES = frozenset(["dr.", "st."])
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True)
class SpokenWord:
    """One word as it is said.

    Attributes:
        text: As it is said, letters a-z and apostrophes.
        phones: Of the CMU dictionary, vowels with stress digits.
        start, end: Place in the text of what is written for it, in characters.
        sign: What follows it, one of `SIGNS`.
        prominence: 0 to 2, as readers would have it; None where nobody has looked.
        boundary: Probability of a boundary after it; None where nobody has looked.
        item: Which written word of its sentence it belongs to.
    """

    text: str
    phones: Pronunciation
    start: int
    end: int
    sign: str = ""
    prominence: float | None = None
    boundary: float | None = None
    item: int = 0


@dataclass(frozen=True)
class SpokenSentence:
    """A sentence.

    Attributes:
        words: At least one.
        kind: One of `linguistics.kinds.KINDS`.
        start, end: Its place in the text, in characters.
        ends_paragraph: Whether an empty line follows.
        tags: Of each written word, of the Penn Treebank; empty where nobody has looked.
        read: Its parse, distances and vectors; None where nobody has looked.
    """

    words: tuple[SpokenWord, ...]
    kind: str
    start: int
    end: int
    ends_paragraph: bool = False
    tags: tuple[str, ...] = ()
    read: Sentence | None = field(default=None, compare=False, repr=False)


def spoken_sentences(
    text: str, analysed: Sequence[Sentence] | None = None, lexicon: Lexicon | None = None
) -> list[SpokenSentence]:  # fmt: skip
    """The sentences of a text.

    Args:
        analysed: `linguistics.analysis.analyse` of the same text; None: by punctuation alone.
        lexicon: The user's pronunciations, words in small letters.

    Raises:
        TranscriptError: It holds no words, or one that can't be pronounced.

    >>> [(s.kind, [w.text for w in s.words]) for s in spoken_sentences("Dr. Lee left at 5. Why?")]
    [('statement', ['doctor', 'lee', 'left', 'at', 'five']), ('wh_question', ['why'])]
    """
    if analysed is None:
        groups = [(items, None) for items in sentences_of(text, split_plainly)]
    else:
        groups = [(list(sentence.items), sentence) for sentence in analysed]  # type: ignore[misc]
    found = []
    for items, sentence in groups:
        if any(item.is_word for item in items):
            said = _sentence(text, items, sentence, lexicon or {})
            found += [said] if said.words else []
    if not found:
        raise TranscriptError("holds no words", place="text", remedy="write what is to be said")
    return found


def split_plainly(chunk: str) -> list[str]:
    """A string without spaces to words and signs; the full stop of an abbreviation stays with it.

    >>> split_plainly("(Dr.)"), split_plainly("don't!")
    (['(', 'Dr.', ')'], ["don't", '!'])
    """
    parts = re.findall(r"\w[\w.,:'’]*\w\.?|\w\.?|\W", chunk)
    found: list[str] = []
    for part in parts:
        keeps = part.lower() in DOTTED or part.lower() in _TITLES or re.fullmatch(r"(?:[A-Za-z]\.){2,}|[A-Z]\.", part)
        found += [part] if keeps or not part.endswith(".") or len(part) == 1 else [part[:-1], "."]
    return found


def _sentence(text: str, items: list[Item], sentence: Sentence | None, lexicon: Lexicon) -> SpokenSentence:
    start, end = items[0].start, items[-1].end
    written = [item for item in items if item.is_word]
    after = _signs(items)
    values = breaks = None
    if sentence is not None:
        values, breaks = sentence.predicted.values, sentence.predicted.breaks
    words: list[SpokenWord] = []
    at = start
    stretch = text[start:end].translate(_STRAIGHT)
    for token, said in words_with_origin(text[start:end]):
        place = stretch.find(token, at - start)
        begin, stop = (place + start, place + start + len(token)) if place >= 0 else (at, at)
        at = stop
        owner = max((i for i, item in enumerate(written) if item.start < max(stop, begin + 1)), default=0)
        for number, word in enumerate(said):
            last = number == len(said) - 1
            words.append(SpokenWord(
                word, (), begin, stop, after[owner] if last else "",
                None if values is None else float(values[owner]),
                None if breaks is None else float(breaks[owner]) if last else 0.0, owner,
            ))  # fmt: skip
    words = _pronounced(words, lexicon)
    kind = sentence.kind if sentence is not None else plain_kind(words)
    tags = () if sentence is None else tuple(word.tag for word in sentence.words)
    following = _PARAGRAPH.search(text, end)
    ends = following is not None and not text[end : following.start()].strip()
    return SpokenSentence(tuple(words), kind, start, end, ends, tags, sentence)


def _signs(items: Sequence[Item]) -> list[str]:
    """What follows each written word, one of `SIGNS`; the last has at least a full stop."""
    after: list[str] = []
    for item in items:
        if item.is_word:
            after.append("")
        elif after:
            after[-1] += item.text
    found = [sign_kind(signs) for signs in after]
    if found and found[-1] not in ("?", "!"):
        found[-1] = "final"
    return found


def _pronounced(words: Sequence[SpokenWord], lexicon: Lexicon) -> list[SpokenWord]:
    """Words with their phones; "the" and "to" before a vowel sound as they do there."""
    found: list[SpokenWord] = []
    for word in reversed(words):
        given = lexicon.get(word.text)
        phones = tuple((given or pronounce(word.text))[0])
        before_vowel = bool(found) and not word.sign and is_vowel(found[-1].phones[0])
        if not given and word.text == "the":
            phones = ("DH", "IY0" if before_vowel else "AH0")
        found.append(replace(word, phones=phones))
    return found[::-1]


def plain_kind(words: Sequence[SpokenWord]) -> str:
    """The kind of a sentence by its last sign and its words alone."""
    said = [word.text for word in words]
    if words and words[-1].sign == "!":
        return "exclamation"
    if not words or words[-1].sign != "?":
        return "statement"
    if "or" in said[1:-1]:
        return "or_question"
    return "wh_question" if any(word in _WH for word in said[:2]) else "yes_no_question"
