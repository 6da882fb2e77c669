"""Text with marks of how it is said: `*word*`, `[[W ER1 D]]`, or SSML; what is not known is refused with its place."""

from __future__ import annotations

import re
from dataclasses import replace

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.lexicon import spelled
from prosody_transfer.text.marks import Break, Emphasis, Mark, Marked, Phones, phones_of
from prosody_transfer.text.ssml import read_ssml

_MARKS = re.compile(
    r"\[\[(?P<phones>[^\[\]\n]*)\]\]"
    r"|(?<![\w*])(?P<stars>\*{1,2})(?=[^\s*])(?P<word>[^*\n]{0,79}[^\s*])(?P=stars)(?![\w*])"
)
_STAND_IN = "Thing"  # where no word sounds so; with a capital: what is spelled by phones is often a name


def read_markup(text: str, place: str = "text") -> Marked:
    """A text to what is said and its marks; one that begins with `<speak` is SSML, and in it stars are stars.

    `*word*` and `**word**` are strong emphasis where the stars touch the word and nothing else; "5 * 3" is as it is.

    Raises:
        TranscriptError: A mark is not known or not complete; `place`, line and column are named.

    >>> read_markup("I said *Tuesday*, not [[TH ER1 Z D EY2]].")
    ... # doctest: +NORMALIZE_WHITESPACE
    Marked(text='I said Tuesday, not thursday.', marks=(Emphasis(start=7, end=14, level='strong'),
     Phones(start=20, end=28, phones=('TH', 'ER1', 'Z', 'D', 'EY2'))))
    """
    if is_ssml(text):
        return read_ssml(text, place)
    said, marks = _plain(text, 0, len(text), place)
    return Marked(said, tuple(marks))


def _plain(text: str, start: int, end: int, place: str) -> tuple[str, list[Mark]]:
    """A stretch of a text that is no SSML; places are those in the whole."""
    said: list[str] = []
    marks: list[Mark] = []
    length, last = 0, start
    for match in _MARKS.finditer(text, start, end):
        said.append(text[last : match.start()])
        length += len(said[-1])
        _no_brackets(text, last, match.start(), place)
        if match["phones"] is None:
            word, inner = _plain(text, *match.span("word"), place)
            marks.append(Emphasis(length, length + len(word)))
            marks += [replace(m, start=m.start + length, end=m.end + length) for m in inner if not isinstance(m, Break)]
        else:
            phones = phones_of(match["phones"], position(text, match.start(), place))
            word = spelled(phones) or _STAND_IN
            marks.append(Phones(length, length + len(word), phones))
        said.append(word)
        length += len(word)
        last = match.end()
    _no_brackets(text, last, end, place)
    return "".join([*said, text[last:end]]), marks


def is_ssml(text: str) -> bool:
    """Whether a text is to be read as SSML: it begins with `<speak>`, or a declaration and that."""
    return re.match(r"\ufeff?\s*(<\?xml[^>]*>\s*)?<speak\b", text) is not None


def position(text: str, at: int, place: str) -> str:
    """A place in a text as people find it: line and column, counted from 1.

    >>> position("one\\ntwo", 5, "a.txt")
    'a.txt:2:2'
    """
    line = text.count("\n", 0, at) + 1
    return f"{place}:{line}:{at - (text.rfind(chr(10), 0, at) + 1) + 1}"


def _no_brackets(text: str, start: int, end: int, place: str) -> None:
    """Double brackets that open or close nothing are a mistake; single ones are text."""
    for found in re.finditer(r"\[\[|\]\]", text[start:end]):
        where = position(text, start + found.start(), place)
        problem = f"{found[0]} has no partner on its line"
        raise TranscriptError(problem, place=where, remedy="write phones as in [[W ER1 D]]")
