"""Subtitles given as a transcript: SRT, WebVTT, ASS and SSA as lines of text, each once."""

from __future__ import annotations

import re
import warnings
from typing import Any

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
_ARROW = re.compile(r"^\s*(?:\d+:)?\d{1,2}:\d{2}[.,:]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,:]\d{1,3}", re.MULTILINE)
_STAMP = re.compile(r"<(?:\d+:)?\d{2}:\d{2}\.\d{3}>")
_SCRIPT = re.compile(r"^\s*\[Script Info\]|^Dialogue:\s*(?:Marked=)?\d*\s*,\s*\d+:\d{2}:\d{2}", re.MULTILINE)
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")


def is_subtitles(text: str) -> bool:
    """Whether a text is a file of subtitles, told by what is in it."""
    start = text.lstrip("\ufeff \n\t")
    return bool(start.startswith("WEBVTT") or _ARROW.search(text) or _SCRIPT.search(text))


def lines_of(text: str) -> list[str]:
    """What subtitles say, a list of lines in the order of their times, markup of the lines left in.

    Left out are comments, drawings, styles, cues said twice at one time (layers), and the lines that rolling captions
    repeat from one cue to the next.

    Raises:
        ValueError: They can't be read.
    """
    cues = [(e.start, e.end, _visible(e)) for e in _events(text)]
    cues.sort(key=lambda cue: cue[0])
    rolling = bool(_STAMP.search(text)) or _rolls([lines for _, _, lines in cues])
    result: list[str] = []
    before: list[str] = []
    seen: set[tuple[int, int, tuple[str, ...]]] = set()
    for start, end, lines in cues:
        if not lines or (key := (start, end, tuple(lines))) in seen:
            continue
        seen.add(key)
        shared = _shared(before, lines) if rolling else 0
        result += lines[shared:]
        before = lines
    return result


def _events(text: str) -> list[Any]:
    import pysubs2

    text = text.lstrip("\ufeff")
    if text.lstrip().startswith("WEBVTT"):  # blocks of notes and styles, and names of cues, are no text
        blocks = [b[m.start() :] for b in re.split(r"\n[ \t]*\n", text) if (m := _ARROW.search(b))]
        text = "WEBVTT\n\n" + "\n\n".join(blocks) + "\n"
    kind = "ass" if _SCRIPT.search(text) else "vtt" if text.startswith("WEBVTT") else "srt"
    if kind == "ass" and "[Events]" not in text:
        text = "[Script Info]\n\n[Events]\n" + text
    try:
        with warnings.catch_warnings():  # of fields that are not the words
            warnings.simplefilter("ignore")
            found = pysubs2.SSAFile.from_string(text, format_=kind, keep_html_tags=True)
    except Exception as error:  # it raises whatever its parsers come upon
        raise ValueError(str(error)) from error
    return [e for e in found if not e.is_comment and not e.is_drawing and not e.effect.lower().startswith("fx")]


def _visible(event: Any) -> list[str]:
    text = _STAMP.sub("", event.text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    text = re.sub(r"\{\\k[^{}]*\}", "", text, flags=re.IGNORECASE)  # the syllables of a song are one word
    return [" ".join(line.split()) for line in text.split("\n") if _OVERRIDE.sub("", line).strip()]


def _plain(line: str) -> str:
    return re.sub(r"<[^<>]*>", "", line).strip()


def _shared(before: list[str], lines: list[str]) -> int:
    """How many of the first lines are the last ones of the cue before."""
    for size in range(min(len(before), len(lines)), 0, -1):
        if [*map(_plain, before[-size:])] == [*map(_plain, lines[:size])]:
            return size
    return 0


def _rolls(cues: list[list[str]]) -> bool:
    """Captions that move up a line at a time: most cues begin with what the one before ended with."""
    pairs = list(zip(cues, cues[1:], strict=False))
    return len(pairs) > 2 and 2 * sum(_shared(a, b) > 0 for a, b in pairs) >= len(pairs)
