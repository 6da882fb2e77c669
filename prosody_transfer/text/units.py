"""Units of measurement as they are written and said."""

from __future__ import annotations

import re

# name of one unit, of several; a prefix may stand before those that are in _SCALED
_BASE = {
    "m": ("meter", "meters"), "g": ("gram", "grams"), "l": ("liter", "liters"), "L": ("liter", "liters"),
    "W": ("watt", "watts"), "V": ("volt", "volts"), "Hz": ("hertz", "hertz"), "J": ("joule", "joules"),
    "N": ("newton", "newtons"), "Pa": ("pascal", "pascals"), "Wh": ("watt hour", "watt hours"),
    "eV": ("electron volt", "electron volts"), "cal": ("calorie", "calories"), "A": ("amp", "amps"),
    "Ω": ("ohm", "ohms"), "mol": ("mole", "moles"), "s": ("second", "seconds"), "B": ("byte", "bytes"),
    "b": ("bit", "bits"), "bit": ("bit", "bits"), "bar": ("bar", "bars"), "VA": ("volt amp", "volt amps"),
    "Ah": ("amp hour", "amp hours"), "F": ("farad", "farads"), "Sv": ("sievert", "sieverts"),
}  # fmt: skip
_PREFIXES = {
    "k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "m": "milli", "μ": "micro",
    "u": "micro",
    "n": "nano", "c": "centi", "d": "deci", "h": "hecto",
}  # fmt: skip
_SCALED = {
    "m": "kmμunc", "g": "kmμu", "l": "mcdhμ", "L": "mcdhμ", "W": "kMGm", "V": "kmM", "Hz": "kMGT", "J": "kM", "N": "k",
    "Pa": "kMh", "Wh": "kMG", "eV": "kMG", "cal": "k", "A": "mk", "Ω": "kM", "mol": "m", "s": "mnμu", "B": "kKMGTP",
    "b": "kKMG", "bit": "kMG", "bar": "m", "VA": "k", "Ah": "mk", "F": "nμ", "Sv": "mμ",
}  # fmt: skip
_OTHERS = {
    "in": ("inch", "inches"), '"': ("inch", "inches"), "ft": ("foot", "feet"), "'": ("foot", "feet"),
    "yd": ("yard", "yards"), "yds": ("yard", "yards"), "mi": ("mile", "miles"), "nmi": ("nautical mile",
    "nautical miles"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "floz": ("fluid ounce", "fluid ounces"), "pt": ("pint", "pints"), "qt": ("quart", "quarts"),
    "gal": ("gallon", "gallons"), "tbsp": ("tablespoon", "tablespoons"), "tsp": ("teaspoon", "teaspoons"),
    "ha": ("hectare", "hectares"), "ac": ("acre", "acres"), "sec": ("second", "seconds"), "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"), "secs": ("second", "seconds"), "h": ("hour", "hours"), "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"), "wk": ("week", "weeks"), "wks": ("week", "weeks"), "yr": ("year", "years"),
    "yrs": ("year", "years"), "mo": ("month", "months"), "mos": ("month", "months"), "°C": ("degree celsius",
    "degrees celsius"),
    "°F": ("degree fahrenheit", "degrees fahrenheit"), "°K": ("degree kelvin", "degrees kelvin"),
    "℃": ("degree celsius", "degrees celsius"), "°": ("degree", "degrees"), 
    "%": ("percent", "percent"), "‰": ("per mille", "per mille"), "dB": ("decibel", "decibels"),
    "dBA": ("decibel", "decibels"), "rpm": ("r p m", "r p m"), "bpm": ("beat per minute", "beats per minute"),
    "psi": ("p s i", "p s i"), "mph": ("mile per hour", "miles per hour"), "kph": ("kilometer per hour",
    "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"), "mpg": ("mile per gallon", "miles per gallon"),
    "fps": ("frame per second", "frames per second"), "dpi": ("d p i", "d p i"), "ppm": ("part per million",
    "parts per million"),
    "ppb": ("part per billion", "parts per billion"), "hp": ("horsepower", "horsepower"), "kt": ("knot", "knots"),
    "kts": ("knot", "knots"), "cc": ("c c", "c c"), "px": ("pixel", "pixels"), "MP": ("megapixel", "megapixels"),
    "t": ("ton", "tons"), "Btu": ("b t u", "b t u"), "BTU": ("b t u", "b t u"), "atm": ("atmosphere", "atmospheres"),
    "bps": ("bit per second", "bits per second"), "sqft": ("square foot", "square feet"), "sq": ("square", "square"),
    "doz": ("dozen", "dozen"), "ct": ("carat", "carats"), "pH": ("p h", "p h"), "ly": ("light year", "light years"),
    "au": ("astronomical unit", "astronomical units"), "lm": ("lumen", "lumens"), "lx": ("lux", "lux"),
    "°c": ("degree celsius", "degrees celsius"), "°f": ("degree fahrenheit", "degrees fahrenheit"),
    "cm": ("centimeter", "centimeters"), "mm": ("millimeter", "millimeters"), "Gy": ("gray", "grays"),
    "kWh": ("kilowatt hour", "kilowatt hours"), "d": ("day", "days"), "p": ("pence", "pence"),
}  # fmt: skip
# after a slash, and after money
PER = {
    "mo": "month", "month": "month", "wk": "week", "week": "week", "hr": "hour", "h": "hour", "hour": "hour",
    "yr": "year", "y": "year", "year": "year", "day": "day", "d": "day", "min": "minute", "m": "month", "s": "second",
    "sec": "second", "night": "night", "person": "person", "pp": "person", "lb": "pound", "kg": "kilogram", "g": "gram",
    "oz": "ounce", "gal": "gallon", "sqft": "square foot", "mi": "mile", "km": "kilometer", "ton": "ton",
    "unit": "unit",
    "ft": "foot", "l": "liter", "share": "share", "barrel": "barrel", "bbl": "barrel", "user": "user", "piece": "piece",
    "ea": "each", "qtr": "quarter", "annum": "annum", "mwh": "megawatt hour", "kwh": "kilowatt hour", "gb": "gigabyte",
}  # fmt: skip
# letters right after a number: what they may mean, the likeliest first
LETTERS = {
    "m": ["meters", "million", "m", "minutes"], "M": ["million", "m", "meters"], "k": ["thousand", "k", "kilometers"],
    "K": ["thousand", "k"], "b": ["billion", "b"], "B": ["billion", "b"], "T": ["trillion", "t"],
    "G": ["g"], "D": ["d"], "bn": ["billion"], "C": ["c", "degrees celsius"], "F": ["f", "degrees fahrenheit"],
    "p": ["p", "pence"], "h": ["hours", "h"], "s": ["seconds", "s"], "d": ["days", "d"], "A": ["a", "amps"],
}  # fmt: skip


def _built() -> dict[str, tuple[str, str]]:
    table = dict(_BASE)
    for unit, prefixes in _SCALED.items():
        for prefix in prefixes:
            table[prefix + unit] = tuple(_PREFIXES[prefix] + name for name in _BASE[unit])  # type: ignore[assignment]
    for rate in ("k", "K", "M", "G"):
        table[f"{rate}bps"] = tuple(f"{_PREFIXES[rate]}{n} per second" for n in ("bit", "bits"))  # type: ignore[assignment]
        table[f"{rate}Bps"] = tuple(f"{_PREFIXES[rate]}{n} per second" for n in ("byte", "bytes"))  # type: ignore[assignment]
    return table | _OTHERS


UNITS = _built()
_LOWER: dict[str, str] = {}
for _name in UNITS:
    _LOWER.setdefault(_name.lower(), _name)
_POWERS = {"²": "square", "2": "square", "^2": "square", "³": "cubic", "3": "cubic", "^3": "cubic"}


def _single(written: str) -> tuple[str, str] | None:
    m = re.fullmatch(r"(.*?[A-Za-z°%\"'Ω])\.?(²|³|\^?[23])?", written)
    if not m:
        return None
    stem = m[1]
    found = UNITS.get(stem) or (
        UNITS.get(_LOWER.get(stem.lower(), "")) if len(stem) > 1 or stem.lower() in "glmsh" else None
    )
    if stem.lower() in ("mbps", "kbps", "gbps") and stem not in UNITS:
        found = UNITS[stem[0].upper() + "bps"]
    if found and m[2]:
        power = _POWERS[m[2]]
        found = (f"{power} {found[0]}", f"{power} {found[1]}")
    return found


def unit_names(written: str, *, one: bool) -> list[str]:
    """How a unit is said after a number, the likeliest first; none where it is no unit.

    >>> unit_names("kg", one=True), unit_names("km/h", one=False), unit_names("m³", one=False)
    (['kilogram'], ['kilometers per hour', 'kilometers an hour'], ['cubic meters', 'meters cubed'])
    """
    written = written.strip()
    if written.lower().startswith("fl"):
        return [UNITS["floz"][not one]]
    if written.lower().startswith("sq"):
        m = re.fullmatch(r"sq\.? ?(ft|in|mi|m|km|yd)\.?", written.lower())
        return [f"square {UNITS[m[1]][not one]}"] if m else []
    heads, slash, below = written.partition("/")
    top = _single(heads) if heads else ("", "")
    if top is None:
        return []
    name = top[0] if one else top[1]
    if slash:
        under = _single(below)
        if under is None and below.lower() not in PER:
            return []
        low = PER[below.lower()] if under is None else under[0]
        for power, after in (("square ", "squared"), ("cubic ", "cubed")):
            if low in (f"{power}second", f"{power}millisecond"):
                return [f"{name} per {low.removeprefix(power)} {after}", f"{name} per {low}"]
        if heads.lower() == "cc":
            return [f"{name} per {low}", f"{name} per {' '.join(below.lower())}"]
        article = "an" if low[:1] in "aeio" or low == "hour" else "a"
        return [
            f"{name} per {low}".strip(),
            *([f"{name} {article} {low}"] if low in ("hour", "second", "day", "minute", "week") else []),
        ]
    names = [name]
    for power, after in (("square ", "squared"), ("cubic ", "cubed")):
        if name.startswith(power):
            names.append(f"{name.removeprefix(power)} {after}")
    if name == "feet":
        names.append("foot")
    if " per " in name:
        spelled = " ".join(c for c in written.lower() if c.isalpha())
        names.append(spelled)
    if "degree" in name and " " in name:
        names += [name.split()[0], " ".join([name.split()[0], name.split()[1][0]])]
    return list(dict.fromkeys(names))
