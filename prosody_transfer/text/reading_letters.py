"""Readings of tokens without digits: abbreviations, initialisms, Roman numerals, symbols, words."""

from __future__ import annotations

import re
from functools import lru_cache

from prosody_transfer.text import numbers as num
from prosody_transfer.text.abbreviations import (
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    COMPASS,
    DOTTED,
    NUMBERED_THINGS,
    ORDINARY,
    SPELLED,
    STATES,
    STREETS,
    SYMBOLS,
    UNDOTTED,
)
from prosody_transfer.text.lexicon import lookup
from prosody_transfer.text.rules import distinct
from prosody_transfer.text.tokens import EDGE

_LONE = {"$": ["dollar", "dollars"], "#": ["number", "hash", "pound"], "-": [], "—": [], "+": ["plus"],
         "&": ["and", "ampersand"],
         "*": [], "~": [], "_": [], "|": [], "^": [], "\\": [], "<": [], ">": [], "/": ["slash", ""]}  # fmt: skip
_SHORT_DAYS = {"mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday", "fri": "friday",
               "sat": "saturday", "sun": "sunday", "tu": "tuesday", "tues": "tuesday", "thurs": "thursday",
               "th": "thursday"}  # fmt: skip


def symbol(token: str) -> list[str]:
    """A token that is a sign by itself; "" for one that is not said."""
    if token in _LONE:
        return _LONE[token] or [""]
    return [SYMBOLS[token]] if token in SYMBOLS else []


def letters(token: str, core: str, before: str, after: str, *, shouted: bool) -> list[str]:
    """A token without digits.

    Args:
        token, core: As written, and without the punctuation around it.
        before, after: The tokens beside it, as written.
        shouted: All the text is in capitals.
    """
    dotted = core + "." if token.rstrip("\"')]},;:!?").endswith(".") else core
    closed = token[-1:] in "?!;:" or token[-1:] == "," and core.lower() not in _SHORT_DAYS
    short = _abbreviation(dotted, core, before, "" if closed else after)
    if short:
        return short
    numeral = num.roman(core) if len(core) > 1 and core != "MIX" else 0
    if numeral and (not shouted or before.lower().strip(EDGE) in NUMBERED_THINGS):
        read = _roman(core, numeral, before.strip(EDGE), after.strip(EDGE))
        if read:
            return read
    alone = _ends(token, after) or after.strip(EDGE) in ("", "of")
    if core == "I" and re.fullmatch("[A-Z][a-z]{2,}", before) and not shouted and alone:
        return ["i", "the first", "first", "one"]
    return _plain(token, core, shouted)


def _ends(token: str, after: str) -> bool:
    return not after or after[0] in "—-" or token[-1:] in ".,;:!?)"


def _abbreviation(dotted: str, core: str, before: str, following: str) -> list[str]:
    lower, after = dotted.lower(), following.strip(EDGE)
    if lower in BEFORE_NAMES:  # "St. Paul", "Main St."
        name, otherwise = BEFORE_NAMES[lower]
        named = before[:1].isupper() or re.search("[0-9](?:st|nd|rd|th)?$", before)
        follows = named and before[-1:] not in ".,;:!?" and before not in ("The", "In", "At", "On", "To", "And")
        street = (
            follows and (not after[:1].isupper() or _is_start(following)) or re.search("[0-9](?:st|nd|rd|th)?$", before)
        )
        if not follows or not after[:1].isupper():
            return [otherwise] if street else [name]
        return distinct([otherwise, name] if street else [name, otherwise])
    bare = lower.rstrip(".")
    numbered = re.search("[0-9](?:st|nd|rd|th)$", before)
    if bare in STREETS and (before[:1].isupper() or numbered) and core[:1].isupper() and before[-1:] not in ".!?":
        return distinct([STREETS[bare], *([core.lower()] if lookup(core) and not dotted.endswith(".") else [])])
    if bare in ("mon", "tue", "tues", "thu", "thurs", "fri") and core[:1].isupper():
        return [_SHORT_DAYS[bare], core.lower()]
    if bare in _SHORT_DAYS and core[:1].isupper() and re.match("[0-9(]", following):
        return [_SHORT_DAYS[bare], core.lower()]
    if lower in BEFORE_NUMBERS and re.match("[0-9#(]", following):
        known = BEFORE_NUMBERS[lower]
        return (
            [known]
            if dotted.endswith(".") or not lookup(core)
            else [known, core.lower()]
            if core[:1].isupper()
            else [core.lower(), known]
        )
    if lower in DOTTED:
        return [DOTTED[lower]]
    if core in STATES and (before.endswith(",") or re.fullmatch(r"[0-9]{5}(?:-[0-9]{4})?[.,]?", following)):
        return distinct([STATES[core], " ".join(core.lower())])
    if core in COMPASS and before.strip(EDGE).isdecimal() and after[:1].isalnum():
        return distinct([COMPASS[core], " ".join(core.lower())])
    return [UNDOTTED[core]] if core in UNDOTTED else []


def _is_start(following: str) -> bool:
    """Whether a word in capitals is rather the start of a sentence than a name."""
    return following in (
        "It",
        "The",
        "He",
        "She",
        "They",
        "We",
        "There",
        "This",
        "That",
        "In",
        "At",
        "On",
        "I",
        "A",
        "And",
        "But",
    )


def _roman(core: str, value: int, before: str, after: str) -> list[str]:
    cardinal, ordinal = num.cardinal(str(value)), num.ordinal(str(value))
    years = [num.years(str(value))[0]] if num.is_year(str(value)) else []
    spelled = " ".join(core.lower())
    if before.lower().rstrip(".") in NUMBERED_THINGS:
        return distinct([*years, cardinal, f"the {ordinal}", spelled])
    name = before[:1].isupper() and before.isalpha() and not before.isupper()
    if years:
        return distinct([*years, cardinal, spelled])
    if value > 39 or any(c in core for c in "LCDM") or not name or before in ("The", "In", "An", "A"):
        if before.lower() in ("the", "this") and len(core) > 2 and not lookup(core):
            return [ordinal, cardinal, spelled]
        said = [spelled] + ([core.lower()] if lookup(core) else [])
        return distinct([*said, cardinal, ordinal] if before.lower() in ("the", "an", "a", "in", "") or value > 39
                        else [cardinal, spelled, f"the {ordinal}"])  # fmt: skip
    return distinct([f"the {ordinal}", ordinal, cardinal, spelled])


def _plain(token: str, core: str, shouted: bool) -> list[str]:
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?(?:'s)?", core):  # U.S.A
        return [" ".join(re.findall("[a-z](?:'s)?", core.lower().replace(".", "")))]
    if re.fullmatch(r"[A-Z]{1,3}&[A-Z]{1,3}", core):  # AT&T
        return [" ".join("and" if c == "&" else c for c in core.lower())]
    if core == "C#" or token.startswith("C#"):
        return ["c sharp", "c hash"]
    text = core
    slash = "/" in core
    for sign in "&+=%#°×÷@$£€¥₩₹*±≤≥≈≠∞√→~^_<>²³μπαβγδθλσφωΩΔΣ":
        if sign in text:
            name = "hashtag" if sign == "#" else "dollar" if sign == "$" else "" if sign in "*~_<>" else SYMBOLS[sign]
            text = text.replace(sign, f" {name} ")
    parts = re.findall(r"[A-Za-z']*[A-Za-z][A-Za-z']*", text)
    if len(parts) == 1 and parts[0] == core.strip("'") or len(parts) == 1 and not re.search("[^A-Za-z']", core):
        return letters_or_word(_keep_apostrophe(token, parts[0]), shouted=shouted)
    said = " ".join(letters_or_word(p.replace("''", "'"), shouted=shouted)[0] for p in parts)
    with_slash = " ".join(
        letters_or_word(p.replace("''", "'"), shouted=shouted)[0] if p != "/" else "slash"
        for p in re.findall(r"[A-Za-z']*[A-Za-z][A-Za-z']*|/", text)
    )
    return distinct([said, with_slash] if slash else [said])


def _keep_apostrophe(token: str, word: str) -> str:
    """The apostrophe of "'em" and "goin'" is part of the word; a quotation mark is not."""
    if token.startswith("'") and not token.rstrip(".,;:!?").endswith("'") and lookup("'" + word):
        return "'" + word
    ends = token.rstrip('.,;:!?")').endswith(word + "'")
    return word + "'" if ends and word.lower().endswith("in") and not token.startswith("'") else word


@lru_cache(maxsize=2048)
def letters_or_word(word: str, *, shouted: bool = False, in_code: bool = False) -> list[str]:
    """One word: capitals that are no word are spelled letter by letter.

    Args:
        in_code: It stands among digits ("MP3"), where up to three letters are letters.
    """
    if word.upper() == "IT'S":
        return ["it's"]
    for suffix in ("'s", "'S", "s"):
        if word.endswith(suffix) and word[: -len(suffix)].isupper() and len(word) > len(suffix) + 1:
            stem, ending = word[: -len(suffix)], "'s"
            break
    else:
        stem, ending = word, ""
    if in_code and word.isalpha() and (word.isupper() and len(word) <= 3 or len(word) == 1):
        return [" ".join(word.lower())]
    if len(stem) < 2 or not stem.isupper() or "'" in stem:
        return [word.lower()]
    known = lookup(stem)
    voiceless = not re.search("[AEIOUY]", stem)
    said, spelled = stem.lower() + ending, " ".join(stem.lower()) + ending
    if shouted and not (stem in SPELLED or voiceless):
        return [said]
    if shouted and known and (len(stem) > 2 or stem in ORDINARY):
        return [said, spelled]
    names = [tuple(p for c in stem for p in _letter_name(c))] if stem.isascii() else []
    as_letters = any(_bare(k) == _bare(s) for k in known for s in names)
    if stem in SPELLED or voiceless or as_letters or len(stem) <= 4 and not known:
        sayable = len(stem) <= 5 and len(stem) > 2 and not voiceless and not as_letters
        return [spelled, said] if sayable else [spelled]
    return [said, spelled] if len(stem) <= 4 else [said]


def _letter_name(letter: str) -> tuple[str, ...]:
    found = lookup(letter)
    return (found[-1] if letter in "Aa" else found[0]) if found else ()


def _bare(phones: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(p.rstrip("012") for p in phones)
