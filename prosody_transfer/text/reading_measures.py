"""Readings of quantities with a unit, and of lengths in feet and inches."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prosody_transfer.text import numbers as num
from prosody_transfer.text.abbreviations import NUMBERED_THINGS
from prosody_transfer.text.reading_numbers import SIGNS
from prosody_transfer.text.rules import Context, Rule, combine, distinct, rule
from prosody_transfer.text.units import LETTERS, unit_names

_WORDLIKE = frozenset({
    "in", "a", "ac", "at", "au", "bar", "do", "mo", "ma", "pa", "ha", "no", "go", "us", "cal", "mol", "pt", "ct",
    "bit", "d", "p", "t", "F", "C", "A", "K", "B", "J", "N", "T", "G",
})  # fmt: skip


def quantities(number: str) -> list[str]:
    """A number that is counted, never a year.

    >>> quantities("1200"), quantities("2.5")
    ... # doctest: +NORMALIZE_WHITESPACE
    (['one thousand two hundred', 'twelve hundred'], ['two point five', 'two and a half'])
    """
    if "." in number:
        return [
            r for r in num.decimals(number) if r not in ("half", "quarter", "a half", "a quarter") and "oh" not in r
        ]
    digits = number.replace(",", "")
    long = num.cardinal(digits)
    hundreds = num.pairs(digits) if len(digits) == 4 and digits.endswith("00") else ""
    return distinct([long, num.with_and(long), hundreds])


def _measure(m: re.Match[str], context: Context) -> Sequence[str]:
    number, written, gap = m["n"], m["unit"], bool(m["gap"])
    one = number in ("1", "1.0") or m["gap"] == "-"
    if (
        gap
        and len(written) == 1
        and written.isupper()
        and (written not in "LVW" or context.after[:1].isupper() or context.after[:1].isdecimal())
    ):
        return []
    if gap and (written in _WORDLIKE or written.lower() in ("a", "in")) and not m[0].endswith(f"{written}."):
        return []
    names = unit_names(written, one=one)
    letters = LETTERS.get(written, []) if m["gap"] != "-" else []
    if number == "1":
        letters = [
            w.removesuffix("s") if w in ("meters", "minutes", "hours", "seconds", "days", "amps") else w
            for w in letters
        ]
    if len(written) == 1 and written in LETTERS:
        first = names if written in "mhs" or gap else []
        names = distinct([*first, *letters] if not gap else [*first, *letters[1:2]])
    elif len(written) == 1 and written.isalpha() and not gap and written not in "glL":
        names = [*names, written.lower()] if names else []
    if not names:
        return []
    if written.startswith("°") and context.after in ("C", "F"):
        return []
    numbers = quantities(number)
    if written == "%":
        numbers = [*numbers, *[r for r in num.decimals(number) if "oh" in r][:1]]
    if number == "1" and names[0] in ("mile per hour",):
        numbers = ["one"]
    sign = SIGNS.get(m["sign"], [""])
    bar = " | " if gap and m["gap"] == " " and " " not in written else " "
    whole = m["n"].replace(",", "")
    if (whole.endswith((".5", ".25"))) and not one:
        few = [f"{h} {n}" for h in numbers if "and a" not in h for n in names]
        few += [f"{h} {n}" for h in numbers if "and a" in h for n in names[:1]]
        return combine(sign, distinct(few))
    article = [
        _article(n, bar) for n in names[:1] if number == "1" and len(n) > 2 and not n.startswith(("degree", "percent"))
    ]
    if len(written) == 1 and not gap and re.fullmatch("[0-9]{3,4}", number) and num.pairs(number):
        name = written.lower()
        numbers, names = [*numbers, num.pairs(number)], names if name in names else [*names, name]
        if context.before.lower().rstrip(".") in NUMBERED_THINGS or number == "401" or written == "p":
            return distinct([f"{num.pairs(number)} {name}", *combine(sign, numbers, names, most=6)])
    if len(written) == 1 and context.before.lower().rstrip(".") in NUMBERED_THINGS and not gap:
        names = distinct([written.lower(), *names])
    of_range = numbers[:1] if written == "%" and re.match(r" (?:to|and|or|-) [0-9.]+ ?%", context.rest) else []
    return distinct([*combine(sign, numbers, [bar.strip()], names, most=7), *of_range, *article])


def _article(name: str, bar: str = " ") -> str:
    return f"{'an' if name[:1] in 'aeio' or name == 'hour' else 'a'}{bar}{name}"


def _part_measure(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "1/8 in.", "4 1/2-inch"."""
    single = m["gap"] == "-" or not m["n"]
    names = unit_names(m["unit"].rstrip("."), one=single) or [m["unit"].lower()] * (m["gap"] == "-")
    if not names or m["unit"] in ("in", "a", "at", "us", "d"):
        return []
    some = [f"{num.cardinal(m['top'])} {n}" for n in num.part_names(m["bottom"], many=m["top"] != "1")]
    if m["n"]:
        head = num.cardinal(m["n"])
        half = [f"{head} and a {some[0].removeprefix('one ')}"] if m["top"] == "1" else []
        return combine([*half, *(f"{head} and {s}" for s in some)], names[:2])
    first = ["half"] if m["top"] + m["bottom"] == "12" else []
    long = [f"{s} of {_article(names[0])}" for s in some]
    return distinct([*combine(some, names[:1]), *long, *(f"{h} {_article(names[0])}" for h in first)])


def _feet(m: re.Match[str], context: Context) -> Sequence[str]:
    feet, inches = num.whole(m["ft"]), m["in"]
    foot = "foot" if m["ft"] == "1" else "feet"
    if inches is None:
        return [f"{feet} {foot}", f"{feet} foot", feet]
    low = num.whole(inches)
    inch = "inch" if inches == "1" else "inches"
    return distinct(
        [
            f"{feet} {low}",
            f"{feet} {foot} {low} {inch}",
            f"{feet} foot {low}",
            f"{feet} foot {low} {inch}",
            f"{feet} {foot} {low}",
        ]
    )


def _inches(m: re.Match[str], context: Context) -> Sequence[str]:
    if context.quoted:
        return []
    return [
        f"{r} {w}" for r in quantities(m["n"])[:2] for w in (["inch"] if m["n"] == "1" else ["inches", "inch"])
    ] + quantities(m["n"])[:1]


def _by(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "25 x 7 m", "2x8 m2", "1920x1080", "2 x 3 x 4 in"."""
    from prosody_transfer.text.reading_numbers import bare

    numbers = [bare(n, Context()) for n in re.findall(num.NUMBER, m["dims"])]
    cut = [distinct([n[0], *(r for r in n[1:] if " and " not in r)], 3) for n in numbers]
    names = unit_names(m["unit"], one=False)[:2] if m["unit"] else [""]
    if m["unit"] and not names:
        return []
    said = []
    for word in ("by", "x", "times"):
        said += [f" {word} ".join(n[0] for n in cut) + f" {name}" for name in names]
    for picked in combine(*[[f"{r} by" for r in n] for n in cut[:-1]], cut[-1], most=3):
        said.append(f"{picked} {names[0]}")
    return distinct(said, 6)


def _per(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "12/kg", "3/day"."""
    names = unit_names(f"/{m['unit']}", one=False)
    if not names and len(m["unit"]) == 1:
        letter = m["unit"].lower()
        names = [f"per {letter}", f"over {letter}", letter]
    return combine(quantities(m["n"])[:2], names) if names else []


def _degrees(m: re.Match[str], context: Context) -> Sequence[str]:
    scale = {"c": "celsius", "f": "fahrenheit", "k": "kelvin"}[m["scale"].lower()]
    noun = "degree" if m["n"] == "1" else "degrees"
    ends = [f"{noun} {scale}", f"{noun} {m['scale'].lower()}", noun] + (
        ["degrees centigrade"] if scale == "celsius" else []
    )
    return combine(SIGNS.get(m["sign"], [""]), quantities(m["n"])[:2], ends)


_N = f"(?P<n>{num.NUMBER})"
_UNIT = r"[A-Za-zμΩ°%‰℃]+[²³]?|[A-Za-zμ]+\^?[23]|°[CFcf]?"
_ALL = rf"(?:fl\.? ?oz|sq\.? ?[a-z]+|(?:{_UNIT})(?:/(?:{_UNIT}))?)"
RULES: tuple[Rule, ...] = (
    rule("degrees", rf"(?P<sign>[-+±]?){_N} ?° ?(?P<scale>[CFK])", _degrees),
    rule("feet and inches", r"(?P<ft>[0-9]{1,2})'(?: ?(?P<in>[0-9]{1,2})(?:\"|'')?)", _feet),
    rule("inches", rf"{_N}\"", _inches),
    rule("by", rf"(?P<dims>(?:{num.NUMBER})(?: ?[x×] ?(?:{num.NUMBER}))+)(?: ?(?P<unit>{_ALL}))?", _by),
    rule("per", rf"{_N} ?/ ?(?P<unit>[A-Za-z]+[²³]?)", _per),
    rule(
        "part of a measure",
        rf"(?:(?P<n>[0-9]{{1,3}}) )?(?P<top>[0-9]{{1,2}})/(?P<bottom>[1-9][0-9]{{0,2}})"
        rf"(?P<gap>[ -]?)(?P<unit>in\.|{_ALL})",
        _part_measure,
    ),
    rule("measure", rf"(?P<sign>[-+±~]?){_N}(?P<gap>[ -]?)(?P<unit>{_ALL})\.?", _measure, case=True),
)  # fmt: skip
