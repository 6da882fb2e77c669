"""The part of SSML that ptx reads: break, emphasis, prosody, phoneme, sub. All else is refused with its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from math import log2
from xml.parsers import expat

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.marks import LEVELS, Break, Emphasis, Mark, Marked, Phones, Prosody, phones_of

# W3C leaves these to the synthesiser.
BREAKS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0}
RATES = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "default": 0.0, "high": 3.0, "x-high": 6.0}
VOLUMES = {"x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 4.0, "x-loud": 8.0}
LONGEST_BREAK, SEMITONES, DECIBELS = 10.0, 12.0, 24.0
_ATTRIBUTES = {
    "speak": ("version", "xml:lang", "xmlns"), "break": ("strength", "time"), "emphasis": ("level",),
    "prosody": ("rate", "pitch", "volume"), "phoneme": ("alphabet", "ph"), "sub": ("alias",),
}  # fmt: skip
_NUMBER = r"([+-]?[0-9]{1,6}(?:\.[0-9]{1,6})?)"


def read_ssml(text: str, place: str = "text") -> Marked:
    """SSML to what is said and its marks; spaces and line ends are one space.

    `phoneme` has the phones of the CMU dictionary (alphabet "x-arpabet"); `prosody` takes rate (80%, slow), pitch
    (+2st, -10%, high) and volume (+6dB, soft).

    Raises:
        TranscriptError: It is not well formed, or holds an element, attribute or value that is not known; `place`, line
            and column are named.

    >>> read_ssml('<speak>Now <emphasis>go</emphasis><break time="300ms"/> home.</speak>')
    Marked(text='Now go home.', marks=(Emphasis(start=4, end=6, level='moderate'), Break(at=6, seconds=0.3)))
    """
    return _Reader(text, place).read()


class _Reader:
    """One document: elements that are open, the text so far, the marks so far."""

    def __init__(self, text: str, place: str) -> None:
        self.source, self.place = text.lstrip("\ufeff"), place
        self.said, self.length = [" "], 0  # the first space lets no text begin with one
        self.marks: list[Mark] = []
        self.open: list[tuple[str, dict[str, str], int, int]] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.ProcessingInstructionHandler = self.instruction

    def read(self) -> Marked:
        encoding = r"^(\s*<\?xml[^>]*?)encoding\s*=\s*(\"[^\"]*\"|'[^']*')"  # it is text already
        source = re.sub(encoding, r"\1", self.source)
        source = source.lstrip() if source.lstrip().startswith("<?xml") else source
        try:
            self.parser.Parse(source.encode("utf8", "replace"), True)
        except expat.ExpatError as error:
            what = expat.errors.messages.get(error.code, "an error")
            where = f"{self.place}:{error.lineno}:{error.offset + 1}"
            raise TranscriptError(f"is no SSML: {what}", place=where, remedy="mend the markup") from None
        text = "".join(self.said)[1:].rstrip(" ")
        if not text:
            raise TranscriptError("holds no words", place=self.place, remedy="write what is said inside <speak>")
        limit = len(text)
        marks = (_within(mark, limit) for mark in self.marks)
        kept = [m for m in marks if isinstance(m, Break) or m.start < m.end]
        return Marked(text, tuple(sorted(kept, key=lambda m: m.at if isinstance(m, Break) else m.start)))

    def here(self) -> str:
        return f"{self.place}:{self.parser.CurrentLineNumber}:{self.parser.CurrentColumnNumber + 1}"

    def refuse(self, problem: str, remedy: str) -> TranscriptError:
        return TranscriptError(problem, place=self.here(), remedy=remedy)

    def doctype(self, *_: object) -> None:
        raise self.refuse("has a DOCTYPE, which is not read", "leave it out")

    def instruction(self, *_: object) -> None:
        raise self.refuse("has a processing instruction, which is not read", "leave it out")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name not in _ATTRIBUTES or (name == "speak") != (not self.open):
            known = ", ".join(sorted(set(_ATTRIBUTES) - {"speak"}))
            raise self.refuse(f"<{name[:40]}> is not known here", f"known inside <speak>: {known}")
        for attribute in attributes:
            if attribute not in _ATTRIBUTES[name]:
                known = ", ".join(_ATTRIBUTES[name])
                raise self.refuse(f"<{name}> has no attribute {attribute[:40]!r} here", f"known: {known}")
        if self.open and self.open[-1][0] in ("break", "phoneme", "sub"):
            raise self.refuse(f"<{name}> stands in <{self.open[-1][0]}>, which holds text alone", "part them")
        self.check(name, attributes)
        self.open.append((name, attributes, self.length, len(self.said)))

    def check(self, name: str, attributes: dict[str, str]) -> None:
        """Values are refused where the element begins."""
        if name == "speak" and not attributes.get("xml:lang", "en").lower().startswith("en"):
            raise self.refuse(f"{attributes['xml:lang'][:20]!r} is not spoken", "English (en) is")
        if name == "emphasis" and attributes.get("level", "moderate") not in LEVELS:
            raise self.refuse(f"no emphasis is {attributes['level'][:40]!r}", f"known: {', '.join(LEVELS)}")
        if name == "sub" and not attributes.get("alias", "").strip():
            raise self.refuse("<sub> needs alias", 'as in <sub alias="doctor">Dr</sub>')
        if name == "phoneme":
            if attributes.get("alphabet", "").lower() not in ("x-arpabet", "arpabet"):
                raise self.refuse('<phoneme> needs alphabet="x-arpabet"', "write the phones of the CMU dictionary")
            phones_of(attributes.get("ph", ""), self.here())
        if name == "break":
            self.seconds(attributes)
        if name == "prosody":
            self.prosody(attributes, 0)

    def characters(self, data: str) -> None:
        if self.open and self.open[-1][0] == "break" and data.strip():
            raise self.refuse("<break> holds text", "write <break/>")
        if self.open and self.open[-1][0] == "sub":
            return
        self.say(data)

    def say(self, data: str) -> None:
        """Spaces of every kind are one, none at the start."""
        text = re.sub(r"\s+", " ", data)
        if self.said[-1].endswith(" "):
            text = text.removeprefix(" ")
        if text:
            self.said.append(text)
            self.length += len(text)

    def end(self, name: str) -> None:
        _, attributes, start, piece = self.open.pop()
        if name == "break":
            self.marks.append(Break(self.length, self.seconds(attributes)))
        elif name == "sub":
            self.say(attributes["alias"].strip())
        elif name == "emphasis":
            self.marks.append(Emphasis(start, self.length, attributes.get("level", "moderate")))
        elif name == "prosody":
            self.marks.append(self.prosody(attributes, start))
        elif name == "phoneme":
            if not any(map(str.isalnum, "".join(self.said[piece:]))):
                raise self.refuse("<phoneme> holds no word", "write the word in it")
            self.marks.append(Phones(start, self.length, phones_of(attributes["ph"], self.here())))

    def seconds(self, attributes: dict[str, str]) -> float:
        strength = attributes.get("strength", "medium")
        if strength not in BREAKS:
            raise self.refuse(f"no break is {strength[:40]!r}", f"known: {', '.join(BREAKS)}")
        if "time" not in attributes:
            return BREAKS[strength]
        found = re.fullmatch(r"\+?([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s)", attributes["time"].strip())
        seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
        if not 0 <= seconds <= LONGEST_BREAK:
            problem = f"{attributes['time'][:40]!r} is no time of 0 to {LONGEST_BREAK:g} s"
            raise self.refuse(problem, "as in 300ms or 1.5s")
        return seconds

    def prosody(self, attributes: dict[str, str], start: int) -> Prosody:
        rate = self.value(attributes, "rate", RATES, rf"{_NUMBER}%", lambda v, _: v / 100)
        pitch = self.value(attributes, "pitch", PITCHES, rf"{_NUMBER}(st|%)", _semitones)
        volume = self.value(attributes, "volume", VOLUMES, rf"{_NUMBER}dB", lambda v, _: v)
        for name, value, low, high in (("rate", rate, 0.25, 4.0), ("pitch", pitch, -SEMITONES, SEMITONES),
                                       ("volume", volume, -DECIBELS, DECIBELS)):  # fmt: skip
            if not low <= value <= high:
                raise self.refuse(f"{name} {attributes[name][:40]!r} is too far", f"within {low:g} and {high:g}")
        return Prosody(start, self.length, rate, pitch, volume)

    def value(
        self, attributes: dict[str, str], name: str, words: dict[str, float], pattern: str,
        read: Callable[[float, str], float],
    ) -> float:  # fmt: skip
        """A word, or a number with its unit."""
        written = attributes.get(name, "medium").strip()
        if written in words:
            return words[written]
        found = re.fullmatch(pattern, written)
        if not found:
            examples = {"rate": "80%", "pitch": "+2st or -10%", "volume": "+6dB"}
            raise self.refuse(f"{name} {written[:40]!r} is not known", f"as in {examples[name]}, or {', '.join(words)}")
        return float(read(float(found[1]), found[2] if found.re.groups > 1 else ""))


def _semitones(value: float, unit: str) -> float:
    """Semitones, or per cent of F0."""
    if unit == "st":
        return value
    return 12 * log2(max(1e-3, 1 + value / 100))


def _within(mark: Mark, limit: int) -> Mark:
    """A mark that ends where the text does: spaces at the end are cut."""
    if isinstance(mark, Break):
        return Break(min(mark.at, limit), mark.seconds)
    return replace(mark, start=min(mark.start, limit), end=min(mark.end, limit))
