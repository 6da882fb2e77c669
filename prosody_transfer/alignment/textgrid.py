"""Praat TextGrids: reading both text formats, writing the long one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prosody_transfer.alignment.base import fill_gaps
from prosody_transfer.alignment.labels import SILENCES, restore_stress, to_arpabet
from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.encoding import decode

# Praat's own rule: strings in quotes, flags in <>, numbers that stand free; all else is for human readers.
_TOKEN = re.compile(
    r'"(?P<string>(?:[^"]|"")*)"|(?P<flag><[a-z]+>)|(?<!\S)(?P<number>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)(?!\S)|![^\n]*|\S'
)
_REMEDY = "write it again with Praat or an aligner, as a text file"
_OVERLAP = 1e-3  # s; rounded times may overlap by this much


class Tier(NamedTuple):
    """A named tier of (start, end, label), seconds."""

    name: str
    intervals: list[tuple[float, float, str]]


def read_textgrid(path: str | Path) -> Alignment:
    """Read the phones (and the words, if any) of one speaker.

    The tiers may be called "phones" and "words" in any case, with or without a speaker before ("anna - phones"). Labels
    may be ARPABET or the Montreal Forced Aligner's IPA; vowels without stress get it from the dictionary.

    Raises:
        TranscriptError: The file is missing, is no TextGrid, has no phone tier or those of several speakers, its times
            run backwards, or a phone is not known (it is named).
    """
    place = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TranscriptError(f"cannot be read ({error.strerror})", place=place, remedy="check the path") from error
    start, end, tiers = parse_textgrid(decode(data), place)
    phone_tier = _pick(tiers, ("phones", "phone"), place)
    if phone_tier is None:
        names = ", ".join(repr(t.name) for t in tiers) or "none"
        remedy = "name the phone tier 'phones'"
        raise TranscriptError(f"has no tier 'phones' (tiers: {names})", place=place, remedy=remedy)
    word_tier = _pick(tiers, ("words", "word"), place)
    duration = end - start
    words = tuple(
        WordInterval(label.strip(), a - start, b - start)
        for a, b, label in (word_tier.intervals if word_tier else ())
        if label.strip().lower() not in SILENCES
    )
    phones: list[PhoneInterval] = []
    for a, b, label in phone_tier.intervals:
        try:
            names_here = to_arpabet(label)
        except TranscriptError as error:
            raise TranscriptError(f"{error.problem} (at {a:.2f} s)", place=place, remedy=error.remedy) from None
        step = (b - a) / len(names_here)
        phones += [PhoneInterval(p, a - start + i * step, a - start + (i + 1) * step) for i, p in enumerate(names_here)]
        if len(names_here) == 1:  # times as they stand in the file, without the rounding of the step
            phones[-1] = PhoneInterval(names_here[0], a - start, b - start)
    return Alignment(restore_stress(fill_gaps(phones, duration), words), words, duration, "textgrid")


def parse_textgrid(text: str, place: str = "TextGrid") -> tuple[float, float, list[Tier]]:
    """The start and end, seconds, and all interval tiers of a TextGrid in either text format.

    Raises:
        TranscriptError: It is none, it is cut off, or its times run backwards.
    """
    tokens = _values(text)
    try:
        if next(tokens) != "ooTextFile" or next(tokens) != "TextGrid":
            raise TranscriptError("is not a TextGrid in text format", place=place, remedy=_REMEDY)
        start, end = _number(tokens), _number(tokens)
        tiers = []
        for _ in range(int(_number(tokens)) if next(tokens) == "<exists>" else 0):
            kind, name = str(next(tokens)), str(next(tokens))
            _number(tokens), _number(tokens)
            count = int(_number(tokens))
            if kind == "IntervalTier":
                found = [(_number(tokens), _number(tokens), str(next(tokens))) for _ in range(count)]
                tiers.append(Tier(name, _in_order(found, start, end, name, place)))
            else:  # a point tier
                for _ in range(count):
                    _number(tokens), next(tokens)
    except (StopIteration, ValueError, OverflowError):
        raise TranscriptError("is a damaged TextGrid, or none at all", place=place, remedy=_REMEDY) from None
    if not end > start:
        raise TranscriptError(f"ends at {end} s, where it starts", place=place, remedy=_REMEDY)
    return start, end, tiers


def _values(text: str) -> Iterator[str | float]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "string":
            yield match["string"].replace('""', '"')
        elif match.lastgroup == "number":
            yield float(match["number"])
        elif match.lastgroup == "flag":
            yield match["flag"]


def _number(tokens: Iterator[str | float]) -> float:
    value = next(tokens)
    if isinstance(value, str) or not math.isfinite(value):
        raise ValueError(value)
    return value


def _in_order(
    intervals: list[tuple[float, float, str]], start: float, end: float, name: str, place: str
) -> list[tuple[float, float, str]]:
    last = start
    for a, b, label in intervals:
        if b < a or a < last - _OVERLAP or b > end + _OVERLAP:
            raise TranscriptError(f"tier {name!r}: {label!r} at {a} s is out of order", place=place, remedy=_REMEDY)
        last = b
    return intervals


def _pick(tiers: list[Tier], names: tuple[str, ...], place: str) -> Tier | None:
    found = [t for t in tiers if t.name.strip().lower().split(" - ")[-1].strip() in names]
    if len(found) > 1:
        listed = ", ".join(repr(t.name) for t in found)
        raise TranscriptError(f"has several speakers ({listed})", place=place, remedy="keep one speaker's tiers")
    return found[0] if found else None


def format_textgrid(alignment: Alignment) -> str:
    """The TextGrid as text: tiers "words" and "phones", silence as "sil"."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {alignment.duration!r}"]
    words = _covered([(w.start, w.end, w.word) for w in alignment.words], alignment.duration)
    phones = [(p.start, p.end, "sil" if p.phone == SILENCE else p.phone) for p in alignment.phones]
    tiers = (("words", words), ("phones", phones))
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for i, (name, intervals) in enumerate(tiers, 1):
        lines += [f"    item [{i}]:", '        class = "IntervalTier"', f'        name = "{name}"', "        xmin = 0"]
        lines += [f"        xmax = {alignment.duration!r}", f"        intervals: size = {len(intervals)}"]
        for j, (start, end, label) in enumerate(intervals, 1):
            lines += [f"        intervals [{j}]:", f"            xmin = {start!r}", f"            xmax = {end!r}"]
            lines.append('            text = "{}"'.format(label.replace('"', '""')))
    return "\n".join(lines) + "\n"


def _covered(intervals: list[tuple[float, float, str]], duration: float) -> list[tuple[float, float, str]]:
    """Without empty intervals, and with "" between them, as Praat demands."""
    result, last = [], 0.0
    for start, end, label in intervals:
        if end <= start:
            continue
        if start > last:
            result.append((last, start, ""))
        result.append((start, end, label))
        last = end
    if last < duration:
        result.append((last, duration, ""))
    return result


def write_textgrid(alignment: Alignment, path: str | Path) -> None:
    """Write a TextGrid, whole or not at all, in UTF-8.

    Raises:
        OutputError: It cannot be written.
    """
    write_atomically(path, format_textgrid(alignment).encode(), folder=False)
