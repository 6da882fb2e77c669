"""What is written in a transcript and not said: speakers' labels, directions, markup. Left out, and told."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prosody_transfer.text.script import dialogue_only
from prosody_transfer.text.script_words import DIRECTIONS, NO_DIRECTIONS
from prosody_transfer.text.speakers import LABEL, TIME, cut_labels, without_times

# A span in doubt stands between KEEP or CUT, which say what is done without a recording, and END. These and the
# other control characters are taken out of every text first.
KEEP, CUT, END = "\x01", "\x02", "\x03"
LABEL_KIND, DIRECTION, MARKUP, CLOCK = "a speaker's label", "a direction", "markup", "a time"
_SPAN = re.compile(f"([{KEEP}{CUT}])([^{KEEP}{CUT}{END}]*){END}")
_SHOWN = 6

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9_.-]*)([^<>\n]{0,200})>|<[0-9:.]+>")
_BREAK = re.compile(r"<br ?/?>|</?p>|</?div>|\\N", re.IGNORECASE)
_BRACES = re.compile(r"\{(\\[^{}]*|[yYfFcCsSpP]:[^{}]*|[0-9]+)\}")
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^*_\n]+?)(?<=\S)\1")
_STARS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,80}?)(?<=[^\s*])\*(?![\w*])")
_NOTES = "♩♪♫♬♭♮♯🎵🎶"
_LYRICS = re.compile(f"[{_NOTES}]+([^{_NOTES}\n]*)[{_NOTES}]*")
_LINE_START = re.compile(r"^[ \t]*(?:>+[ \t]*|[-–—•·]+[ \t]*(?=[^\W\d]|[\"“'‘(\[¿¡\x01\x02♪])|\*[ \t]+)+")
_MOST_WORK = 2_000_000  # characters that are looked at, in all rounds
_LONGEST = 200  # characters; more is no direction, but two marks that have lost their partners
_ONCE_MORE = re.compile("â€(?:[\x80-\xbf]|[™œ˜“”¢¦¡ž])")  # UTF-8 that was read as Windows-1252 and stored so


@dataclass(frozen=True)
class LeftOut:
    """One thing that is not said: its kind ("a speaker's label", "a direction", "a time", "markup"), as written."""

    kind: str
    text: str


@dataclass(frozen=True)
class Cleaned:
    """A transcript without what is not said.

    Attributes:
        marked: The text; spans in doubt stand between `KEEP` or `CUT` and `END`.
        surely: What was left out without doubt, in order.
    """

    marked: str
    surely: tuple[LeftOut, ...] = ()

    @property
    def doubts(self) -> list[str]:
        """The spans in doubt, as they are written."""
        return [m[2] for m in _SPAN.finditer(self.marked)]

    @property
    def text(self) -> str:
        """What is said, on one line, as far as the text alone can tell."""
        return self.settled(None).marked

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """All that `text` is without."""
        return self.settled(None).surely

    def settled(self, said: Sequence[bool] | None) -> Cleaned:
        """Without doubts: `said` tells of each span whether it is said; None takes what is usual."""
        dropped: list[LeftOut] = []
        answers = iter(said) if said is not None else None

        def decide(match: re.Match[str]) -> str:
            if next(answers) if answers is not None else match[1] == KEEP:
                return match[2]
            dropped.append(LeftOut(LABEL_KIND if LABEL.fullmatch(match[2].strip()) else DIRECTION, match[2].strip()))
            return " "

        text = " ".join(_SPAN.sub(decide, self.marked).split())
        return Cleaned(text, self.surely + tuple(dropped))

    def note(self) -> str:
        """A line on what was left out; "" when that is nothing."""
        return note_on(self.left_out)


def note_on(left_out: Iterable[LeftOut]) -> str:
    """One line that names what was left out, the same things once.

    >>> note_on([LeftOut("a direction", "(laughs)"), LeftOut("a direction", "(laughs)")])
    'left out as not said: "(laughs)" (a direction), 2 times'
    """
    counts: dict[LeftOut, int] = {}
    for item in left_out:
        shown = " ".join(item.text.split())
        item = LeftOut(item.kind, shown if len(shown) <= 40 else shown[:37] + "...")
        counts[item] = counts.get(item, 0) + 1
    if not counts:
        return ""
    parts = [f'"{i.text}" ({i.kind})' + (f", {n} times" if n > 1 else "") for i, n in counts.items()]
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return f"left out as not said: {'; '.join(parts[:_SHOWN])}{more}"


def clean(text: str) -> Cleaned:
    """A transcript without what is written in it and not said; cleaning its `text` again changes nothing.

    Left out are labels of speakers at the start of a line ("JOHN:", "Dr. Who (V.O.):", ">> ANNA:"), what stands in
    square brackets or braces, parentheses and *stars* that hold a sound or a manner, the marks of subtitles and HTML,
    times, and in a screenplay all but the dialogue. "Remember: ..." and other words that English says before a colon
    stay. What could be either (a parenthesis in a sentence, "Paris: the city of light") is a doubt, which a recording
    can settle.

    Args:
        text: Any text, with its lines.

    >>> clean("JOHN: (laughs) Well, &nbsp;Remember: [door slams] it's <i>ours</i>.").text
    "Well, Remember: it's ours."
    """
    found = _once(text)
    rounds = max(2, _MOST_WORK // (len(found.text) + 1))  # one label a round can be taken from "a: a: a: ..."
    while rounds > 0 and (again := _once(found.text)).text != found.text:  # every round leaves less
        rounds -= 1
        found = Cleaned(again.text, found.left_out + again.left_out)
    return found


def _once(text: str) -> Cleaned:
    dropped: list[LeftOut] = []
    text = _markup(_characters(text), dropped)
    lines = dialogue_only(text.split("\n"), lambda line: dropped.append(LeftOut(DIRECTION, line)))
    lines = without_times(lines, lambda time: dropped.append(LeftOut(CLOCK, time)))
    lines = cut_labels(lines, lambda label: dropped.append(LeftOut(LABEL_KIND, label)), (KEEP, CUT, END))
    text = "\n".join(_LINE_START.sub(" ", line) for line in lines)
    decide = lambda text, start, end: _direction(text, start, end, dropped)
    text = _brackets(text, "[]{}【】［］", decide)
    text = _LYRICS.sub(lambda m: _lyrics(m, dropped), text)
    text = _STARS.sub(lambda m: decide(m.string, m.start(), m.end()), text)
    text = _brackets(text, "()（）", decide)
    return Cleaned(" ".join(_balanced(text).split()), tuple(dropped))


class _Kinds(dict[int, str | None]):
    """What becomes of each character, found out once: invisible ones go, every kind of space is a space."""

    def __missing__(self, code: int) -> str | None:
        c = chr(code)
        kind = unicodedata.category(c)
        if c in "\n\r\x0b\x0c\x85\u2028\u2029":
            self[code] = "\n"
        elif c == "\t" or kind == "Zs":
            self[code] = " "
        else:
            self[code] = None if kind in ("Cc", "Cf", "Cs") else c
        return self[code]


_KINDS = _Kinds()


def _characters(text: str) -> str:
    """Without control characters, invisible ones and halves of pairs."""
    return _ONCE_MORE.sub(_reread, text).translate(_KINDS)


def _reread(match: re.Match[str]) -> str:
    try:
        return match[0].encode("cp1252").decode("utf-8")
    except UnicodeError:
        return match[0]


def _markup(text: str, dropped: list[LeftOut]) -> str:
    def entity(match: re.Match[str]) -> str:
        found = _characters(html.unescape(match[0]))
        if found == match[0] or "\ufffd" in found:
            return match[0] if found == match[0] else " "
        if not found.strip():
            dropped.append(LeftOut(MARKUP, match[0]))
        return found

    def tag(match: re.Match[str]) -> str:
        name = (match[1] or "").lower()
        if name == "v" and match[2].strip() and not match[0].startswith("</"):
            dropped.append(LeftOut(LABEL_KIND, match[0]))
            return "\n"
        if re.search(r"[a-z]{3} [a-z]", match[0]) and "=" not in match[0]:  # <door slams>
            dropped.append(LeftOut(DIRECTION, match[0]))
            return " "
        dropped.append(LeftOut(DIRECTION if name in DIRECTIONS else MARKUP, match[0]))
        return " " if name in DIRECTIONS else ""

    def braces(match: re.Match[str]) -> str:
        dropped.append(LeftOut(MARKUP, match[0]))
        return ""

    def strong(match: re.Match[str]) -> str:
        dropped.append(LeftOut(MARKUP, match[1]))
        return match[2]

    text = _ENTITY.sub(entity, text)
    text = _TAG.sub(tag, _BREAK.sub("\n", text)).replace("\\h", " ")
    return _STRONG.sub(strong, _BRACES.sub(braces, text))


def _brackets(text: str, pairs: str, replace: Callable[[str, int, int], str]) -> str:
    """Replace the outermost balanced brackets; `replace` is given the text, and where one starts and ends."""
    partner = dict(zip(pairs[1::2], pairs[::2], strict=True))
    stack: list[int] = []
    spans: list[tuple[int, int]] = []
    for found in re.finditer(f"[{re.escape(pairs)}]", text):
        i, c = found.start(), found[0]
        if c not in partner:
            stack.append(i)
        elif stack and text[stack[-1]] == partner[c]:
            start = stack.pop()
            while spans and spans[-1][0] > start:
                spans.pop()
            spans.append((start, i + 1))
    result, last = [], 0
    for start, end in spans:
        result += [text[last:start], replace(text, start, end)]
        last = end
    return "".join(result) + text[last:]


def _balanced(text: str) -> str:
    """Spans in doubt that lie in others are decided with the outer ones; marks without a partner are dropped."""
    if KEEP not in text and CUT not in text and END not in text:
        return text
    result: list[str] = []
    depth, opened = 0, -1
    for c in text:
        if c in (KEEP, CUT):
            depth += 1
            if depth == 1:
                opened = len(result)
                result.append(c)
        elif c == END:
            if depth == 1:
                result.append(c)
            depth = max(0, depth - 1)
        else:
            result.append(c)
    if depth and opened >= 0:
        del result[opened]
    return "".join(result)


def _words(text: str) -> list[str]:
    return [w for w in (t.strip(".,;:!?\"'“”‘’-–—…").lower() for t in text.split()) if any(c.isalnum() for c in w)]


def names_a_sound(text: str) -> bool:
    """Whether captions and scripts write this for a sound or a manner: "laughs", "door slams", "V.O."."""
    words = _words(text)
    if not words:
        return True
    short = len(words) <= 5
    return all(w in DIRECTIONS for w in words) or (short and (words[0] in DIRECTIONS or words[-1] in DIRECTIONS))


def _plain(text: str) -> str:
    """As it is without a recording, with the line ends."""
    decided = _SPAN.sub(lambda m: m[2] if m[1] == KEEP else " ", text)
    return decided.translate({ord(c): None for c in (KEEP, CUT, END)})


def _direction(text: str, start: int, end: int, dropped: list[LeftOut]) -> str:
    """What becomes of a bracket, a parenthesis or stars."""
    whole = _plain(text[start:end])
    inside = whole[1:-1]
    if names_a_sound(inside) or TIME.fullmatch(inside.strip()):
        dropped.append(LeftOut(DIRECTION, whole))
        return " "
    if len(whole) > _LONGEST:
        return text[start:end]
    if whole[0] not in "(（*":
        return f"{CUT}{whole}{END}"
    words = _words(inside)
    attached = text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()
    if attached or all(re.fullmatch(r"[\d.,:/%+-]+", w) for w in words):  # word(s), (555) 123 4567
        return text[start:end]
    return f"{CUT if _usual(text, start, end, inside, words) else KEEP}{whole}{END}"


def _usual(text: str, start: int, end: int, inside: str, words: list[str]) -> bool:
    """Whether a parenthesis is usually a direction: by its words, its capitals, its place."""
    if len(words) <= 4 and re.fullmatch(r"\w+(?:ing|ly)", words[0]) and words[0] not in NO_DIRECTIONS:
        return True
    if re.match(r"to [A-Z]", inside) and len(words) <= 3:
        return True
    if len(words) > 1 and inside.upper() == inside and re.search("[a-z]", text):
        return True
    before, after = text[max(0, start - 80) : start].rstrip(" "), text[end : end + 80].lstrip(" ")
    alone = (not before or before[-1] == "\n") and (not after or after[0] == "\n")
    opens = not before or before[-1] in '.!?…\n"”' + END
    return text[start] != "*" and (alone or (opens and inside.rstrip()[-1:] not in ".!?…"))


def _lyrics(match: re.Match[str], dropped: list[LeftOut]) -> str:
    """Notes are marks; what is sung between them may be in the recording, "♪ ominous music ♪" is not."""
    sung = match[1].strip()
    if names_a_sound(sung):
        dropped.append(LeftOut(DIRECTION if sung else MARKUP, match[0].strip()))
        return " "
    dropped.append(LeftOut(MARKUP, match[0].strip()[0]))
    return f" {KEEP}{match[1]}{END} "
