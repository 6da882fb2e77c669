"""The readings that a speaker could mean by a written text: rules for kinds of tokens, tried in order.

Which of them was said, the recording decides (`alignment.spoken`); without one it is the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text import (
    reading_codes,
    reading_dates,
    reading_electronic,
    reading_measures,
    reading_money,
    reading_numbers,
)
from prosody_transfer.text.reading_letters import letters, letters_or_word, symbol
from prosody_transfer.text.rules import MOST, Context, Rule, distinct, products
from prosody_transfer.text.tokens import EDGE, clean

Pair = tuple[str, tuple[str, ...]]  # what is written, and the words that it is spoken as
_REMEDY = "write it as it is spoken, in the letters a-z"


def _ordered() -> tuple[Rule, ...]:
    named = {r.name: r for room in (reading_electronic, reading_dates, reading_money, reading_measures, reading_codes,
                                    reading_numbers) for r in room.RULES}  # fmt: skip
    return tuple(named[name] for name in ORDER)


# The first that matches and has something to say wins, so what is more specific stands first.
ORDER = (
    "web address", "mail address", "month day", "day month", "month year", "date in figures", "telephone", "dotted",
    "range with unit", "range",
    "military time", "hour", "clock", "ratio", "spaced thousands", "part of a measure", "mixed number", "money",
    "money after", "degrees",
    "feet and inches", "inches", "by", "decade", "times", "great number", "measure", "number", "ordinal", "slashed",
    "and more", "per", "sum", "host", "www", "path", "file", "handle", "tag", "mixed",
)  # fmt: skip
RULES = _ordered()


@dataclass(frozen=True)
class Token:
    """A stretch of written text and its readings.

    Attributes:
        written: Without the punctuation around it.
        readings: The likeliest first, 1 to 8; each as pairs of what is written and the words it is spoken as (several
            where the stretch is of several written words that keep their order).
    """

    written: str
    readings: tuple[tuple[Pair, ...], ...]


def readings(text: str) -> list[list[str]]:
    """The likeliest readings of a text, 1 to 8, each a list of words; the first is `normalise`'s.

    Raises:
        TranscriptError: As `text_tokens`.

    >>> [" ".join(words) for words in readings("In 2007")]  # doctest: +NORMALIZE_WHITESPACE
    ['in two thousand seven', 'in two thousand and seven', 'in twenty oh seven', 'in two zero zero seven',
     'in two oh oh seven']
    """
    choices = [[tuple(w for _, spoken in r for w in spoken) for r in token.readings] for token in text_tokens(text)]
    return [[word for part in picked for word in part] for picked in products(choices, MOST)]


def text_tokens(text: str) -> list[Token]:
    """A text as tokens with their readings.

    Raises:
        TranscriptError: Nothing to say, or a word that cannot be pronounced (it is named).
    """
    line = clean(text)
    places = [m.span() for m in re.finditer(r"\S+", line)]
    words = [line[a:b] for a, b in places]
    spelt = [t for t in words if len(t) > 1 and sum(c.isalpha() for c in t) > 1]
    shouted = len(spelt) > 1 and line.upper() == line and any(len(t) > 3 for t in spelt)
    found: list[Token] = []
    i = 0
    while i < len(words):
        before = words[i - 1] if i else ""
        token, used = _token(line, places, words, i, before, shouted)
        if token is not None:
            found.append(token)
        i += used
    if not found:
        raise TranscriptError("there are no words in it", place="transcript", remedy="write what is said")
    return found


def _token(
    line: str, places: list[tuple[int, int]], words: list[str], i: int, before: str, shouted: bool
) -> tuple[Token | None, int]:
    """The token that begins at the i-th word, and of how many words it is."""
    word = words[i]
    if word.isalpha() and word.isascii() and not _may_be_more(word, words[i + 1 : i + 2]):
        core = word
    else:
        core = word.strip(EDGE)
        matched = _by_rule(line, places, i, before, shouted)
        if matched is not None:
            return matched
    after = words[i + 1] if i + 1 < len(words) else ""
    if not core or word in ("/", "-", "—"):
        among = word in "<>*" and any(c.isdecimal() for c in before) and i + 1 < len(words)
        said = [_BETWEEN[word]] if among and word else symbol(word) if word not in EDGE else []
    elif word in ("#", "&", "+", "=", "%", "@", "$") or not any(c.isalpha() for c in core) and symbol(core):
        said = symbol(core)
    else:
        said = letters(word, core, before, after, shouted=shouted)
    if word == "/" and not (before and after):
        said = []
    choices = [(((core or word), tuple(spoken)),) for r in said if (spoken := _spoken(r))]
    if choices:
        return Token(core or word, tuple(dict.fromkeys(choices[:MOST]))), 1
    if any(c.isalnum() for c in word):
        raise TranscriptError(f"the word {word!r} cannot be pronounced", place="transcript", remedy=_REMEDY)
    return None, 1


_BETWEEN = {"<": "less than", ">": "greater than", "*": "times"}
_MONTH_START = re.compile(r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_CURRENCY_START = frozenset(["USD", "GBP", "EUR", "JPY", "AUD", "CAD", "CHF", "INR", "CNY", "RMB", "HKD"])


def _may_be_more(word: str, following: list[str]) -> bool:
    """Whether a word of letters may begin a stretch that holds digits."""
    if not following or not any(c.isdecimal() for c in following[0]) and following[0] not in ("=", "+"):
        return False
    return _MONTH_START.match(word) is not None or word.upper() in _CURRENCY_START or following[0] in ("=", "+")


def _by_rule(line: str, places: list[tuple[int, int]], i: int, before: str, shouted: bool) -> tuple[Token, int] | None:
    start, end = places[i]
    core_start = start + len(line[start:end]) - len(line[start:end].lstrip("\"'([{<*_~«»¿¡.,;:!?|\\^"))
    starts = [p for p in range(start, core_start + 1) if p in (core_start, start) or line[p] in "('.~*"]
    for begin in dict.fromkeys(starts):
        for r in RULES:
            m = r.pattern.match(line, begin)
            if m is None or m.end() <= core_start and m.end() < end:
                continue
            used = line.count(" ", start, m.end()) + 1
            after = line[places[i + used][0] : places[i + used][1]] if i + used < len(places) else ""
            quoted = line.count('"', 0, begin) % 2 == 1
            context = Context(
                before.strip(EDGE),
                after.strip(EDGE),
                line[max(0, begin - 40) : begin],
                line[m.end() : m.end() + 60],
                shouted,
                quoted,
            )
            said = r.say(m, context)
            token = _of_several(line[begin : m.end()], said)
            if token is not None:
                return token, used
    return None


def _of_several(written: str, said: Sequence[str]) -> Token | None:
    """A token of the readings of one stretch, "|" between what belongs to its written words."""
    parts = [w.strip(EDGE) or w for w in written.split(" ")]
    whole = " ".join(parts)
    choices: list[tuple[Pair, ...]] = []
    seen = set()
    for reading in said:
        split = [_spoken(p) for p in reading.split("|")]
        flat = tuple(w for p in split for w in p)
        if not flat or flat in seen:
            continue
        seen.add(flat)
        if len(split) == len(parts) and all(split):
            choices.append(tuple((w, tuple(p)) for w, p in zip(parts, split, strict=True)))
        else:
            choices.append(((whole, flat),))
    return Token(whole, tuple(choices[:MOST])) if choices else None


def _spoken(phrase: str) -> list[str]:
    return re.findall(r"[a-z']*[a-z][a-z']*", phrase)


def say_token(written: str, context: Context) -> list[str]:
    """The readings of one token that stands in another ("5pm" of "5pm-7pm"); none where no rule knows it."""
    for r in RULES:
        if r.name in ("range", "sum", "mixed"):
            continue
        m = r.pattern.fullmatch(written)
        if m is not None and (said := r.say(m, context)):
            return distinct(s.replace("|", " ") for s in said)
    return reading_codes.pieces(written, context) if any(c.isdecimal() for c in written) else letters_or_word(written)
