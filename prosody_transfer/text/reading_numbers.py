"""Readings of bare numbers, ordinals, decades, fractions and what is calculated with them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prosody_transfer.text import numbers as num
from prosody_transfer.text.abbreviations import MONTHS, STREETS
from prosody_transfer.text.rules import Context, Rule, combine, distinct, rule

# after these a number is a name: it is said digit by digit
_SPELLED_AFTER = re.compile(
    r"\b(?:ending|code|pin|otp|account|card|zip|postcode|serial|pnr|passcode|password|ext(?:ension)?)"
    r"(?: (?:is|in|no\.?|number|with|#))* *$",
    re.IGNORECASE,
)
_STREET = re.compile(
    r" (?:[NSEW]{1,2}\.? )?(?:[A-Z0-9][A-Za-z0-9']* ){1,3}"
    rf"(?i:(?:{'|'.join(STREETS)})\b|street|avenue|road|drive|lane|boulevard|court|way)"
)
_SET_PHRASES = {
    "24/7": ["twenty four seven"], "9/11": ["nine eleven"], "50/50": ["fifty fifty"], "20/20": ["twenty twenty"],
    "7/11": ["seven eleven"], "911": ["nine one one", "nine eleven"], "411": ["four one one"], "101": ["one oh one"],
    "007": ["double oh seven"],
}  # fmt: skip
SIGNS = {
    "-": ["minus", "negative"], "+": ["plus"], "±": ["plus or minus"], "~": ["about", ""], "": [""],
    "<": ["less than", "under"], ">": ["greater than", "more than", "over"],
}  # fmt: skip


def bare(number: str, context: Context = Context()) -> list[str]:
    """A number without sign or unit.

    >>> bare("123"), bare("2012"), bare("05")
    ... # doctest: +NORMALIZE_WHITESPACE
    (['one hundred twenty three', 'one hundred and twenty three', 'one twenty three', 'one two three'],
     ['twenty twelve', 'two thousand twelve', 'two thousand and twelve', 'two zero one two', 'two oh one two'],
     ['zero five', 'oh five', 'five'])
    """
    if "." in number:
        return num.decimals(number)
    digits = number.replace(",", "")
    strings, spelled = num.digit_strings(digits), _SPELLED_AFTER.search(context.lead) is not None
    if len(digits) == 1:
        return ["zero", "oh"] if digits == "0" else strings
    if digits[0] == "0":
        mixed = []
        zeros = len(digits) - len(digits.lstrip("0"))
        if 1 < len(digits) - zeros < 3:
            mixed = [f"{'oh ' * zeros}{num.cardinal(digits[zeros:])}"]
        return distinct([*strings, *mixed, num.whole(digits)])
    whole = num.cardinal(digits)
    if len(digits) > num.LONGEST:
        return strings
    if "," in number:
        hundreds = f"{num.cardinal(digits[:-2])} hundred" if len(digits) == 4 and digits.endswith("00") else ""
        return distinct([whole, num.with_and(whole), hundreds if digits[1] != "0" else ""])
    noun = len(context.after) > 1 and context.after.islower() and not spelled
    if len(digits) == 2:
        return [whole] if noun else [whole, strings[0]]
    cardinals, paired = [whole, num.with_and(whole)], num.pairs(digits)
    if len(digits) <= 4:
        years = num.years(digits) if num.is_year(digits) else []
        named = _named(digits, context)
        first = strings if spelled else [paired] if named else []
        return distinct([*_SET_PHRASES.get(digits, [])[: 1 if digits == "911" else 0], *first, *years, *cardinals,
                         paired, *_SET_PHRASES.get(digits, []), *strings])  # fmt: skip
    counted = digits.endswith("000") or context.after[:1].islower() and not spelled
    return distinct([*cardinals, *strings] if counted else [*strings, *cardinals])


def _named(digits: str, context: Context) -> bool:
    """Whether it is the number of a house, a flight or the like: a name before it or a street after it."""
    return _STREET.match(context.rest) is not None or context.before.lower() in (
        "flight",
        "route",
        "highway",
        "room",
        "suite",
        "boeing",
        "airbus",
    )


def _number(m: re.Match[str], context: Context) -> Sequence[str]:
    sign, number = m["sign"], m["n"]
    if sign in ("-", "+", "±") and "." not in number:
        whole = num.cardinal(number)
        return combine(SIGNS[sign], distinct([whole, num.with_and(whole), *bare(number)]), most=4)
    if sign:
        return combine(SIGNS[sign], bare(number, context))
    return bare(number, context)


def _ordinal(m: re.Match[str], context: Context) -> Sequence[str]:
    digits, suffix = m["n"].replace(",", ""), m["suffix"].lower()
    spoken = num.ordinal(digits.lstrip("0") or "0")
    right = {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th") if digits[-2:-1] != "1" else "th"
    letters = f"{num.cardinal(digits)} {' '.join(suffix)}"
    ends = "'s" if m["s"] else ""
    if suffix != right:
        return distinct([letters, spoken, f"{num.spell_digits(digits)} {' '.join(suffix)}"])
    return [r + ends for r in distinct([spoken, num.with_and(spoken)])]


def decade(m: re.Match[str], context: Context) -> Sequence[str]:
    digits = m["n"]
    long = [num.plural(w) for w in num.years(digits)[:1]] if len(digits) == 4 else []
    if len(digits) == 2:
        tens = num.plural(num.cardinal(digits))
        if "'" not in m[0] and (digits[1] != "0" or digits < "20"):
            return [f"{num.cardinal(digits)} seconds", tens]
        return [tens, f"nineteen {tens}", f"{num.cardinal(digits)} seconds"] if digits != "00" else [tens]
    paired = num.pairs(digits)
    if digits[0] == "0":
        return []
    return distinct(
        [*long, num.plural(paired) if paired else "", "" if long and paired else num.plural(num.cardinal(digits))], 4
    )


def fractions(top: str, bottom: str) -> list[str]:
    """
    >>> fractions("3", "4"), fractions("24", "5")[:1]
    (['three quarters', 'three fourths', 'three over four', 'three divided by four'], ['twenty four fifths'])
    """
    n, d = num.cardinal(top), num.cardinal(bottom)
    parts = [f"{n} {name}" for name in num.part_names(bottom, many=top != "1")]
    if top == "1" and bottom in ("2", "4"):
        parts.append(f"a {num.part_names(bottom, many=False)[0]}")
    return distinct([*parts, f"{n} over {d}", f"{n} divided by {d}"])


def _mixed(m: re.Match[str], context: Context) -> Sequence[str]:
    head, n, d = num.cardinal(m["n"]), m["top"], m["bottom"]
    parts = [f"{num.cardinal(n)} {name}" for name in num.part_names(d, many=n != "1")]
    if n == "1" and d in ("2", "4"):
        parts.insert(0, f"a {parts[0].split()[1]}")
    return [f"{head} | and {p}" for p in parts]


_FRACTION_FIRST = frozenset({
    "2", "3", "4", "5", "6", "8", "10", "16", "32", "64", "100",
})  # fmt: skip


def slashed(m: re.Match[str], context: Context) -> Sequence[str]:
    """Two numbers with a slash: a fraction, a day of a month, or just two numbers; also "3/4ths"."""
    from prosody_transfer.text.reading_dates import day_of_month

    top, bottom = m["top"], m["bottom"]
    special = _SET_PHRASES[f"{top}/{bottom}"] if f"{top}/{bottom}" in _SET_PHRASES and not m["ths"] else []
    n, d = num.whole(top), num.whole(bottom)
    parts = fractions(str(int(top)), str(int(bottom)))[:-2] if top[0] != "0" and bottom[0] != "0" else []
    if m["ths"]:
        return distinct([*parts[:2], f"{n} {d}"])
    dated = day_of_month(top, bottom)
    backwards = day_of_month(bottom, top)
    plain = [f"{n} {d}", f"{n} over {d}", f"{n} slash {d}", f"{n} divided by {d}"]
    if len(bottom) == 4:
        plain = [f"{n} slash {d}"]
        paired = combine([num.whole(top)], num.years(bottom))
        months = [f"{name} {y}" for name in _month(top) for y in num.years(bottom)]
        return distinct([*parts, *paired[:1], *months, *plain])
    simple = bottom in _FRACTION_FIRST and int(top) < int(bottom) or not dated and len(top) < 3 and len(bottom) < 3
    common = [*parts, *dated[:2]] if simple else [*dated[:1], *parts[:1], *dated[1:2]]
    if int(bottom) > 100 or not parts:
        common = [f"{n} over {d}"] if bottom not in ("0",) else []
    return distinct([*special, *common, *plain[:2], *(backwards[1:2] or dated[2:3]), *plain[2:]])


def _month(digits: str) -> list[str]:
    return [MONTHS[int(digits) - 1]] if 1 <= int(digits) <= 12 else []


def _times(m: re.Match[str], context: Context) -> Sequence[str]:
    number = [r for r in num.decimals(m["n"]) if " point " not in r or r == num.decimal(m["n"])]
    word = "x"
    return distinct(
        [*(f"{r} {word}" for r in number[:1]), *(f"{r} times" for r in number), num.decimal(m["n"]) + " fold"], 4
    )


def _and_more(m: re.Match[str], context: Context) -> Sequence[str]:
    return combine(bare(m["n"])[:3], ["plus", "and more"][: 1 if context.after else 2])


def _spaced(m: re.Match[str], context: Context) -> Sequence[str]:
    joined = m["n"].replace(" ", "")
    whole = num.cardinal(joined)
    if joined[0] == "0":
        return []
    return distinct([whole, num.with_and(whole), *num.digit_strings(joined)])


_N, _WHOLE = f"(?P<n>{num.NUMBER})", r"(?P<n>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
RULES: tuple[Rule, ...] = (
    rule("spaced thousands", r"(?P<n>[1-9][0-9]{0,2}(?: [0-9]{3}){2,4}|[1-9][0-9]{1,2} 000)", _spaced),
    rule("mixed number", r"(?P<n>[0-9]{1,4}) (?P<top>[0-9]{1,3})/(?P<bottom>[1-9][0-9]{0,2})", _mixed),
    rule("number", rf"(?P<sign>[-+±~<>]?){_N}", _number),
    rule("ordinal", rf"{_WHOLE}(?P<suffix>st|nd|rd|th)(?P<s>'s)?", _ordinal),
    rule("decade", r"'?(?P<n>[0-9]?[0-9]?[0-9]{2})'?s", decade),
    rule("slashed", r"(?P<top>[0-9]{1,4})/(?P<bottom>[0-9]{1,4})(?P<ths>(?:st|nd|rd|th)s?)?", slashed),
    rule("times", rf"{_N}x", _times),
    rule("and more", rf"{_N}\+", _and_more),
)  # fmt: skip
