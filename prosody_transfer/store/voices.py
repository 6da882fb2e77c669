"""Which voices can speak: those that ship, and the user's."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.store.voice_folder import read_voice
from prosody_transfer.store.voice_info import (
    NAME,
    VoiceInfo,
    check_name,
    list_voices,
    user_voices,
    voices_folder,
)  # fmt: skip

__all__ = [
    "NAME", "VoiceInfo", "all_voices", "check_name", "get_voice", "list_voices", "user_voices", "voices_folder",
]  # fmt: skip


def all_voices(voices: str | Path | None = None) -> list[VoiceInfo]:
    """Shipped and users' voices by name; `ptx voice list` names users' that can't be read or are not accepted, too.

    Raises:
        ModelError: The list of shipped voices is missing or damaged.
    """
    found = {voice.name: voice for voice in list_voices()}
    for name in user_voices(voices):
        try:
            if (own := read_voice(name, voices)).accepted:
                found.setdefault(name, own.voice)
        except (ModelError, UsageError):
            continue
    return [found[name] for name in sorted(found)]


def get_voice(name: str, known: Sequence[str] | None = None, voices: str | Path | None = None) -> VoiceInfo:
    """One voice that may speak.

    Args:
        known: Names to choose from; all of the shipped and the user's if None.
        voices: The folder of the user's; None for the usual one.

    Raises:
        UsageError: There is none of that name (the message has the nearest names), or its speaker's consent has ended.
        ModelError: It is damaged.
    """
    shipped, own = {v.name: v for v in list_voices()}, user_voices(voices)
    names = sorted(known if known is not None else {*shipped, *own})
    if name in shipped and name in names:
        return shipped[name]
    if name in own and name in names:
        return read_voice(name, voices).allowed().voice
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"known voices: {', '.join(names)}"
    raise UsageError(f"no voice is called {name!r}", place="--speaker", remedy=remedy)
