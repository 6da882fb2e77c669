"""Screenplays and play scripts: of a page, what the characters say."""

from __future__ import annotations

import re
from collections.abc import Callable

from prosody_transfer.text.script_words import SCENES, TRANSITIONS

_SCENE = re.compile(rf"\s*(?:[0-9]+[A-Z]?\.?\s+)?{SCENES}.*")
_TRANSITION = re.compile(rf"\s*(?:{TRANSITIONS})\s*")
_CUE = re.compile(r"\s*[A-Z][A-Z0-9 .'’#&/-]{1,38}(?:\s*\([^()]{1,30}\))*\s*(?:\^)?")
_PAGE = re.compile(r"\s*[0-9]{1,3}\.?\s*")


def dialogue_only(lines: list[str], drop: Callable[[str], None]) -> list[str]:
    """The lines of a text without what a script has around the dialogue; other texts come back as they are.

    With the heading of a scene ("INT. KITCHEN - DAY") it is a screenplay: a name in capitals on a line of its own, and
    the lines below it up to the next empty one are said, all else is not. Without, only such names over at least two
    speeches are left out, and stay where they could be a heading.

    Args:
        drop: Told of each line that is left out.
    """
    scenes = any(_SCENE.fullmatch(line) for line in lines)
    cues = [i for i in range(len(lines)) if _is_cue(lines, i)]
    if scenes and cues:
        return _spoken(lines, set(cues), drop)
    if len(cues) < 2:
        return lines
    for i in cues:
        drop(lines[i].strip())
    return ["" if i in set(cues) else line for i, line in enumerate(lines)]


def _is_cue(lines: list[str], i: int) -> bool:
    """Capitals alone on a line, with an empty line (or nothing) above and small letters below."""
    line = lines[i]
    if not _CUE.fullmatch(line) or _SCENE.fullmatch(line) or _TRANSITION.fullmatch(line):
        return False
    below = lines[i + 1].strip() if i + 1 < len(lines) else ""
    above = lines[i - 1].strip() if i else ""
    speech = bool(below) and (below.upper() != below or below.startswith("("))
    return speech and not above and line.count(" ", len(line) - len(line.lstrip())) <= 5


def _spoken(lines: list[str], cues: set[int], drop: Callable[[str], None]) -> list[str]:
    kept, speaking = [], False
    for i, line in enumerate(lines):
        if i in cues:
            speaking = True
        elif not line.strip():
            speaking = False
        if speaking and i not in cues and not _PAGE.fullmatch(line):
            kept.append(line)
        else:
            kept.append("")
            if line.strip():
                drop(line.strip())
    return kept
