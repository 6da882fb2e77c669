"""Readings of dates, with words or in figures, and of times of day."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prosody_transfer.text import numbers as num
from prosody_transfer.text.abbreviations import MONTHS, SHORT_MONTHS, ZONES
from prosody_transfer.text.rules import Context, Rule, combine, distinct, rule


def day_of_month(month: str, day: str) -> list[str]:
    """Readings of a month and a day in figures; none where there is no such day.

    >>> day_of_month("1", "02"), day_of_month("13", "1")
    (['january second', 'the second of january', 'january two', 'second of january'], [])
    """
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return []
    name = MONTHS[int(month) - 1]
    first = num.ordinal(str(int(day)))
    return [f"{name} {first}", f"the {first} of {name}", f"{name} {num.whole(day)}", f"{first} of {name}"]


def _month_name(written: str) -> str:
    return SHORT_MONTHS[written.lower().rstrip(".")[:3]]


def _is_day(digits: str) -> bool:
    return 1 <= int(digits) <= 31


def _years(written: str | None) -> list[str]:
    digits = (written or "").lstrip("'")
    return num.years(digits) if len(digits) in (2, 4) else [""]


def _month_day(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "Jan. 1", "July 25th, 2012", "Jan-15"."""
    month, day, year = _month_name(m["month"]), m["day"], m["year"]
    if not _is_day(day):
        return _month_year_of(month, day) if not year else []
    first, glued = num.ordinal(str(int(day))), " " not in m[0]
    bar = " " if glued else " | "
    s = m["s"] or ""
    days = [f"{month}{bar}{first}{s}", f"{month}{bar}the {first}{s}", f"the {first} of {month}{s}"]
    if not m["ordinal"]:
        days.insert(1, f"{month}{bar}{num.whole(day)}{s}")
    if not year:
        return days
    return _with_years(days, [f"{bar}{y}" for y in _years(year)])


def _month_year_of(month: str, digits: str) -> list[str]:
    return [f"{month} | {y}" for y in _years(digits)] if len(digits) == 2 else []


def _day_month(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "25 July 2012", "25th of July", "the 15 January"."""
    month, day = _month_name(m["month"]), m["day"]
    if not _is_day(day):
        return []
    first, the = num.ordinal(str(int(day))), "" if context.before.lower() == "the" else "the "
    if m["of"]:
        days = [f"{first} | of | {month}"]
    else:
        days = [f"{the}{first} of {month}", f"{first} | {month}", f"{month} {first}"]
        days += [] if m["ordinal"] else [f"{num.whole(day)} | {month}"]
        days += [f"{first} of {month}"] if the else []
    return _with_years(days, [f" | {y}" for y in _years(m["year"])]) if m["year"] else distinct(days)


def _with_years(days: list[str], years: list[str]) -> list[str]:
    """Every way of saying the day with the likeliest two of the year, the first with the others too."""
    return distinct(
        [*combine(days, years[:2], most=7), *(f"{days[0]}{y}" for y in years[2:]), *combine(days, years[:2])]
    )


def _month_year(m: re.Match[str], context: Context) -> Sequence[str]:
    return [f"{_month_name(m['month'])} | {y}" for y in _years(m["year"])]


def _figures(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "11/17/05", "2006-08-05", "25.12.2024": month first unless that cannot be, or the day's zero or dot says so."""
    if m["y1"]:
        year, order = m["y1"], [(m["a1"], m["b1"])]
        digits = (m["a1"], m["b1"])
    else:
        year, order = m["y2"], [(m["a2"], m["b2"]), (m["b2"], m["a2"])]
        digits = (m["a2"], m["b2"])
    years = _years(year)
    dates = [day_of_month(month, day) for month, day in order]
    found = [d for d in dates if d]
    if found and not dates[0]:  # the day comes first, and is said first
        found[0] = [found[0][1], found[0][0], *found[0][2:]]
    said = combine(found[0][:3], years, most=6) if found else []
    other = combine(found[1][:1], years[:1]) if len(found) > 1 else []
    plain = " ".join(num.whole(d) for d in digits)
    figures = f"{years[0]} {plain}" if m["y1"] else f"{plain} {years[0]}"
    in_order = combine(years[:1], [found[0][0], found[0][2], found[0][1]]) if m["y1"] and found else []
    spelled = " ".join(num.spell_digits(d) for d in re.findall("[0-9]+", m[0]))
    if not said:
        return [figures, spelled]
    if in_order:
        return distinct([*said[:3], *in_order, figures, spelled])
    bare = combine(found[0][3:], years[:1])
    return distinct([*said[:4], *bare, *other, figures, spelled])


_HOURS = {"0": "midnight", "12": "noon"}


def times(hours: str, minutes: str, half: str = "", zone: str = "", *, seconds: str = "") -> list[str]:
    """A time of day; `half` is "am", "pm" or "".

    >>> times("3", "30"), times("3", "00"), times("3", "05", "pm")[:2], times("15", "00")
    ... # doctest: +NORMALIZE_WHITESPACE
    (['three thirty', 'half past three'], ["three o'clock", 'three', 'three hundred'],
     ['three oh five p m', 'three five p m'], ['fifteen hundred', 'fifteen hundred hours', "three o'clock", 'fifteen'])
    """
    hour, minute = int(hours), int(minutes or "0")
    h, m = num.cardinal(str(hour)), num.cardinal(str(minute))
    twelve = num.cardinal(str((hour - 1) % 12 + 1))
    following = num.cardinal(str(hour % 12 + 1))
    end = " ".join([*half, *(_zone(zone) if zone else [])])
    led = [f"oh {h}", f"zero {h}"] if hours[0] == "0" and len(hours) > 1 and hour else []
    if seconds:
        s = num.cardinal(str(int(seconds)))
        plural = lambda word, unit: f"{word} {unit}" + ("s" if word != "one" else "")
        long = f"{plural(h, 'hour')} {plural(m, 'minute')} and {plural(s, 'second')}"
        short = [
            f"{h} {_minutes(minutes)[0]} {_minutes(seconds)[0]}",
            f"{h} {_minutes(minutes)[0]} and {plural(s, 'second')}",
        ]
        bare = [f"{h} {_minutes(minutes)[0]}"] if int(seconds) == 0 and minute else [h] if int(seconds) == 0 else []
        return [f"{r} {end}".strip() for r in [long, *short, *bare]]
    if not minute:
        said = (
            [h]
            if half
            else [f"{h} hundred", f"{h} hundred hours", f"{twelve} o'clock", h]
            if hour > 12
            else ([f"{h} o'clock", h, *(f"{w} hundred" for w in [h, *led])])
        )
        said += [f"{h} o'clock"] if half else []
    else:
        said = [f"{h} {w}" for w in _minutes(minutes)]
        said += [f"{twelve} {w}" for w in _minutes(minutes)[:1]] if not hour else []
        said += [f"{w} {_minutes(minutes)[0]}" for w in led]
        past = {15: "a quarter", 30: "half"}.get(minute) or (m if minute < 30 and minute % 5 == 0 else "")
        to = {45: "a quarter"}.get(minute) or (
            num.cardinal(str(60 - minute)) if minute > 30 and minute % 5 == 0 else ""
        )
        quarter = [w.removeprefix("a ") for w in (past, to) if w.startswith("a ")]
        said += [f"{w} past {twelve}" for w in [past, *(quarter if past else [])] if w]
        said += [f"{w} to {following}" for w in [to, *(quarter if to else [])] if w]
    return distinct(f"{r} {end}" for r in said)


def _minutes(minutes: str) -> list[str]:
    value = num.cardinal(str(int(minutes)))
    return [f"oh {value}", value, f"zero {value}"] if int(minutes) < 10 else [value]


def _zone(zone: str) -> list[str]:
    return [c for c in zone.lower() if c.isalpha()]


def _clock(m: re.Match[str], context: Context) -> Sequence[str]:
    hours, minutes, seconds = m["h"], m["m"], m["sec"] or ""
    half = re.sub("[^apm]", "", (m["half"] or "").lower())
    zone = m["zone"] or ""
    if "." in m[0][: len(hours) + 1] and not half:
        return []
    if int(hours) > 24 or int(minutes) > 59:
        h, n = num.whole(hours), num.whole(minutes)
        return [f"{h} to {n}", f"{h} {n}"]
    found = times(hours, minutes, half, zone, seconds=seconds)
    if len(minutes) == 1:
        return [f"{num.whole(hours)} {word} {num.whole(minutes)}" for word in ("to", "", "by")]
    if not half and not seconds and not zone and int(minutes):
        found = distinct([*found[:7], f"{num.whole(hours)} to {num.whole(minutes)}"])
    return found


def _hour(m: re.Match[str], context: Context) -> Sequence[str]:
    half = m["half"].lower()[0] + "m"
    zone = m["zone"] or ""
    if int(m["h"]) > 24:
        return []
    return times(m["h"], "", half, zone)[:1]


def _ratio(m: re.Match[str], context: Context) -> Sequence[str]:
    a, b = (num.whole(m[k]) for k in ("h", "m"))
    return [f"{a} to {b}", f"{a} {b}"]


def _military(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "0800", "1430 hours"."""
    digits = m["h"]
    hour, minute = digits[:2], digits[2:]
    if int(hour) > 24 or int(minute) > 59:
        return []
    heads = [f"oh {num.whole(hour)}", f"zero {num.whole(hour)}"] if hour[0] == "0" else [num.whole(hour)]
    tails = ["hundred"] if minute == "00" else _minutes(minute)[:1]
    return [f"{r} | hours" for r in combine(heads, tails)]


_MONTH = r"(?P<month>" + "|".join(sorted((*MONTHS, "sept"), key=len, reverse=True)) + "|" + "|".join(
    m[:3] for m in MONTHS) + r")\.?"  # fmt: skip
_YEAR = r"(?P<year>[12][0-9]{3}|'[0-9]{2})"
_DAY = r"(?P<day>[0-9]{1,2})(?P<ordinal>st|nd|rd|th)?"
_HALF = r"(?P<half>[ap]\.? ?m\b\.?)"
_ZONE = rf"(?: ?(?P<zone>{'|'.join(ZONES)}|{'|'.join(r'[.]'.join(z) + '[.]?' for z in ZONES)}))"


RULES: tuple[Rule, ...] = (
    rule("month day", rf"{_MONTH}[ -]?{_DAY}(?P<s>'s)?(?:(?:,| of)? {_YEAR})?", _month_day),
    rule("day month", rf"{_DAY}(?: (?P<of>of))?[ -]{_MONTH}(?:,?[ -]{_YEAR})?", _day_month),
    rule("month year", rf"{_MONTH},? {_YEAR}", _month_year),
    rule(
        "date in figures",
        r"(?P<y1>[12][0-9]{3})(?P<d1>[-/.])(?P<a1>[01]?[0-9])(?P=d1)(?P<b1>[0-3]?[0-9])"
        r"|(?P<a2>[0-3]?[0-9])(?P<d2>[-/.])(?P<b2>[0-3]?[0-9])(?P=d2)(?P<y2>[12][0-9]{3}|[0-9]{2})",
        _figures,
    ),
    rule("military time", r"(?P<h>[0-2][0-9]{3}) hours", _military),
    rule(
        "clock",
        rf"(?P<h>[0-9]{{1,2}})[:.](?P<m>[0-9]{{1,2}})(?::(?P<sec>[0-9]{{2}}))?(?: ?{_HALF})?{_ZONE}?",
        _clock,
    ),
    rule("ratio", r"(?P<h>[0-9]{1,4}):(?P<m>[0-9]{1,4})", _ratio),
    rule("hour", rf"(?P<h>[0-9]{{1,2}}) ?{_HALF}{_ZONE}?", _hour),
)  # fmt: skip
