"""Tables of short forms, symbols and names, and how they are said."""

from __future__ import annotations

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
SHORT_MONTHS = {m[:3]: m for m in MONTHS}
ZONES = ("EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "GMT", "UTC", "BST", "CET", "CEST", "ET", "PT", "IST")
_DAYS = ("monday", "tuesday", "thursday", "friday")  # "sun.", "sat." and "wed." are words at the end of a sentence

# always read so when the full stop is there
DOTTED = {
    "mr.": "mister", "mrs.": "missus", "ms.": "ms", "prof.": "professor", "sr.": "senior", "jr.": "junior",
    "gen.": "general", "col.": "colonel", "capt.": "captain", "lt.": "lieutenant", "sgt.": "sergeant",
    "cpl.": "corporal", "maj.": "major", "rev.": "reverend", "hon.": "honorable", "gov.": "governor",
    "sen.": "senator", "rep.": "representative", "messrs.": "messieurs", "mt.": "mount", "ave.": "avenue",
    "blvd.": "boulevard", "rd.": "road", "govt.": "government", "est.": "established", "jct.": "junction",
    "hwy.": "highway", "apt.": "apartment", "adm.": "admiral", "cmdr.": "commander", "supt.": "superintendent",
    "pres.": "president", "atty.": "attorney", "mfg.": "manufacturing", "mgr.": "manager", "asst.": "assistant",
    "univ.": "university", "intl.": "international", "natl.": "national", "pvt.": "private", "sq.": "square",
    "tbsp.": "tablespoon", "tsp.": "teaspoon", "max.": "maximum", "avg.": "average", "min.": "minimum",
    "temp.": "temperature",
    "misc.": "miscellaneous", "corp.": "corporation", "inc.": "incorporated", "ltd.": "limited",
    "dept.": "department", "approx.": "approximately", "etc.": "et cetera", "e.g.": "for example", "eg.": "for example",
    "i.e.": "that is", "ie.": "that is", "vs.": "versus", "cf.": "compare", "a.m.": "a m", "p.m.": "p m",
    "ph.d.": "p h d", "viz.": "namely", "esq.": "esquire", "bros.": "brothers", "assn.": "association",
    **{m[:3] + ".": m for m in MONTHS if m not in ("march", "may")}, "sep.": "september", "sept.": "september",
    **{d[:3] + ".": d for d in _DAYS}, "tues.": "tuesday", "thurs.": "thursday",
}  # fmt: skip
DOTTED |= {key[:-1]: value for key, value in DOTTED.items() if key in ("e.g.", "i.e.", "a.m.", "p.m.", "ph.d.")}
# without the full stop, in this spelling only
UNDOTTED = {
    "Mr": "mister", "Mrs": "missus", "Ms": "ms", "Prof": "professor", "Jr": "junior", "Sr": "senior", "Ltd": "limited",
    "vs": "versus", "etc": "et cetera", "PhD": "p h d", "PhDs": "p h d's", "Sgt": "sergeant", "Capt": "captain",
    "Inc": "incorporated",
    "eg": "for example", "ie": "that is", "am/pm": "a m p m", "w/": "with", "w/o": "without", "Lt": "lieutenant",
    "Col": "colonel", "Mt": "mount", "Blvd": "boulevard", "Corp": "corporation", "Dept": "department",
    "govt": "government",
    "c/o": "care of", "b/c": "because", "n/a": "n a", "N/A": "n a", "a/c": "a c", "A/C": "a c", "Bros": "brothers",
    "Assn": "association", "approx": "approximately", "tsp": "teaspoon", "tbsp": "tablespoon",
}  # fmt: skip
# (before a name, after a name)
BEFORE_NAMES = {
    "dr.": ("doctor", "drive"), "st.": ("saint", "street"), "ft.": ("fort", "feet"),
    "dr": ("doctor", "drive"), "st": ("saint", "street"), "co.": ("company", "company"),
}  # fmt: skip
BEFORE_NUMBERS = {
    "no.": "number", "nos.": "numbers", "vol.": "volume", "fig.": "figure", "ch.": "chapter", "p.": "page",
    "pp.": "pages", "sec.": "section", "eq.": "equation", "pt.": "part", "art.": "article", "tel.": "telephone",
    "no": "number", "nos": "numbers", "vol": "volume", "fig": "figure", "figs.": "figures", "ch": "chapter",
    "chap.": "chapter", "pg.": "page", "pg": "page", "pp": "pages", "para.": "paragraph", "ext.": "extension",
    "apt": "apartment", "ste": "suite", "ste.": "suite", "rm.": "room", "rm": "room", "ver.": "version",
    "ver": "version",
    "ed.": "edition", "hwy": "highway", "rte.": "route", "rte": "route", "bldg.": "building", "bldg": "building",
    "flt.": "flight", "sat.": "saturday", "sun.": "sunday", "wed.": "wednesday",
    "ca.": "circa", "c.": "circa", "op.": "opus", "v.": "version", "q.": "question", "§": "section",
}  # fmt: skip
NUMBERED_THINGS = frozenset({
    "chapter", "part", "volume", "book", "war", "act", "scene", "section", "type", "phase", "figure", "table", "page",
    "super", "rocky", "episode", "season", "group", "category", "tier", "option", "exhibit", "schedule", "annex",
    "verse",
    "canto", "sonata", "symphony", "apollo", "quarter", "round", "game", "day", "week", "grade", "class", "level",
    "mark", "stage", "vol", "fig", "bowl", "step", "unit", "appendix", "article", "title",
})  # fmt: skip
# capitals that are also words, or look like one, but are read as letters
SPELLED = frozenset({
    "US", "USA", "UK", "EU", "UN", "TV", "PC", "ID", "IQ", "AI", "UAE", "IRA", "CEO", "EPA", "IRS", "URL", "FAQ", "OK",
    "UFO", "USB", "ATM", "API", "IT", "HR", "PR", "GPS", "DIY", "ETA", "ER", "ICU", "IV", "LA", "NY", "DC", "AD", "BC",
    "AC", "PE", "IPO", "CIA", "FBI", "VIP", "EMT", "AM", "PM",
})  # fmt: skip
# initialisms of two letters that are everyday words where all is in capitals
ORDINARY = frozenset({"IT", "US", "AM"})
SYMBOLS = {
    "&": "and", "+": "plus", "=": "equals", "%": "percent", "@": "at", "#": "number", "×": "times", "÷": "divided by",
    "°": "degrees", "<": "less than", ">": "greater than", "-": "", "$": "dollars", "£": "pounds", "€": "euros",
    "²": "squared", "³": "cubed", "¥": "yen", "₩": "won", "₹": "rupees", "/": "slash", "*": "asterisk",
    "_": "underscore", "^": "caret",
    "~": "tilde", "\\": "backslash", "|": "pipe", "±": "plus or minus", "≤": "less than or equal to",
    "≥": "greater than or equal to", "≈": "approximately", "≠": "not equal to", "∞": "infinity", "√": "square root of",
    "→": "to", "§": "section", "¶": "paragraph", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon",
    "θ": "theta", "λ": "lambda", "μ": "mu", "π": "pi", "σ": "sigma", "φ": "phi", "ω": "omega", "Ω": "omega",
    "Δ": "delta",
    "Σ": "sigma", "ρ": "rho", "τ": "tau", "χ": "chi", "ψ": "psi", "η": "eta", "¢": "cents",
}  # fmt: skip
# after the name of a street: (before a comma, the end or another such name)
STREETS = {
    "ave": "avenue", "blvd": "boulevard", "rd": "road", "ln": "lane", "ct": "court", "cir": "circle", "pl": "place",
    "ter": "terrace", "sq": "square", "hwy": "highway", "pkwy": "parkway", "expy": "expressway", "fwy": "freeway",
    "trl": "trail", "aly": "alley", "dr": "drive", "st": "street", "tpke": "turnpike", "plz": "plaza",
    "xing": "crossing",
    "cres": "crescent", "bldg": "building", "ctr": "center", "hts": "heights", "pt": "point", "cv": "cove",
    "lp": "loop",
}  # fmt: skip
COMPASS = {
    "N": "north", "S": "south", "E": "east", "W": "west", "NE": "northeast", "NW": "northwest", "SE": "southeast",
    "SW": "southwest",
}  # fmt: skip
STATES = {
    "AL": "alabama", "AK": "alaska", "AZ": "arizona", "AR": "arkansas", "CA": "california", "CO": "colorado",
    "CT": "connecticut", "DE": "delaware", "FL": "florida", "GA": "georgia", "HI": "hawaii", "ID": "idaho",
    "IL": "illinois", "IN": "indiana", "IA": "iowa", "KS": "kansas", "KY": "kentucky", "LA": "louisiana", "ME": "maine",
    "MD": "maryland", "MA": "massachusetts", "MI": "michigan", "MN": "minnesota", "MS": "mississippi", "MO": "missouri",
    "MT": "montana", "NE": "nebraska", "NV": "nevada", "NH": "new hampshire", "NJ": "new jersey", "NM": "new mexico",
    "NY": "new york", "NC": "north carolina", "ND": "north dakota", "OH": "ohio", "OK": "oklahoma", "OR": "oregon",
    "PA": "pennsylvania", "RI": "rhode island", "SC": "south carolina", "SD": "south dakota", "TN": "tennessee",
    "TX": "texas", "UT": "utah", "VT": "vermont", "VA": "virginia", "WA": "washington", "WV": "west virginia",
    "WI": "wisconsin", "WY": "wyoming", "DC": "d c",
}  # fmt: skip
