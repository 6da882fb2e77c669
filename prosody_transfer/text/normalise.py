"""Written text to the words that are said: lower case, letters a-z and the apostrophe, nothing else."""

from __future__ import annotations

import re
import unicodedata

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text import numbers as num
from prosody_transfer.text.abbreviations import (
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    DOTTED,
    NUMBERED_THINGS,
    SPELLED,
    SYMBOLS,
    UNDOTTED,
    UNITS,
)
from prosody_transfer.text.lexicon import lookup

_CHARACTERS = {ord(a): b for a, b in zip("‘’‛ʼ`´′‐‑‒–−⁃", "'''''''------", strict=True)} | {
    ord("“"): '"', ord("”"): '"', ord("„"): '"', ord("―"): " — ", ord("—"): " — ", ord("…"): " ", ord("№"): " number ",
    ord("™"): "", ord("®"): "", ord("©"): "", ord("²"): " squared ", ord("³"): " cubed ", ord("\xad"): "",
    ord("\u200b"): "", ord("\ufeff"): "", ord("ß"): "ss", ord("æ"): "ae", ord("Æ"): "Ae", ord("œ"): "oe",
    ord("Œ"): "Oe", ord("ø"): "o", ord("Ø"): "O", ord("ł"): "l", ord("Ł"): "L", ord("đ"): "d", ord("ð"): "th",
    ord("þ"): "th", ord("ı"): "i", ord("½"): " 1/2 ", ord("¼"): " 1/4 ", ord("¾"): " 3/4 ",
    ord("⅓"): " 1/3 ", ord("⅔"): " 2/3 ",
}  # fmt: skip
_NUM, _CUR = f"(?:{num.NUMBER})", f"[{num.CURRENCIES}]"
_WORD_EDGE = "\"'()[]{}<>*_~«»¿¡.,;:!?|\\^"
_REMEDY = "write it as it is spoken, in the letters a-z"


def normalise(text: str) -> list[str]:
    """The words of a text as they are spoken, each of letters a-z and apostrophes only.

    Raises:
        TranscriptError: Nothing to say, or a word that cannot be pronounced (it is named).

    >>> normalise("Dr. Smith paid $3.50 in 1998 — the BBC's 21st “well-known” prize.")
    ... # doctest: +NORMALIZE_WHITESPACE
    ['doctor', 'smith', 'paid', 'three', 'dollars', 'and', 'fifty', 'cents', 'in', 'nineteen', 'ninety', 'eight',
     'the', 'b', 'b', "c's", 'twenty', 'first', 'well', 'known', 'prize']
    """
    return [word for _, spoken in words_with_origin(text) for word in spoken]


def words_with_origin(text: str) -> list[tuple[str, list[str]]]:
    """Each written word, without the punctuation around it, and the words it is spoken as.

    Raises:
        TranscriptError: As `normalise`.

    >>> words_with_origin("Pay $5, now!")
    [('Pay', ['pay']), ('$5', ['five', 'dollars']), ('now', ['now'])]
    """
    tokens = _tokens(text)
    shouted = sum(len(t) > 1 for t in tokens) > 1 and text.upper() == text and any(c.isalpha() for c in text)
    result: list[tuple[str, list[str]]] = []
    owed = ""  # "dollars", to be said after the "million" that follows "$3.5"
    for i, token in enumerate(tokens):
        before, after = tokens[i - 1] if i else "", tokens[i + 1] if i + 1 < len(tokens) else ""
        phrase, following = _speak(token, before, after, shouted)
        spoken = re.findall(r"[a-z']*[a-z][a-z']*", f"{phrase} {owed}")
        owed = following
        if spoken:
            result.append((token.strip(_WORD_EDGE) or token, spoken))
        elif any(c.isalnum() for c in token):
            raise TranscriptError(f"the word {token!r} cannot be pronounced", place="transcript", remedy=_REMEDY)
    if not result:
        raise TranscriptError("there are no words in it", place="transcript", remedy="write what is said")
    return result


def _tokens(text: str) -> list[str]:
    text = re.sub(r"([0-9])([½¼¾⅓⅔])", r"\1 \2", text)
    text = unicodedata.normalize("NFKD", text.translate(_CHARACTERS))
    text = "".join(c for c in text if not unicodedata.combining(c)).translate(_CHARACTERS).replace("⁄", "/")
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    text = re.sub(r"-{2,}|\.{2,}", " ", text)
    return text.split()


def _speak(token: str, before: str, after: str, shouted: bool) -> tuple[str, str]:
    """What one written token is read as, and what is owed after the next one."""
    core = token.strip(_WORD_EDGE)
    if token in SYMBOLS:
        return SYMBOLS[token], ""
    if not core:
        return "", ""
    next_core = after.strip(_WORD_EDGE)
    dotted = core + "." if token.rstrip("\"')]},;:!?").endswith(".") else core
    short = _abbreviation(dotted, core, before, next_core)
    if short:
        return short, ""
    bare = re.fullmatch(f"(-?)({_CUR})({_NUM})", core)
    if bare and next_core.lower() in num.MAGNITUDES:
        return f"{'minus ' * bool(bare[1])}{num.decimal(bare[3])}", num.currency_name(bare[2])
    if re.search("[0-9]", core):
        start = token[: token.find(core[0])]
        core = core if not start.endswith(".") else "." + core  # ".5" loses its point at the edge
        return _with_digits(core, before, next_core, apostrophe=start.endswith("'")), ""
    if core in UNITS and re.search("[0-9]$", before):
        return UNITS[core][before.strip("$") != "1"], ""
    numeral = num.roman(core) if len(core) > 1 else 0
    if numeral and not shouted:
        return _roman(numeral, before.strip(_WORD_EDGE)), ""
    return _letters(token, core, shouted), ""


def _abbreviation(dotted: str, core: str, before: str, following: str) -> str:
    lower = dotted.lower()
    if lower in BEFORE_NAMES:  # "St. Paul", "Main St."
        name, otherwise = BEFORE_NAMES[lower]
        follows_name = before[:1].isupper() and before[-1:] not in ".,;:!?" and not following[:1].isupper()
        return otherwise if follows_name or re.search("[0-9]$", before) else name
    if lower in BEFORE_NUMBERS and re.match("[0-9]", following):
        return BEFORE_NUMBERS[lower]
    if lower in DOTTED:
        return DOTTED[lower]
    return UNDOTTED.get(core, "")


def _roman(value: int, before: str) -> str:
    if before.lower().rstrip(".") in NUMBERED_THINGS or not before[:1].isupper():
        return num.cardinal(str(value))
    return f"the {num.ordinal(str(value))}"


def _with_digits(core: str, before: str, following: str, *, apostrophe: bool = False) -> str:
    """A token that holds digits."""
    lower = core.lower()
    return (
        _time_or_place(lower, following)
        or _of_money(lower)
        or _quantity(lower, core, before, apostrophe=apostrophe)
        or _range(core)
        or _pieces(core)
    )


def _time_or_place(lower: str, following: str) -> str:
    """Clock times, ordinals and decades; otherwise ""."""
    if m := re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?((?:a|p)\.?m)?", lower):
        follows = following.lower().replace(".", "") in ("am", "pm")
        return num.clock(m[1], m[2], (m[3] or "").replace(".", ""), half_follows=follows)
    if m := re.fullmatch(r"([0-9]{1,2})((?:a|p)\.?m)", lower):
        return f"{num.cardinal(m[1])} {' '.join(m[2].replace('.', ''))}"
    if m := re.fullmatch(r"([0-9][0-9,]*)(?:st|nd|rd|th)('s)?", lower):
        return num.ordinal(m[1].strip(",") or "0") + (m[2] or "")
    if m := re.fullmatch(r"([0-9]*[0-9]0)'?s", lower):
        return num.decade(m[1])
    return ""


def _of_money(lower: str) -> str:
    if m := re.fullmatch(f"([-+]?)({_CUR})({_NUM})(k|m|mn|b|bn)?", lower):
        return _sign(m[1]) + num.money(m[2], m[3], m[4] or "")
    if m := re.fullmatch(f"([-+]?)({_NUM})({_CUR})", lower):
        return _sign(m[1]) + num.money(m[3], m[2])
    return ""


def _quantity(lower: str, core: str, before: str, *, apostrophe: bool) -> str:
    """Bare numbers, fractions, numbers with a unit; otherwise ""."""
    if apostrophe and re.fullmatch("[0-9]{2}", core):  # '98
        return num.decimal(core) if core[0] != "0" else f"oh {num.cardinal(core[1])}"
    if m := re.fullmatch(r"([0-9]{1,3})/([1-9][0-9]{0,2})", core):
        spoken = num.fraction(m[1], m[2]) if core != "24/7" else "twenty four seven"
        return f"and {spoken}".replace("and one half", "and a half") if before.isdigit() else spoken
    if m := re.fullmatch(f"([-+]?)({_NUM})", core):
        return _sign(m[1]) + (num.plain(m[2]) if not m[1] else num.decimal(m[2]))
    if (m := re.fullmatch(f"([-+]?)({_NUM})(.*)", lower)) and (m[3] in UNITS or m[3] == "%"):
        unit = "percent" if m[3] == "%" else UNITS[m[3]][m[2] != "1"]
        return f"{_sign(m[1])}{num.decimal(m[2])} {unit}"
    return ""


def _range(core: str) -> str:
    """Two numbers with a dash between them, and what may follow; otherwise ""."""
    m = re.fullmatch(f"({_CUR}?{_NUM})-({_CUR}?{_NUM})([^-0-9].*)?", core)
    if not m or re.fullmatch(r"[0-9]{3}-[0-9]{4}", core):  # the second is a telephone number
        return ""
    first, second, rest = m[1], m[2], m[3] or ""
    if second[0] in num.CURRENCIES and first[0] not in num.CURRENCIES:
        first = second[0] + first
    elif first[0] in num.CURRENCIES and second[0] not in num.CURRENCIES:
        second, first = first[0] + second, first[1:]
    return f"{_with_digits(first, '', '')} to {_with_digits(second + rest, '', '')}"


def _sign(sign: str) -> str:
    return {"-": "minus ", "+": "plus "}.get(sign, "")


def _pieces(core: str) -> str:
    """Letters and digits mixed ("MP3", "20-year-old", "555-1234"): each run by itself."""
    telephone = re.fullmatch(r"[0-9+-]+", core) is not None
    spoken = []
    for piece in re.findall(rf"{_CUR}?(?:{num.NUMBER})|[A-Za-z']+|[{re.escape(''.join(SYMBOLS))}]", core):
        if re.search("[0-9]", piece):
            if piece[0] in num.CURRENCIES:
                spoken.append(num.money(piece[0], piece[1:]))
            else:
                spoken.append(num.spell_digits(piece) if telephone and piece.isdigit() else num.plain(piece))
        elif piece in SYMBOLS:
            spoken.append("" if piece == "-" else "number" if piece == "#" else SYMBOLS[piece])
        elif piece.isupper() and len(piece) <= 3 or len(piece) == 1:
            spoken.append(" ".join(piece.lower()))
        else:
            spoken.append(piece.lower())
    return " ".join(spoken)


def _letters(token: str, core: str, shouted: bool) -> str:
    """A token of letters and symbols, without digits."""
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?(?:'s)?", core):  # U.S.A
        return " ".join(re.findall("[a-z](?:'s)?", core.lower().replace(".", "")))
    if re.fullmatch(r"[A-Z]{1,3}&[A-Z]{1,3}", core):  # AT&T
        return " ".join("and" if c == "&" else c for c in core.lower())
    if "@" in core or re.search(r"[a-z]\.(?:com|org|net|edu|gov|io|uk)\b", core.lower()):
        core = core.replace(".", " dot ").replace("@", " at ")
    for symbol in "&+=%#°×÷@":
        if symbol in core:
            core = core.replace(symbol, f" {'hashtag' if symbol == '#' else SYMBOLS[symbol]} ")
    parts = re.findall(r"[A-Za-z']*[A-Za-z][A-Za-z']*", core)
    if len(parts) == 1:
        parts = [_keep_apostrophe(token, parts[0])]
    return " ".join(_word(part.replace("''", "'"), shouted) for part in parts)


def _keep_apostrophe(token: str, word: str) -> str:
    """The apostrophe of "'em" and "goin'" is part of the word; a quotation mark is not."""
    if token.startswith("'") and not token.rstrip(".,;:!?").endswith("'") and lookup("'" + word):
        return "'" + word
    ends = token.rstrip('.,;:!?")').endswith(word + "'")
    return word + "'" if ends and word.lower().endswith("in") and not token.startswith("'") else word


def _word(word: str, shouted: bool) -> str:
    """One word: capitals that are no word are spelled letter by letter."""
    stem, ending = (word[:-2], "'s") if word[-2:] in ("'s", "'S") else (word, "")
    if len(stem) < 2 or not stem.isupper() or "'" in stem:
        return word.lower()
    known = lookup(stem)
    voiceless = not re.search("[AEIOUY]", stem)
    spelled = [tuple(p for c in stem for p in _letter_name(c))]
    if shouted:
        letters = voiceless and not known
    else:
        letters = stem in SPELLED or voiceless or (len(stem) <= 4 and not known)
        letters = letters or any(_bare(k) == _bare(s) for k in known for s in spelled)
    return (" ".join(stem) if letters else stem).lower() + ending


def _letter_name(letter: str) -> tuple[str, ...]:
    return lookup(letter)[-1] if letter in "Aa" else lookup(letter)[0]


def _bare(phones: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(p.rstrip("012") for p in phones)
