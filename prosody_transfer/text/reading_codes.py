"""Readings of telephone numbers, ranges, sums, and of letters and digits mixed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from prosody_transfer.text import numbers as num
from prosody_transfer.text.abbreviations import SYMBOLS
from prosody_transfer.text.reading_letters import letters_or_word
from prosody_transfer.text.reading_numbers import bare
from prosody_transfer.text.rules import Context, Rule, combine, distinct, products, rule
from prosody_transfer.text.units import unit_names

_TOLL_FREE = {d: f"{num.cardinal(d[0])} hundred" for d in ("800", "900", "500", "700")}


def _telephone(m: re.Match[str], context: Context) -> Sequence[str]:
    """Groups of digits, perhaps with letters and an extension; digit by digit."""
    said: list[list[str]] = []
    groups = re.findall(r"[0-9]+|[A-Za-z]+", m["tel"])
    lead = ["plus"] if m[0].lstrip("(").startswith("+") else []
    for group in groups:
        if group.isalpha():
            said.append([group.lower() if len(group) > 1 else group.lower()])
        elif group in _TOLL_FREE and group is not groups[-1]:
            said.append([_TOLL_FREE[group], num.spell_digits(group)])
        else:
            said.append(_group(group))
    zeros = any("0" in g for g in groups)
    readings = [" ".join([*lead, *picked]) for picked in products(said, 12)]
    same = [r for r in readings if not (" oh" in r and "zero" in r)] if zeros else readings
    if m["ext"]:
        same = combine(same[:4], [f"{w} {num.spell_digits(m['ext'])}" for w in ("extension", "x")])
    if lead:
        same = distinct(chain.from_iterable((r, r.removeprefix("plus ")) for r in same))
    return distinct([*same, *_paired(groups, lead)], 6)


def _group(group: str) -> list[str]:
    return num.digit_strings(group)


def _paired(groups: list[str], lead: list[str]) -> list[str]:
    """The last four digits in pairs."""
    if not groups or not groups[-1].isdecimal() or len(groups[-1]) != 4 or not num.pairs(groups[-1]):
        return []
    heads = [_TOLL_FREE.get(g, num.spell_digits(g)) if g.isdecimal() else g.lower() for g in groups[:-1]]
    return [" ".join([*lead, *heads, num.pairs(groups[-1])])]


def _dotted(m: re.Match[str], context: Context) -> Sequence[str]:
    """Network addresses and versions: "192.168.0.1", "1.2.3"."""
    parts = m[0].split(".")
    long = [[num.spell_digits(p), num.whole(p)] if len(p) > 1 else [num.whole(p)] for p in parts]
    digits, whole = ([p[i % len(p)] for p in long] for i in (0, 1))
    words = [" ".join(whole)] if len(parts) == 3 else []
    network = len(parts) == 4
    orders = [digits, whole] if network else [whole, digits]
    dots = ["dot", "point"] if network else ["point", "dot"]
    paired = [num.pairs(p) or num.whole(p) for p in parts]
    return distinct([*(f" {d} ".join(o) for d in dots for o in orders), f" {dots[0]} ".join(paired), *words], 6)


def _range(m: re.Match[str], context: Context) -> Sequence[str]:
    """Two things with a dash between them; the unit or currency of one goes for both."""
    from prosody_transfer.text.readings import say_token

    first, second, glued = m["a"], m["b"], " " not in m[0]
    signs = re.escape("".join("$£€¥₩₹"))
    money = re.match(f"[{signs}]", first) or re.match(f"[{signs}]", second)
    unit = re.search(r"[A-Za-z%°].*$", second)
    ended = re.search(r"[A-Za-z%°]", first)
    if (
        re.fullmatch(r"0+[0-9]*", second)
        and not re.fullmatch("0+[0-9]*", first)
        and first.isdecimal()
        and len(second) > 1
    ):
        return []  # "978-00": a number in groups
    if money and not ended:
        second = second if second[0] in "$£€¥₩₹" else money[0] + second
        first = first.lstrip("$£€¥₩₹")
        short = m["b"][0] not in "$£€¥₩₹" or m["a"][0] not in "$£€¥₩₹"
    else:
        short = True
    whole = unit is None and re.fullmatch(r"[0-9.,]+", first) is not None
    after = Context("", context.after)
    left = say_token(first if short else m["a"], Context())
    right = say_token(second, after)
    if unit and not ended and first.isdecimal():  # counted, not a year
        left = distinct([num.cardinal(first), *left])
    left, right = _counted(first, left)[:4], right[:4] if len(second) > 3 else _counted(second, right)[:4]
    if not left or not right:
        return []
    words = ["to", ""] if whole or not unit else ["to", "", "through"][:2]
    said = [f"{x} {words[0]} {y}" for x, y in products([left, right], 4)]
    silent = [f"{left[0]} {right[0]}"]
    minus = [f"{left[0]} minus {right[0]}"] if whole and glued else []
    extra = []
    if whole and first.isdecimal() and second.isdecimal() and num.is_year(first) and len(second) == 2:
        said.insert(0, f"{num.years(first)[0]} to {num.cardinal(second)}")
    if money and not short:
        plain = say_token(m["a"].lstrip("$£€¥₩₹"), Context())
        extra = [f"{plain[0]} to {right[0]}"] if plain else []
    if ended and not money and unit and m["a"][ended.start() :] == second[unit.start() :]:
        stem = say_token(m["a"][: ended.start()], Context())
        extra = [f"{stem[0]} to {right[0]}", f"{stem[0]} {right[0]}"] if stem else []
    if whole and glued and num.is_year(first) and num.is_year(second):
        return _years_between(first, second)
    digits = []
    if whole and first.isdecimal() and second.isdecimal() and (len(first) > 4 or len(second) > 4 or not glued):
        digits = [f"{left[0]} {right[0]}", *(f"{x} {y}" for x, y in products([left[:2], right[:3]], 6))]
        return distinct([*digits[:4], *said[:3], *minus])
    return distinct([*said[:3], *extra, *silent, *minus, *said[3:]], 7)


def _years_between(first: str, second: str) -> list[str]:
    """Both years said in the same way, with or without a word between them.

    >>> _years_between("1970", "2010")[:2]
    ['nineteen seventy to twenty ten', 'nineteen seventy twenty ten']
    """
    left, right = num.years(first), num.years(second)
    long = [num.cardinal(y) for y in (first, second)]
    pairs = [(left[0], right[0]), (long[0], long[1]), (num.with_and(long[0]), right[0])]
    said = [f"{x} {word} {y}" for x, y in pairs for word in ("to", "")]
    return distinct([*said[:2], *(f"{left[0]} to {y}" for y in right[1:2]), *said[2:], f"{left[0]} through {right[0]}"])


def _range_with_unit(m: re.Match[str], context: Context) -> Sequence[str]:
    from prosody_transfer.text.reading_measures import quantities

    names = unit_names(m["unit"], one=False)
    if not names or m["unit"] in ("in", "a", "at", "au", "bar", "do", "no", "us", "d", "A", "t", "p", "ha"):
        return []
    left, right = quantities(m["a"])[:2], quantities(m["b"])[:2]
    return distinct([*combine(left, ["to"], right, names[:2], most=4), f"{left[0]} {right[0]} {names[0]}"])


def _counted(written: str, readings: list[str]) -> list[str]:
    """Without those digit by digit, where there are others."""
    strings = num.digit_strings(written) if re.fullmatch("[0-9]{2,4}", written) else []
    return [r for r in readings if r not in strings] or readings


def _math(m: re.Match[str], context: Context) -> Sequence[str]:
    """What holds an equals sign or another operator that is not a dash."""
    text = m[0]
    equation = "=" in text
    parts: list[list[str]] = []
    for piece in re.findall(rf"(?:{num.NUMBER})|[A-Za-z]+|[^\sA-Za-z0-9]", text):
        if re.match("[0-9]|[.].", piece):
            parts.append(_counted(piece, bare(piece))[:2])
        elif piece.isalpha():
            parts.append([piece.lower()])
        else:
            parts.append(_OPERATORS.get(piece, [SYMBOLS.get(piece, "")]))
    if not equation and not any(c in text for c in "+*×÷^<>≤≥±≈≠√·"):
        return []
    return combine(*parts, most=5)


_OPERATORS = {
    "-": ["minus"], "*": ["times", "asterisk", "star"], "×": ["times", "by"], "·": ["times", "dot"],
    "÷": ["divided by"],
    "/": ["over", "divided by", "slash"], "=": ["equals", "is"], "+": ["plus", "and"], "^": ["to the power of",
    "to the"],
    "<": ["less than"], ">": ["greater than"], "≤": ["less than or equal to"], "≥": ["greater than or equal to"],
    "±": ["plus or minus"], "≈": ["approximately"], "≠": ["not equal to"], "(": [""], ")": [""], "²": ["squared"],
    "³": ["cubed"], "√": ["square root of"], "%": ["percent"], ",": [""], ".": ["point"],
}  # fmt: skip


def _digits_within(m: re.Match[str], context: Context) -> Sequence[str]:
    """Letters, digits and signs: "MP3", "t-0t25d12-f", "19th-century", "20-year-old", "737s"."""
    return pieces(m[0], context) if re.search("[0-9]", m[0]) else []


def pieces(text: str, context: Context = Context()) -> list[str]:
    """Each run of letters and each of digits by itself; signs between them are silent or named.

    >>> pieces("MP3"), pieces("A380")[:2]
    (['m p three'], ['a three eighty', 'a three hundred eighty'])
    """
    parts: list[list[str]] = []
    found = re.findall(
        r"[0-9]+(?:st|nd|rd|th)\b|(?:[0-9]{4}|[1-9][0-9]+)'?s\b|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+\.[0-9]+|[0-9]+|[A-Za-z][A-Za-z']*|.",
        text,
    )
    for i, piece in enumerate(found):
        before, after = found[i - 1] if i else "", found[i + 1] if i + 1 < len(found) else ""
        if re.fullmatch("[0-9]+(?:st|nd|rd|th)", piece):
            parts.append([num.ordinal(piece[:-2].lstrip("0") or "0")])
        elif re.fullmatch("[0-9]+'?s", piece):
            digits = piece.rstrip("'s")
            heads = [*(num.years(digits) if len(digits) == 4 else []), num.pairs(digits), num.cardinal(digits)]
            lettered = (
                [f"{h} s" for h in distinct([*heads, num.spell_digits(digits)], 3)] if before[-1:].isalpha() else []
            )
            parts.append([*(num.plural(h) for h in distinct(heads, 2)), *lettered])
        elif "0" <= piece[0] <= "9":
            glued = before[-1:].isalpha() or after[:1].isalpha()
            parts.append(_digits(piece, glued=glued))
        elif piece[0].isalpha():
            parts.append(letters_or_word(piece, in_code=True))
        elif piece in "-_/" or piece == "'":
            parts.append([""])
        elif piece == ".":
            parts.append(["dot", "point"] if before and after else [""])
        else:
            parts.append([SYMBOLS.get(piece, "")])
    return combine(*parts, most=6) if parts else []


def _digits(digits: str, *, glued: bool) -> list[str]:
    if not digits.isdecimal():
        return bare(digits)[:2]
    strings = num.digit_strings(digits)
    if len(digits) == 1:
        return ["zero", "oh"] if digits == "0" else strings
    if digits[0] == "0" or len(digits) > 4:
        return strings
    if len(digits) == 2:
        return [num.cardinal(digits), *strings[:1]] if glued else [num.cardinal(digits)]
    whole = num.cardinal(digits)
    paired = num.pairs(digits)
    if len(digits) == 4:
        years = [paired] if num.is_year(digits) else []
        return distinct([*years, *strings[:1], paired, whole])
    return distinct(
        [paired, whole, num.with_and(whole), *strings] if glued else [whole, num.with_and(whole), paired, *strings]
    )


_GREAT = "hundred|thousand|million|billion|trillion"
_THING = rf"[$£€¥₩₹]?(?:{num.NUMBER})"
_THING += (
    rf"(?: (?:{_GREAT})| ?(?:[ap]\.?m\.?)|'?s|(?:st|nd|rd|th)|[A-Za-zμ°%]{{1,4}}[²³]?|:[0-9]{{2}}(?: ?[ap]\.?m\.?)?)?"
)
RULES: tuple[Rule, ...] = (
    rule(
        "telephone",
        r"(?P<tel>\+[0-9]{1,3}[-. ]?\(?[0-9]{1,4}\)?(?:[-. ]?[0-9]{2,4}){1,4}"
        r"|(?:1[-. ])?\(?[0-9]{3}\)?[-. ]?[0-9]{3}[-. ][0-9]{4}(?:-[0-9]{1,4})?"
        r"|[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3}-[0-9]{4}|1?-?[89]00-[A-Z0-9-]+"
        r"|0[0-9]{2,4}[- ][0-9]{3,4}[- ]?[0-9]{3,4})"
        r"(?:,? ?(?:x|ext\.?|extension) ?(?P<ext>[0-9]{1,6}))?",
        _telephone,
    ),
    rule("dotted", r"[0-9]{1,3}(?:\.[0-9]{1,3}){2,4}", _dotted),
    rule(
        "range with unit",
        rf"(?P<a>{num.NUMBER})(?: ?- ?)(?P<b>{num.NUMBER}) "
        r"(?P<unit>sq\.? ?[a-z]+|[A-Za-zμ°%]+[²³]?(?:/[A-Za-z]+[²³]?)?)",
        _range_with_unit,
    ),
    rule("range", rf"(?P<a>{_THING})(?: ?- ?)(?P<b>{_THING})", _range),
    rule("sum", r"[A-Za-z0-9.]+(?: ?[-+*×÷^=<>≤≥±≈≠·/²³] ?[A-Za-z0-9.]+)+[²³]?", _math),
    rule("mixed", r"[^\s(\[{\"'<*~][^\s]*|[0-9][^\s]*", _digits_within),
)  # fmt: skip
