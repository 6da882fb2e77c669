"""Tables for `normalise`: short forms, units, symbols and how they are said."""

from __future__ import annotations

_MONTHS = ("january", "february", "march", "april", "june", "july", "august", "october", "november", "december")
_DAYS = ("monday", "tuesday", "thursday", "friday")  # "sun.", "sat." and "wed." are words at the end of a sentence

# always read so when the full stop is there
DOTTED = {
    "mr.": "mister", "mrs.": "missus", "ms.": "ms", "prof.": "professor", "sr.": "senior", "jr.": "junior",
    "gen.": "general", "col.": "colonel", "capt.": "captain", "lt.": "lieutenant", "sgt.": "sergeant",
    "cpl.": "corporal", "maj.": "major", "rev.": "reverend", "hon.": "honorable", "gov.": "governor",
    "sen.": "senator", "rep.": "representative", "messrs.": "messieurs", "mt.": "mount", "ave.": "avenue",
    "blvd.": "boulevard", "rd.": "road", "corp.": "corporation", "inc.": "incorporated", "ltd.": "limited",
    "dept.": "department", "approx.": "approximately", "etc.": "et cetera", "e.g.": "for example", "eg.": "for example",
    "i.e.": "that is", "ie.": "that is", "vs.": "versus", "cf.": "compare", "a.m.": "a m", "p.m.": "p m",
    "ph.d.": "p h d", "viz.": "namely", "esq.": "esquire", "bros.": "brothers", "assn.": "association",
    **{m[:3] + ".": m for m in _MONTHS if m != "march"}, "sep.": "september", "sept.": "september",
    **{d[:3] + ".": d for d in _DAYS}, "tues.": "tuesday", "thurs.": "thursday",
}  # fmt: skip
DOTTED |= {key[:-1]: value for key, value in DOTTED.items() if key in ("e.g.", "i.e.", "a.m.", "p.m.", "ph.d.")}
# without the full stop, in this spelling only
UNDOTTED = {
    "Mr": "mister", "Mrs": "missus", "Ms": "ms", "Prof": "professor", "Jr": "junior", "Sr": "senior", "Ltd": "limited",
    "vs": "versus", "etc": "et cetera", "PhD": "p h d", "Sgt": "sergeant", "Capt": "captain", "Inc": "incorporated",
    "eg": "for example", "ie": "that is", "am/pm": "a m p m", "w/": "with", "w/o": "without",
}  # fmt: skip
# (before a name, after a name)
BEFORE_NAMES = {
    "dr.": ("doctor", "drive"), "st.": ("saint", "street"), "ft.": ("fort", "feet"),
    "dr": ("doctor", "drive"), "st": ("saint", "street"), "co.": ("company", "company"),
}  # fmt: skip
BEFORE_NUMBERS = {
    "no.": "number", "nos.": "numbers", "vol.": "volume", "fig.": "figure", "ch.": "chapter", "p.": "page",
    "pp.": "pages", "sec.": "section", "eq.": "equation", "pt.": "part", "art.": "article", "tel.": "telephone",
}  # fmt: skip
NUMBERED_THINGS = frozenset({
    "chapter", "part", "volume", "book", "war", "act", "scene", "section", "type", "phase", "figure", "table", "page",
    "grade", "class", "level", "mark", "stage", "vol", "fig", "bowl", "step", "unit", "appendix", "article", "title",
})  # fmt: skip
# capitals that are also words, or look like one, but are read as letters
SPELLED = frozenset({
    "US", "USA", "UK", "EU", "UN", "TV", "PC", "ID", "IQ", "AI", "UAE", "IRA", "CEO", "EPA", "IRS", "URL", "FAQ", "OK",
    "UFO", "USB", "ATM", "API",
})  # fmt: skip
SYMBOLS = {
    "&": "and", "+": "plus", "=": "equals", "%": "percent", "@": "at", "#": "number", "×": "times", "÷": "divided by",
    "°": "degrees", "<": "less than", ">": "greater than", "-": "", "$": "dollars", "£": "pounds", "€": "euros",
    "¥": "yen",
}  # fmt: skip
# unit: (after one, after any other number)
UNITS = {
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "mg": ("milligram", "milligrams"),
    "km": ("kilometer", "kilometers"), "m": ("meter", "meters"), "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "mi": ("mile", "miles"), "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"), "ft": ("foot", "feet"), "yd": ("yard", "yards"), "l": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"), "mph": ("mile per hour", "miles per hour"),
    "km/h": ("kilometer per hour", "kilometers per hour"), "kmh": ("kilometer per hour", "kilometers per hour"),
    "hz": ("hertz", "hertz"), "khz": ("kilohertz", "kilohertz"), "mhz": ("megahertz", "megahertz"),
    "ghz": ("gigahertz", "gigahertz"), "kb": ("kilobyte", "kilobytes"), "mb": ("megabyte", "megabytes"),
    "gb": ("gigabyte", "gigabytes"), "tb": ("terabyte", "terabytes"), "kw": ("kilowatt", "kilowatts"),
    "w": ("watt", "watts"), "v": ("volt", "volts"), "db": ("decibel", "decibels"),
    "ms": ("millisecond", "milliseconds"),
    "s": ("second", "seconds"), "sec": ("second", "seconds"), "min": ("minute", "minutes"), "h": ("hour", "hours"),
    "hr": ("hour", "hours"), "hrs": ("hour", "hours"), "k": ("thousand", "thousand"), "bn": ("billion", "billion"),
    "°c": ("degree celsius", "degrees celsius"), "°f": ("degree fahrenheit", "degrees fahrenheit"),
    "°": ("degree", "degrees"), "x": ("times", "times"),
}  # fmt: skip
_CAPITALS = ("Hz", "kHz", "MHz", "GHz", "KB", "MB", "GB", "TB", "kW", "dB", "°C", "°F")
UNITS |= {name: UNITS[name.lower()] for name in _CAPITALS}
