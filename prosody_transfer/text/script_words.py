"""What tells, in a transcript or a script, a speaker's label or a direction from what is said: lists of words."""

from __future__ import annotations

from pathlib import Path

_DATA = Path(__file__).parent / "data" / "script_words.txt"


def _read() -> dict[str, frozenset[str]]:
    """The lists of the data file by name: lines of words under a name in brackets, "#" before a remark."""
    lists: dict[str, list[str]] = {}
    name = ""
    for line in _DATA.read_text(encoding="utf8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif name and line and not line.startswith("#"):
            lists.setdefault(name, []).extend(line.split())
    return {key: frozenset(words) for key, words in lists.items()}


_LISTS = _read()
ROLES = _LISTS["roles"]
"""Who speaks, where no name is given: before a colon these are labels, with or without a number."""
SAID_BEFORE_COLONS = _LISTS["said_before_colons"]
"""What English says before a colon: "Remember: ...", "Step two: ..."; a label that begins or ends so is kept."""
PARTICLES = _LISTS["particles"]
"""Words in small letters inside names."""
TITLES = _LISTS["titles"]
"""Words before names."""
DIRECTIONS = _LISTS["directions"]
"""Sounds and manners, as captions and scripts name them between brackets."""
NO_DIRECTIONS = _LISTS["no_directions"]
"""Words that look like manners ("-ing", "-ly") and are none."""

SCENES = r"(?:INT|EXT|EST|I/E|INT\.?/EXT|EXT\.?/INT)[. ]"
"""How the heading of a scene begins in a screenplay."""
TRANSITIONS = (
    r"(?:FADE|CUT|SMASH CUT|MATCH CUT|JUMP CUT|DISSOLVE|WIPE|TIME CUT|BACK|INTERCUT)\b[A-Z' ]*(?:IN|OUT|TO|WITH)\b.*"
    r"|\(?(?:MORE|CONTINUED|CONT'D|THE END|END)\)?:?"
)
"""What a screenplay says between scenes; in capitals."""
