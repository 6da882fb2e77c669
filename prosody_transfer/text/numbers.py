"""Numbers as they are said: cardinals, ordinals, years, decimals, money, times, fractions, in lower-case words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_CURRENCY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
}
CURRENCIES = "".join(_CURRENCY)
MAGNITUDES = ("hundred", "thousand", "million", "billion", "trillion")
_MAGNITUDE_LETTERS = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}


@lru_cache(maxsize=1)
def _engine() -> Any:
    import inflect

    return inflect.engine()


def _clean(words: str) -> str:
    return re.sub(r"[^a-z]+", " ", words.lower()).strip()


def spell_digits(digits: str) -> str:
    """One word a digit.

    >>> spell_digits("007")
    'zero zero seven'
    """
    return " ".join(_DIGITS[int(d)] for d in digits)


@lru_cache(maxsize=4096)
def cardinal(digits: str) -> str:
    """A whole number; one with a leading zero or more than 15 digits is read digit by digit.

    >>> cardinal("1,205"), cardinal("0")
    ('one thousand two hundred five', 'zero')
    """
    digits = digits.replace(",", "")
    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return spell_digits(digits)
    return _clean(_engine().number_to_words(int(digits), andword=""))


@lru_cache(maxsize=1024)
def ordinal(digits: str) -> str:
    """
    >>> ordinal("21")
    'twenty first'
    """
    spoken = cardinal(digits)
    return _clean(_engine().ordinal(spoken)) if spoken else ""


def decimal(number: str) -> str:
    """A number with or without a decimal part, no sign.

    >>> decimal("3.14"), decimal(".5"), decimal("1,000")
    ('three point one four', 'point five', 'one thousand')
    """
    whole, point, part = number.partition(".")
    spoken = cardinal(whole) if whole else ""
    return f"{spoken} point {spell_digits(part)}".strip() if point else spoken


def year(digits: str) -> str:
    """Four digits as a year.

    >>> [year(y) for y in ("1998", "1905", "1900", "2000", "2007", "2024", "1066")]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['nineteen ninety eight', 'nineteen oh five', 'nineteen hundred', 'two thousand', 'two thousand seven',
     'twenty twenty four', 'ten sixty six']
    """
    high, low = digits[:2], digits[2:]
    if digits[1:3] == "00":
        return cardinal(digits)
    if low == "00":
        return f"{cardinal(high)} hundred"
    return f"{cardinal(high)} oh {cardinal(low[1])}" if low[0] == "0" else f"{cardinal(high)} {cardinal(low)}"


def is_year(digits: str) -> bool:
    """Whether a bare number is more likely a year than a quantity."""
    return len(digits) == 4 and digits.isdigit() and 1050 <= int(digits) <= 2099


def plain(number: str) -> str:
    """A bare number: a year if it looks like one, else a cardinal or decimal.

    >>> plain("1984"), plain("1,984")
    ('nineteen eighty four', 'one thousand nine hundred eighty four')
    """
    return year(number) if is_year(number) else decimal(number)


def decade(digits: str) -> str:
    """
    >>> decade("1990"), decade("80"), decade("2000")
    ('nineteen nineties', 'eighties', 'two thousands')
    """
    spoken = plain(digits)
    return spoken[:-1] + "ies" if spoken.endswith("y") else spoken + "s"


def money(symbol: str, number: str, magnitude: str = "") -> str:
    """
    >>> money("$", "3.50"), money("$", "1"), money("£", "2.5", "m")
    ('three dollars and fifty cents', 'one dollar', 'two point five million pounds')
    """
    one, many, small, smalls = _CURRENCY[symbol]
    magnitude = _MAGNITUDE_LETTERS.get(magnitude.lower(), magnitude)
    whole, _, part = number.replace(",", "").partition(".")
    if magnitude:
        return f"{decimal(number)} {magnitude} {many}"
    if part and (len(part) != 2 or not whole):
        return f"{decimal(number)} {many}"
    spoken = f"{cardinal(whole)} {one if int(whole) == 1 else many}"
    if part and int(part):
        cents = f"{cardinal(str(int(part)))} {small if int(part) == 1 else smalls}"
        return cents if int(whole) == 0 else f"{spoken} and {cents}"
    return spoken


def currency_name(symbol: str) -> str:
    """The plural, as in "five million dollars"."""
    return _CURRENCY[symbol][1]


def clock(hours: str, minutes: str, half: str = "", *, half_follows: bool = False) -> str:
    """A time of day; `half` is "am", "pm" or "", `half_follows` says that it is the next word.

    >>> clock("3", "30"), clock("3", "00"), clock("3", "05", "pm"), clock("15", "00")
    ('three thirty', "three o'clock", 'three oh five p m', 'fifteen hundred')
    """
    hour, minute = int(hours), int(minutes)
    if hour > 24 or minute > 59:  # a ratio or a score
        return f"{cardinal(str(hour))} to {cardinal(str(minute))}"
    spoken = cardinal(str(hour))
    if minute:
        spoken += f" oh {cardinal(str(minute))}" if minute < 10 else f" {cardinal(str(minute))}"
    elif not half and not half_follows:
        spoken += " hundred" if hour > 12 else " o'clock"
    return f"{spoken} {' '.join(half)}".strip()


def fraction(top: str, bottom: str) -> str:
    """
    >>> fraction("1", "2"), fraction("3", "4"), fraction("24", "7")
    ('one half', 'three quarters', 'twenty four over seven')
    """
    n, d = int(top), int(bottom)
    if not (0 < n < d <= 100):
        return f"{cardinal(str(n))} over {cardinal(str(d))}"
    name = {2: "half", 4: "quarter"}.get(d) or ordinal(str(d))
    plural = "halves" if name == "half" else name + "s"
    return f"{cardinal(str(n))} {name if n == 1 else plural}"


def roman(numeral: str) -> int:
    """The value of a canonical Roman numeral below 40, or 0.

    >>> roman("XIV"), roman("IIII"), roman("MIX")
    (14, 0, 0)
    """
    if not re.fullmatch(r"X{0,3}(?:IX|IV|V?I{0,3})", numeral):
        return 0
    values = [{"I": 1, "V": 5, "X": 10}[c] for c in numeral]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))
