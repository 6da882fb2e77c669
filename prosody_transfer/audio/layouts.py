"""Rates, and names of channels: what files call them, what people call them, and which one is meant."""

from __future__ import annotations

from collections.abc import Sequence

from prosody_transfer.core.errors import AudioError, UsageError

MIN_RATE, MAX_RATE = 8_000, 192_000  # Hz, of recordings and results
# In the order of the bits of a wav's loudspeaker mask; FFmpeg's names.
MASK = (
    "FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR",
)  # fmt: skip
_FLAC = {
    1: "FC", 2: "FL FR", 3: "FL FR FC", 4: "FL FR BL BR", 5: "FL FR FC BL BR", 6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR", 8: "FL FR FC LFE BL BR SL SR",
}  # fmt: skip
_OGG = {
    1: "FC", 2: "FL FR", 3: "FL FC FR", 4: "FL FR BL BR", 5: "FL FC FR BL BR", 6: "FL FC FR BL BR LFE",
    7: "FL FC FR SL SR BC LFE", 8: "FL FC FR SL SR BL BR LFE",
}  # fmt: skip
LFE = ("LFE", "LFE2")
_SHOWN = {"FL": "L", "FR": "R", "FC": "C", "BC": "Cs"}
# What people call a channel -> what it may be called in a file, the first that is there.
_CALLED = {
    "l": ("FL", "DL"), "left": ("FL", "DL"), "r": ("FR", "DR"), "right": ("FR", "DR"), "c": ("FC",), "center": ("FC",),
    "centre": ("FC",), "mono": ("FC",), "m": ("FC",), "sub": ("LFE",), "ls": ("SL", "BL"), "rs": ("SR", "BR"),
    "lss": ("SL",), "rss": ("SR",), "lb": ("BL",), "rb": ("BR",), "lrs": ("BL",), "rrs": ("BR",), "lsr": ("BL",),
    "rsr": ("BR",), "cs": ("BC",), "s": ("BC",), "lc": ("FLC",), "rc": ("FRC",), "lfe2": ("LFE2",),
    **{name.lower(): (name,) for name in MASK},
}  # fmt: skip


def file_names(kind: str, channels: int, mask: int = 0) -> tuple[str, ...]:
    """FFmpeg's names of a file's channels in their order, or () where the file does not tell.

    Args:
        kind: libsndfile's name of the format.
        mask: Of loudspeakers, from a wav.

    >>> file_names("WAVEX", 2, 0b1100), file_names("OGG", 3)
    (('FC', 'LFE'), ('FL', 'FC', 'FR'))
    """
    if mask:
        names = tuple(name for bit, name in enumerate(MASK) if mask >> bit & 1)
        return names if len(names) == channels else ()
    table = {"FLAC": _FLAC, "OGG": _OGG}.get(kind, {k: v for k, v in _FLAC.items() if k < 3})
    return tuple(table[channels].split()) if channels in table else ()


def shown(names: Sequence[str], index: int) -> str:
    """A channel for people: its number from 1, with its name where that is known.

    >>> shown(("FL", "FR"), 1), shown((), 6)
    ('2 (R)', '7')
    """
    if index >= len(names):
        return str(index + 1)
    name = names[index]
    if name in ("BL", "BR", "SL", "SR"):
        name = {"L": "L", "R": "R"}[name[1]] + ("b" if name[0] == "B" and f"S{name[1]}" in names else "s")
    return f"{index + 1} ({_SHOWN.get(name, name)})"


def check_channel(channel: str | int | None) -> None:
    """Refuse, before any file is opened, what can be no channel.

    Raises:
        UsageError: It is neither a number from 1 nor a known name.
    """
    if channel is None:
        return
    word = str(channel).strip()
    if (word.isascii() and word.isdigit() and 0 < int(word) <= 1024) or word.lower() in _CALLED:
        return
    remedy = "give a number from 1, or one of L, R, C, LFE, Ls, Rs, Lb, Rb, Cs"
    raise UsageError(f"{word!r} is no channel", place="--channel", remedy=remedy)


def find_channel(channel: str | int, names: Sequence[str], count: int, place: str) -> int:
    """Index of the channel that is meant.

    Args:
        channel: A number from 1, or a name such as L, R, C, LFE, Ls, Rs.
        names: Of the file's channels; where it tells none, those that so many channels usually have.

    Raises:
        AudioError: The file has no such channel.
        UsageError: As `check_channel`.
    """
    check_channel(channel)
    known = names or tuple(_FLAC.get(count, "").split())
    word = str(channel).strip()
    if word.isdigit():
        if int(word) <= count:
            return int(word) - 1
    else:
        for name in _CALLED[word.lower()]:
            if name in known:
                return known.index(name)
    have = ", ".join(shown(known, i) for i in range(min(count, 16))) + (", ..." if count > 16 else "")
    problem = f"has no channel {word}; it has {have}"
    raise AudioError(problem, place=place, remedy="choose one of them with --channel, or leave it out")
