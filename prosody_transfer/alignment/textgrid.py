"""Praat TextGrids: reading all text formats, writing the long one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from prosody_transfer.alignment.anchors import Anchors
from prosody_transfer.alignment.base import fill_gaps
from prosody_transfer.alignment.labels import CLOSURES, alphabet_of, is_silence, restore_stress, to_arpabet
from prosody_transfer.alignment.tiers import Tier, choose_tiers
from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.errors import NoWordsError, TranscriptError
from prosody_transfer.core.reading import TEXTGRID_BYTES, read_bytes
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.encoding import decode

# Praat's own rule: strings in quotes, flags in <>, numbers that stand free; all else is for human readers.
_TOKEN = re.compile(
    r'"(?P<string>(?:[^"]|"")*)"|(?P<flag><[a-z]+>)|(?<!\S)(?P<number>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)(?!\S)|![^\n]*|\S'
)
_REMEDY = "write it again with Praat or an aligner, as a text file"
_CHRONOLOGICAL = "Praat chronological TextGrid text file"
_OVERLAP = 1e-3  # s; rounded times may overlap by this much


def read_textgrid(path: str | Path) -> Alignment:
    """Read the phones (and the words, if any) of one speaker.

    Labels may be ARPABET in any spelling, TIMIT's, IPA or SAMPA; vowels without stress get it from the dictionary.

    Raises:
        TranscriptError: The file is missing, is no TextGrid, has no phone tier or those of several speakers, its times
            run backwards, or a phone is not known (it is named).
    """
    found = read_timed(path, phones=True)
    if isinstance(found, Anchors):
        problem = f"has no tier 'phones' (tiers: {found.tiers})"
        raise TranscriptError(problem, place=str(path), remedy="name the phone tier 'phones'")
    return found


def read_timed(path: str | Path, *, phones: bool = False) -> Alignment | Anchors:
    """Read the phones of one speaker; where there are none, the words or utterances and their times.

    Args:
        phones: Take the tier of phones even if it has no label.

    Raises:
        TranscriptError: As `read_textgrid`, and where there are neither phones nor words.
    """
    place = str(path)
    data = read_bytes(path, TEXTGRID_BYTES, TranscriptError)
    start, end, tiers = parse_textgrid(decode(data), place)
    phone_tier, word_tier = choose_tiers(tiers, place, empty=phones)
    names = ", ".join(repr(t.name) for t in tiers) or "none"
    duration = end - start
    spans = [
        (a - start, b - start, label) for a, b, label in (word_tier.intervals if word_tier else ())
        if b > a and not is_silence(label, word=True)
    ]  # fmt: skip
    if phone_tier is None:
        anchors = Anchors.of(spans, duration, names)
        if not anchors.spans:
            problem = f"has neither phones nor words (tiers: {names})"
            raise NoWordsError(problem, place=place, remedy="name the phone tier 'phones', the word tier 'words'")
        return anchors
    words = tuple(WordInterval(label.strip(), a, b) for a, b, label in spans)
    found = fill_gaps(_phones(phone_tier, start, place), duration)
    return Alignment(restore_stress(found, words), words, duration, "textgrid")


def _phones(tier: Tier, start: float, place: str) -> list[PhoneInterval]:
    """The phones of a tier, in seconds from `start`; TIMIT's closures become part of the stop that follows."""
    alphabet = alphabet_of(tier.labels)
    phones: list[PhoneInterval] = []
    closed: tuple[float, tuple[str, ...]] | None = None
    for a, b, label in tier.intervals:
        try:
            names = to_arpabet(label, alphabet)
        except TranscriptError as error:
            raise TranscriptError(f"{error.problem} (at {a:.2f} s)", place=place, remedy=error.remedy) from None
        if closed and names[0] in closed[1]:
            phones.pop()
            a = closed[0]
        closed = (a, CLOSURES[label.strip().upper()]) if label.strip().upper() in CLOSURES else None
        step = (b - a) / len(names)
        phones += [PhoneInterval(p, a - start + i * step, a - start + (i + 1) * step) for i, p in enumerate(names)]
        if len(names) == 1:  # times as they stand in the file, without the rounding of the step
            phones[-1] = PhoneInterval(names[0], a - start, b - start)
    return phones


def parse_textgrid(text: str, place: str = "TextGrid") -> tuple[float, float, list[Tier]]:
    """The start and end, seconds, and all interval tiers of a TextGrid: long, short, older short, chronological.

    Raises:
        TranscriptError: It is none, it is cut off, or its times run backwards.
    """
    tokens = _values(text)
    try:
        kind = next(tokens)
        chronological = kind == _CHRONOLOGICAL
        if not chronological and (kind not in ("ooTextFile", "ooTextFile short") or next(tokens) != "TextGrid"):
            raise TranscriptError("is not a TextGrid in text format", place=place, remedy=_REMEDY)
        start, end = _number(tokens), _number(tokens)
        exists = chronological or next(tokens) == "<exists>"
        found = (_by_time if chronological else _by_tier)(tokens) if exists else []
        tiers = [Tier(name, _in_order(intervals, start, end, name, place)) for name, intervals in found]
    except (StopIteration, ValueError, OverflowError, IndexError):
        raise TranscriptError("is a damaged TextGrid, or none at all", place=place, remedy=_REMEDY) from None
    if not end > start:
        raise TranscriptError(f"ends at {end} s, where it starts", place=place, remedy=_REMEDY)
    return start, end, tiers


def _by_tier(tokens: Iterator[str | float]) -> list[Tier]:
    """Tiers one after the other; those of points are left out."""
    tiers = []
    for _ in range(int(_number(tokens))):
        kind, name = str(next(tokens)), str(next(tokens))
        _number(tokens), _number(tokens)
        count = int(_number(tokens))
        if kind == "IntervalTier":
            tiers.append(Tier(name, [(_number(tokens), _number(tokens), str(next(tokens))) for _ in range(count)]))
        else:
            for _ in range(count):
                _number(tokens), next(tokens)
    return tiers


def _by_time(tokens: Iterator[str | float]) -> list[Tier]:
    """All intervals and points in the order of their times, each after the number of its tier."""
    tiers = []
    for _ in range(int(_number(tokens))):
        tiers.append((str(next(tokens)), Tier(str(next(tokens)), [])))
        _number(tokens), _number(tokens)
    for number in tokens:
        kind, tier = tiers[int(float(number)) - 1]
        if kind == "IntervalTier":
            tier.intervals.append((_number(tokens), _number(tokens), str(next(tokens))))
        else:
            _number(tokens), next(tokens)
    return [tier for kind, tier in tiers if kind == "IntervalTier"]


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
    write_atomically(path, format_textgrid(alignment).encode())
