"""Numbers as they are said: cardinals, ordinals, years, digit strings, decimals, clock times; in lower-case words."""

from __future__ import annotations

import re
from functools import lru_cache

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_GROUPS = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
LONGEST = 15  # digits; longer ones are read digit by digit


def spell_digits(digits: str) -> str:
    """One word a digit.

    >>> spell_digits("007")
    'zero zero seven'
    """
    return " ".join(_SMALL[int(d)] for d in digits)


def digit_strings(digits: str) -> list[str]:
    """
    >>> digit_strings("405"), digit_strings("12")
    (['four zero five', 'four oh five'], ['one two'])
    """
    spoken = spell_digits(digits)
    return [spoken, spoken.replace("zero", "oh")] if "0" in digits and len(digits) > 1 else [spoken]


def _below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    words = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[tens])
        rest = ones
    if rest:
        words.append(_SMALL[rest])
    return " ".join(words)


@lru_cache(maxsize=4096)
def cardinal(digits: str) -> str:
    """A whole number; one with a leading zero or more than 15 digits is read digit by digit.

    >>> cardinal("1,205"), cardinal("0")
    ('one thousand two hundred five', 'zero')
    """
    digits = digits.replace(",", "")
    if len(digits) > LONGEST or (len(digits) > 1 and digits[0] == "0"):
        return spell_digits(digits)
    value, groups = int(digits), []
    if not value:
        return "zero"
    for name in _GROUPS:
        value, low = divmod(value, 1000)
        if low:
            groups.append(f"{_below_thousand(low)} {name}".strip())
    return " ".join(reversed(groups))


def whole(digits: str) -> str:
    """As `cardinal`, but leading zeros are dropped.

    >>> whole("007"), whole("00")
    ('seven', 'zero')
    """
    return cardinal(digits.replace(",", "").lstrip("0") or "0")


def ordinal(digits: str) -> str:
    """
    >>> ordinal("21"), ordinal("1,000"), ordinal("0")
    ('twenty first', 'one thousandth', 'zeroth')
    """
    head, _, last = cardinal(digits).rpartition(" ")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + ("h" if last.endswith("t") else "th")
    return f"{head} {last}".strip()


def with_and(spoken: str) -> str:
    """The British form; the same where there is none.

    >>> with_and("one hundred twenty thousand three hundred five"), with_and("two thousand first"), with_and("ten")
    ('one hundred and twenty thousand three hundred and five', 'two thousand and first', 'ten')
    """
    return _BEFORE_REST.sub(" and ", spoken)


_TAIL = "|".join(
    [*_SMALL[1:], *_TENS[2:], *_ORDINALS.values(), *(w + "th" for w in ("four", "six", "seven", "ten", "eleven")),
     *(w + "th" for w in _SMALL[13:]), *(w[:-1] + "ieth" for w in _TENS[2:])]
)  # fmt: skip
_GREAT = "hundred|thousand|million|billion|trillion"
_BEFORE_REST = re.compile(
    rf"(?<=hundred) (?=(?:{_TAIL})\b)"
    rf"|(?:(?<=thousand)|(?<=million)|(?<=billion)) (?=(?:{_TAIL})\b)(?!(?:[a-z]+ ){{1,2}}(?:{_GREAT})\b)"
)


def decimals(number: str) -> list[str]:
    """A number with or without a decimal part, no sign, the likeliest first.

    >>> decimals("3.14"), decimals("0.5"), decimals("1,000")
    ... # doctest: +NORMALIZE_WHITESPACE
    (['three point one four', 'three point fourteen'],
     ['zero point five', 'point five', 'oh point five', 'half', 'one half', 'a half'], ['one thousand'])
    """
    head, point, part = number.partition(".")
    if not point:
        return [cardinal(head)]
    tail, start = spell_digits(part), whole(head) if head else ""
    said = [f"{start} point {tail}".strip()]
    if start == "zero":
        said.append(f"point {tail}")
        oh = tail.replace("zero", "oh")
        said += [f"oh point {oh}"] + ([f"zero point {oh}"] if oh != tail else [])
    elif "0" in part:
        said.append(f"{start} point {tail.replace('zero', 'oh')}".strip())
    if len(part) == 2 and part[0] != "0":
        said.append(f"{start} point {cardinal(part)}".strip())
    if part in HALVES:
        some = HALVES[part]
        said += [f"{start} and a {some}"] if start not in ("", "zero") else [some, f"one {some}", f"a {some}"]
    return said


HALVES = {"5": "half", "25": "quarter"}


def decimal(number: str) -> str:
    """
    >>> decimal("3.14"), decimal(".5")
    ('three point one four', 'point five')
    """
    return decimals(number)[0]


def pairs(digits: str) -> str:
    """Digits two by two from the right, as years, house numbers and flights are said; "" where that is not done.

    >>> [pairs(d) for d in ("1998", "1905", "1900", "2000", "737", "405", "12")]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['nineteen ninety eight', 'nineteen oh five', 'nineteen hundred', '', 'seven thirty seven', 'four oh five', '']
    """
    if not 3 <= len(digits) <= 4 or not digits.isdecimal() or digits[0] == "0" or digits.endswith("000"):
        return ""
    high, low = digits[:-2], digits[-2:]
    if low == "00":
        return f"{cardinal(high)} hundred" if high[-1] != "0" else ""
    return f"{cardinal(high)} oh {cardinal(low[1])}" if low[0] == "0" else f"{cardinal(high)} {cardinal(low)}"


def years(digits: str) -> list[str]:
    """Four digits, or the last two after an apostrophe, as a year.

    >>> years("1998"), years("2000"), years("2007"), years("2024"), years("05")
    ... # doctest: +NORMALIZE_WHITESPACE
    (['nineteen ninety eight'], ['two thousand'], ['two thousand seven', 'two thousand and seven', 'twenty oh seven'],
     ['twenty twenty four', 'two thousand twenty four', 'two thousand and twenty four'],
     ['oh five', 'zero five', 'two thousand five', 'five'])
    """
    if len(digits) == 2:
        if digits[0] != "0":
            return [cardinal(digits), f"{'nineteen' if digits > '30' else 'twenty'} {cardinal(digits)}"]
        low = cardinal(digits[1])
        return [f"oh {low}", f"zero {low}", f"two thousand {low}".removesuffix(" zero"), low]
    if len(digits) != 4 or digits[0] == "0":
        return [cardinal(digits)]
    long, paired = cardinal(digits), pairs(digits)
    if digits[1:] == "000":
        return [long]
    if digits[1:3] == "00":
        return [long, with_and(long), paired]
    if digits[:2] == "20":
        return [paired, long, with_and(long)]
    return [paired or long]


def is_year(digits: str) -> bool:
    """Whether a bare number is more likely a year than a quantity."""
    return len(digits) == 4 and digits.isdecimal() and 1050 <= int(digits) <= 2099


def plain(number: str) -> str:
    """A bare number: a year if it looks like one, else a cardinal or decimal.

    >>> plain("1984"), plain("1,984")
    ('nineteen eighty four', 'one thousand nine hundred eighty four')
    """
    return years(number)[0] if is_year(number) else decimal(number)


def plural(spoken: str) -> str:
    """
    >>> plural("nineteen ninety"), plural("seven thirty six"), plural("two thousand")
    ('nineteen nineties', 'seven thirty sixes', 'two thousands')
    """
    if spoken.endswith("y"):
        return spoken[:-1] + "ies"
    return spoken + ("es" if spoken.endswith("x") else "s")


def part_names(bottom: str, *, many: bool) -> list[str]:
    """The names of a fraction's parts.

    >>> part_names("4", many=True), part_names("2", many=False), part_names("1", many=True)
    (['quarters', 'fourths'], ['half'], [])
    """
    names = {"2": ["half"], "4": ["quarter", "fourth"], "1": [], "0": []}.get(bottom)
    names = [ordinal(bottom)] if names is None else names
    return [("halves" if n == "half" else n + "s") if many else n for n in names]


_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def roman(numeral: str) -> int:
    """The value of a canonical Roman numeral in capitals, up to 3999, or 0.

    >>> roman("XIV"), roman("IIII"), roman("MCMXC")
    (14, 0, 1990)
    """
    if not numeral or not re.fullmatch(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})", numeral):
        return 0
    values = [_VALUES[c] for c in numeral]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))
