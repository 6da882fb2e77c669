"""Who agreed to be a voice, to what, and until when. Imports nothing heavy."""

from __future__ import annotations

import datetime
import json
import tomllib
from pathlib import Path
from typing import Any

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import read_bytes

UNLIMITED = "unlimited"
CHECKED_BY = "a checksum against accidents, not a signature: who can write the file can change it"
LARGEST_BYTES = 65_536
LONGEST_VALUE = 500
LONGEST_LINE = 1500  # of UTF-8; libsndfile reads INFO chunks of up to 2 kB
TEMPLATE = """\
who: FULL NAME OF THE SPEAKER
purposes: WHAT THEY AGREED TO; AND WHAT ELSE
date: YYYY-MM-DD, when they agreed
until: YYYY-MM-DD, the last day on which the voice may speak, or unlimited
contact: where they, or whoever speaks for them, are reached (may be left out)
"""
_PLACEHOLDERS = {part.strip() for line in TEMPLATE.splitlines() for part in line.partition(": ")[2].split(";")}
_KEYS = tuple(line.partition(":")[0] for line in TEMPLATE.splitlines())
_REMEDY = "write it as 'ptx voice add' without --consent prints it"


class Consent(Config):
    """What a person agreed to.

    Attributes:
        who: Who agreed.
        purposes: What the voice may be used for; at least one.
        date: ISO date on which they agreed.
        until: ISO date of the last day on which the voice may speak, or "unlimited".
        contact: Where they are reached; may be empty.
    """

    who: str
    purposes: tuple[str, ...]
    date: str
    until: str
    contact: str = ""

    def expired(self, today: datetime.date | None = None) -> bool:
        """Whether the last day is over.

        >>> consent = Consent(who="A", purposes=("b",), date="2024-01-01", until="2024-12-31")
        >>> consent.expired(datetime.date(2024, 12, 31))
        False
        """
        if self.until == UNLIMITED:
            return False
        return (today or datetime.date.today()) > datetime.date.fromisoformat(self.until)

    def line(self) -> str:
        """All of it in one line, for the metadata of what the voice speaks."""
        contact = f"; contact: {self.contact}" if self.contact else ""
        return f"{self.who} agreed on {self.date}, until {self.until}, to: {', '.join(self.purposes)}{contact}"


def read_consent(path: str | Path) -> Consent:
    """A consent from a text file ("key: value" lines, purposes parted by ";"), a TOML or a JSON file.

    Raises:
        UsageError: It can't be read, is none of these, or says too little; the message names what is missing.
    """
    place = str(path)
    data = read_bytes(path, LARGEST_BYTES, UsageError)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8 text", place=place, remedy="save it as UTF-8") from None
    return parse_consent(text, place)


def parse_consent(text: str, place: str = "consent") -> Consent:
    """The same from text; dates are ISO dates, and TOML's own dates do too.

    >>> parse_consent("who: Ann Lee\\npurposes: audiobooks; tests\\ndate: 2024-05-01\\nuntil: unlimited").purposes
    ('audiobooks', 'tests')
    """
    values = {key: _plain(value) for key, value in _read(text, place).items()}
    if unknown := [key for key in values if key not in _KEYS]:
        raise UsageError(f"has an unknown key {unknown[0]!r}", place=place, remedy=f"known: {', '.join(_KEYS)}")
    for key in _KEYS[:-1]:
        if not values.get(key):
            raise UsageError(f"does not say {key!r}", place=place, remedy=_REMEDY)
    if isinstance(values["purposes"], str):
        values["purposes"] = [part.strip() for part in values["purposes"].split(";") if part.strip()]
    return check_consent(load_config(Consent, values, place), place)


def check_consent(consent: Consent, place: str = "consent") -> Consent:
    """Itself, or UsageError naming what it can't be: empty, a template, a wrong date, letters that can't be printed."""
    texts = {"who": consent.who, "contact": consent.contact, **{f"purpose {p!r}": p for p in consent.purposes}}
    for key, value in texts.items():
        if not value.strip() and key != "contact":
            raise UsageError(f"{key} is empty", place=place, remedy=_REMEDY)
        if len(value) > LONGEST_VALUE or not value.isprintable():
            problem = f"{key.partition(' ')[0]} is longer than {LONGEST_VALUE} letters, or holds control characters"
            raise UsageError(problem, place=place, remedy=_REMEDY)
        if value in _PLACEHOLDERS:
            raise UsageError(f"is the template still: {value!r}", place=place, remedy="fill it in with the speaker")
    if not consent.purposes:
        raise UsageError("names no purpose", place=place, remedy=_REMEDY)
    if len(consent.line().encode("utf8", "surrogatepass")) > LONGEST_LINE:
        problem = f"is longer than the {LONGEST_LINE} bytes that fit into the metadata of a sound file"
        raise UsageError(problem, place=place, remedy="say it in fewer words")
    given = _date(consent.date, "date", place)
    if given > datetime.date.today() + datetime.timedelta(days=1):  # a day: somewhere it is tomorrow already
        raise UsageError(f"date {consent.date} lies in the future", place=place, remedy="give the day they agreed")
    if consent.until != UNLIMITED and _date(consent.until, "until", place) < given:
        raise UsageError(f"until {consent.until} lies before its date", place=place, remedy="correct one of them")
    return consent


def _read(text: str, place: str) -> dict[str, Any]:
    """JSON where it begins with a brace, TOML where that can be read, else "key: value" lines."""
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            problem = f"is not JSON: {error}".splitlines()[0]
            raise UsageError(problem, place=place, remedy=_REMEDY) from None
        if isinstance(data, dict):
            return data
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        pass
    values: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not colon:
            raise UsageError("has no 'key: value'", place=f"{place}:{number}", remedy=_REMEDY)
        if key in values:
            raise UsageError(f"says {key!r} twice", place=f"{place}:{number}", remedy="leave one out")
        values[key] = value.strip()
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        return UNLIMITED if value.strip().lower() == UNLIMITED else value.strip()
    return value


def _date(value: str, key: str, place: str) -> datetime.date:
    try:
        if len(value) == 10:  # fromisoformat takes weeks and packed dates too
            return datetime.date.fromisoformat(value)
    except ValueError:
        pass
    remedy = "write YYYY-MM-DD" + (f", or {UNLIMITED}" if key == "until" else "")
    raise UsageError(f"{key} {value!r} is no date", place=place, remedy=remedy)
