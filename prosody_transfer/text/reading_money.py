"""Readings of sums of money: every currency, magnitudes, and what is paid by the month."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prosody_transfer.text import numbers as num
from prosody_transfer.text.rules import Context, Rule, combine, distinct, rule
from prosody_transfer.text.units import PER

# sign: (one, more, hundredth, hundredths)
_DOLLAR, _POUND = ("dollar", "dollars", "cent", "cents"), ("pound", "pounds", "penny", "pence")
CURRENCIES = {
    "$": _DOLLAR, "£": _POUND, "€": ("euro", "euros", "cent", "cents"), "¥": ("yen", "yen", "sen", "sen"),
    "₩": ("won", "won", "jeon", "jeon"), "₹": ("rupee", "rupees", "paisa", "paise"),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"), "₺": ("lira", "lira", "kurus", "kurus"),
    "₫": ("dong", "dong", "xu", "xu"), "₴": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "₦": ("naira", "naira", "kobo", "kobo"), "₱": ("peso", "pesos", "centavo", "centavos"),
    "₪": ("shekel", "shekels", "agora", "agorot"), "฿": ("baht", "baht", "satang", "satang"),
    "₿": ("bitcoin", "bitcoins", "satoshi", "satoshis"), "¢": ("cent", "cents", "", ""),
    "₡": ("colon", "colones", "centimo", "centimos"), "₸": ("tenge", "tenge", "tiyn", "tiyn"),
}  # fmt: skip
_BY_NAME = {
    "us$": ("u s", _DOLLAR), "usd": ("u s", _DOLLAR), "au$": ("australian", _DOLLAR), "a$": ("australian", _DOLLAR),
    "aud": ("australian", _DOLLAR), "ca$": ("canadian", _DOLLAR), "c$": ("canadian", _DOLLAR),
    "cad": ("canadian", _DOLLAR), "hk$": ("hong kong", _DOLLAR), "hkd": ("hong kong", _DOLLAR),
    "nz$": ("new zealand", _DOLLAR), "nzd": ("new zealand", _DOLLAR), "s$": ("singapore", _DOLLAR),
    "sgd": ("singapore", _DOLLAR), "nt$": ("new taiwan", _DOLLAR), "gbp": ("british", _POUND),
    "eur": ("", CURRENCIES["€"]), "jpy": ("japanese", CURRENCIES["¥"]), "krw": ("korean", CURRENCIES["₩"]),
    "inr": ("indian", CURRENCIES["₹"]), "chf": ("swiss", ("franc", "francs", "centime", "centimes")),
    "cny": ("chinese", ("yuan", "yuan", "fen", "fen")), "rmb": ("", ("renminbi", "renminbi", "fen", "fen")),
    "sek": ("swedish", ("krona", "kronor", "ore", "ore")), "nok": ("norwegian", ("krone", "kroner", "ore", "ore")),
    "dkk": ("danish", ("krone", "kroner", "ore", "ore")), "r$": ("", ("real", "reais", "centavo", "centavos")),
    "brl": ("brazilian", ("real", "reais", "centavo", "centavos")), "kr": ("", ("krone", "kroner", "ore", "ore")),
    "mxn": ("mexican", CURRENCIES["₱"]), "pln": ("polish", ("zloty", "zlotys", "grosz", "groszy")),
    "zar": ("south african", ("rand", "rand", "cent", "cents")), "rub": ("russian", CURRENCIES["₽"]),
}  # fmt: skip
MAGNITUDES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "mio": "million", "mil": "million",
    "b": "billion", "bn": "billion", "bil": "billion", "t": "trillion", "tn": "trillion", "tr": "trillion",
    **{w: w for w in ("hundred", "thousand", "million", "billion", "trillion", "quadrillion", "dozen", "lakh",
    "crore")},
}  # fmt: skip


def money(names: tuple[str, str, str, str], number: str, magnitude: str = "") -> list[str]:
    """
    >>> money(CURRENCIES["$"], "3.50")
    ['three dollars and fifty cents', 'three dollars fifty cents', 'three fifty', 'three dollars fifty']
    >>> money(CURRENCIES["£"], "2.5", "m")[:2], money(CURRENCIES["$"], "0.5")[0], money(CURRENCIES["$"], "1")
    (['two point five million pounds', 'two and a half million pounds'], 'fifty cents', ['one dollar', 'a dollar'])
    """
    one, many, small, smalls = names
    if magnitude:
        great = MAGNITUDES[magnitude.lower()]
        some = [r for r in num.decimals(number) if "half" not in r or "and a" in r or number[:1] in "0."]
        heads = [f"{r} {great}" for r in some[:4]]
        heads += [f"a {great}"] if number == "1" else []
        return distinct([*(f"{r} {many}" for r in heads), heads[0]], 5)
    head, _, part = number.replace(",", "").partition(".")
    cut = part.rstrip("0") if len(part) > 2 else part
    if len(cut) > 2 or not small and part:
        return [f"{r} {many}" for r in num.decimals(number)[:3]]
    amounts = _whole(head or "0", "," in number)
    said = [f"{r} {one if r == 'one' else many}" for r in amounts]
    said += [f"one {one}", f"a {one}"][1:] if head == "1" and not int(cut or 0) else []
    if not cut or not int(cut):
        return distinct(said, 5)
    cents = int(cut) * (10 if len(cut) == 1 else 1)
    low = num.cardinal(str(cents))
    coins = f"{low} {small if cents == 1 else smalls}"
    if not head or int(head) == 0:
        return distinct([coins, *(f"{r} {many}" for r in num.decimals(number)[:2])])
    bare = low if cents >= 10 else f"oh {low}"
    return distinct([f"{said[0]} and {coins}", f"{said[0]} {coins}", f"{amounts[0]} {bare}", f"{said[0]} {bare}",
                     *([f"{num.decimal(number)} {many}"] if len(part) != 2 else []),
                     *(f"{r} and {coins}" for r in said[1:2])])  # fmt: skip


def _whole(digits: str, commas: bool) -> list[str]:
    long = num.cardinal(digits.lstrip("0") or "0")
    paired = num.pairs(digits)
    hundreds = (
        f"{num.cardinal(digits[:-2])} hundred"
        if len(digits) == 4 and digits[1] != "0" and digits.endswith("00")
        else ""
    )
    return distinct([long, num.with_and(long), hundreds, paired if not commas and len(digits) == 4 else ""])


_ANY = "[" + "".join(CURRENCIES) + "]"
_NAMED = "|".join(re.escape(n) for n in sorted(_BY_NAME, key=len, reverse=True))
_CODES = "|".join(n for n in _BY_NAME if n.isalpha() and len(n) == 3)
_LETTERS = "|".join(sorted((m for m in MAGNITUDES if len(m) < 4 and m != "mil"), key=len, reverse=True))
_WORDS = "|".join(m for m in MAGNITUDES if len(m) >= 4)
_MAGNITUDE = rf"(?: ?(?P<mag>{_WORDS}|{_LETTERS})(?![A-Za-z]))?"
_N = f"(?P<n>{num.NUMBER})"


def _sum(m: re.Match[str], context: Context) -> Sequence[str]:
    written = m["cur"].lower()
    people, names = _BY_NAME.get(written) or ("", CURRENCIES.get(written))
    if names is None:
        return []
    if people:
        names = (f"{people} {names[0]}", f"{people} {names[1]}", *names[2:])
    readings = money(names, m["n"], m["mag"] or "")
    if people:
        readings += [r.replace(f"{people} ", "") for r in readings[:2]]
    if m["cur"] == "$" and context.before.lower() == "us":
        readings = readings[:]
    if m["per"]:
        unit = m["per"].lower()
        per = (
            [f"per {PER.get(unit, unit)}", f"a {PER.get(unit, unit)}"]
            if unit in PER
            else [" ".join(unit) if len(unit) < 3 else unit]
        )
        readings = combine(readings[:4], per)
    if m["plus"]:
        readings = combine(readings[:4], ["plus"])
    sign = {"-": ["minus", "negative"], "+": ["plus"]}.get(m["sign"], [""])
    said = combine(sign, readings)
    if m["mag"] and " " in m[0] and not m["per"]:  # "$3.5 million" are two written words
        said = [r.replace(f" {MAGNITUDES[m['mag'].lower()]} ", f" | {MAGNITUDES[m['mag'].lower()]} ") for r in said]
    return said


def _cents(m: re.Match[str], context: Context) -> Sequence[str]:
    return money(CURRENCIES["¢"], m["n"])


def _counted(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "5M users", "30 bn", "100 million"; a letter may also be a unit, which the rule for measures says."""
    great = MAGNITUDES[m["mag"].lower()]
    some = [r for r in num.decimals(m["n"]) if "half" not in r or "and a" in r or m["n"][:1] in "0."]
    bar = " | " if " " in m[0] else " "
    long = [*some[:3], *(["a"] if m["n"] == "1" else [])]
    return [f"{r}{bar}{great}" for r in long]


RULES: tuple[Rule, ...] = (
    rule(
        "money",
        rf"(?P<sign>[-+]?)(?P<cur>(?:{_NAMED}|{_ANY})) ?{_N}{_MAGNITUDE}(?: ?/ ?(?P<per>[A-Za-z]+))?(?P<plus>\+)?",
        _sum,
    ),
    rule(
        "money after",
        rf"(?P<sign>[-+]?){_N}{_MAGNITUDE} ?(?P<cur>(?:{_ANY}|{_CODES}))"
        r"(?:/(?P<per>[A-Za-z]+))?(?P<plus>\+)?",
        _sum,
    ),
    rule("great number", rf"{_N} ?(?P<mag>{_WORDS}|bn|mn|tn)", _counted),
)  # fmt: skip
