"""Labels that say who speaks, at the start of a line: which are certain, which could be speech."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from prosody_transfer.text.script_words import DIRECTIONS, PARTICLES, ROLES, SAID_BEFORE_COLONS, TITLES

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]{1,3})?"
TIME = re.compile(rf"\s*[\[(<]?\s*{_CLOCK}(?:\s*(?:-->|[-–—])\s*{_CLOCK})?\s*[\])>]?\s*")
"""A time or a stretch of time, alone."""
_LONG_TIME = re.compile(r"\s*[\[(<]?[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,3})?[\])>]?\s*(?:[-–—]\s*)?(?=[^\s\d:])")
_SHORT_TIME = re.compile(r"\s*[0-9]{1,2}:[0-9]{2}\s+(?=\S)")
_NAME = r"(?:[^\W\d_][^\s:：;,!?()\[\]{}<>\"“”*=/]*|[0-9]{1,2}|#[0-9]{1,2}|&)"
_ASIDE = r"(?:[ \t]*(?:\([^()\n]{0,40}\)|\[[^\[\]\n]{0,40}\]))"
LABEL = re.compile(rf"(?=[^\W\d_])({_NAME}(?:[ \t]+{_NAME}){{0,4}})({_ASIDE}{{0,2}})[ \t]*[:：]")
"""A name of up to five words, with an aside or none, and a colon."""
_START = re.compile(r"[ \t]*(?:(>{1,3})[ \t]*|[-–—•·][ \t]*)?[\"“]?")
_AFTER = re.compile(r"(?=[\s\"“'‘(\[♪*\x01\x02-]|$|[A-Z])")
_SENTENCE_END = re.compile(r"(?<=[.!?…\"”\])])[ \t]+(?=[^\W\d_])")
_NAMED_TIME = re.compile(rf"\s*({_NAME}(?:[ \t]+{_NAME}){{0,3}})[ \t]+[\[(]?{_CLOCK}[\])]?\s*")
_NUMBERED = re.compile("(?:speaker|spk|person|voice|participant|interviewer|user|guest|s)[ _-]?#?[0-9]{1,3}")

_SURE, _LIKELY, _UNLIKELY, _NO = range(4)


def cut_labels(lines: list[str], drop: Callable[[str], None], marks: tuple[str, str, str]) -> list[str]:
    """Lines without labels at their start; labels in doubt stand between marks.

    Certain are roles ("NARRATOR:", "Speaker 2:"), labels after ">>" or with an aside ("DR. WHO (V.O.):"), and
    names that come back or take turns. Likely is a name in capitals, or one whose sentence begins with a capital; words
    that English says before a colon are none, in a shouted text neither.

    Args:
        drop: Told of each label that is certain.
        marks: What stands before spans that are kept and that are cut without a recording, and after both.
    """
    shouted = "\n".join(lines).upper() == "\n".join(lines)
    found = [m for line in lines for m in [_at_start(line)[1]] if m is not None and _could_be(m[1])]
    counts = Counter(_key(m[1]) for m in found)
    full = sum(1 for line in lines if line.strip())
    turns = len(counts) > 1 and len(found) * 2 >= full
    certain = {name for name, n in counts.items() if n > 1 or turns}
    return [_cut_line(line, certain, shouted, drop, marks) for line in lines]


def _cut_line(
    line: str, certain: set[str], shouted: bool, drop: Callable[[str], None], marks: tuple[str, str, str]
) -> str:
    keep, cut, end = marks
    start, match, quoted = _at_start(line)
    result, at = [line[:start]], start
    while True:
        sure = _judge(match, line, certain, shouted, quoted) if match else _NO
        if match and sure != _NO and (at == start or sure == _SURE or _capitals(match[1])):
            if sure == _SURE:
                drop(match[0].strip())
                result.append(" ")
            else:
                result.append(f"{cut if sure == _LIKELY else keep}{match[0]}{end}")
            at = match.end()
        following = _SENTENCE_END.search(line, at)
        result.append(line[at : following.end() if following else len(line)])
        if following is None:
            return "".join(result)
        at, quoted = following.end(), False
        match = _label_at(line, at)


def _at_start(line: str) -> tuple[int, re.Match[str] | None, bool]:
    """Where the text of a line starts, the label there, and whether ">>" stands before it."""
    begin = _START.match(line)
    assert begin is not None
    return begin.end(), _label_at(line, begin.end()), begin[1] is not None


def _label_at(line: str, at: int) -> re.Match[str] | None:
    match = LABEL.match(line, at)
    return match if match and _AFTER.match(line, match.end()) else None


def _key(name: str) -> str:
    return " ".join(name.lower().split())


def _tokens(name: str) -> list[str]:
    return [t.strip(".,'’").lower() for t in name.split()]


def _capitals(name: str) -> bool:
    letters = [c for c in name if c.isalpha()]
    return len(letters) > 1 and name.upper() == name


def _role(tokens: list[str]) -> bool:
    plain = [t for t in tokens if not re.fullmatch(r"#?[0-9]+|[a-z]", t) or len(tokens) == 1]
    numbered = _NUMBERED.fullmatch(" ".join(tokens))
    return bool(numbered) or (bool(plain) and (plain[0] in ROLES or plain[-1] in ROLES) and len(plain) <= 3)


def _named(name: str) -> bool:
    """Every word with a capital, but for "of" and "van"."""
    words = name.split()
    return all(w[0].isupper() or w[0] in "#&" or w.isdigit() or w in PARTICLES for w in words) and words[0][0].isupper()


def _said(tokens: list[str]) -> bool:
    titled = len(tokens) > 1 and tokens[0] in TITLES
    return not titled and not SAID_BEFORE_COLONS.isdisjoint((tokens[0], tokens[-1]))


def _could_be(name: str) -> bool:
    """Whether a name's coming back would make it a label."""
    tokens = _tokens(name)
    return not _said(tokens) and (_named(name) or len(tokens) == 1) or (_role(tokens) and not _said(tokens[:1]))


def _judge(match: re.Match[str], line: str, certain: set[str], shouted: bool, quoted: bool) -> int:
    name, aside = match[1], match[2].strip(" \t()[]")
    tokens = _tokens(name)
    if any(w[-1] == "." and len(t) > 1 and t not in TITLES for w, t in zip(name.split()[:-1], tokens, strict=False)):
        return _NO  # a sentence that ends before the label
    if (quoted or _key(name) in certain or _role(tokens)) and (_could_be(name) or _role(tokens)):
        numbered = len(tokens) > 1 or re.search(r"[0-9]$", name)
        if quoted or _key(name) in certain or name[0].isupper() or numbered:
            return _SURE
        return _LIKELY
    if _said(tokens) or not _named(name):
        return _NO
    if aside and (aside.upper() == aside or any(w.strip(".,").lower() in DIRECTIONS for w in aside.split())):
        return _SURE
    rest = line[match.end() :].lstrip(" \t\"“'‘")
    if _capitals(name) and not shouted or tokens[0] in TITLES or len(tokens) > 1 or aside:
        return _LIKELY
    return _LIKELY if rest[:1].isupper() or not rest or rest[0] in "([*♪" else _UNLIKELY


def without_times(lines: list[str], drop: Callable[[str], None]) -> list[str]:
    """Lines that are a time are left out, and times before lines: with hours, or on most lines."""
    short = sum(1 for line in lines if _SHORT_TIME.match(line))
    most = short > 2 and short * 2 >= sum(1 for line in lines if line.strip())
    result = []
    for line in lines:
        match = _LONG_TIME.match(line) or (_SHORT_TIME.match(line) if most else None)
        named = _NAMED_TIME.fullmatch(line)
        if line.strip() and TIME.fullmatch(line) or named and _named(named[1]) and not _said(_tokens(named[1])):
            drop(line.strip())
            line = ""
        elif match:
            drop(match[0].strip())
            line = line[match.end() :]
        result.append(line)
    return result
