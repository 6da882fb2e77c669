"""What `ptx voice` prints, and what it asks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from prosody_transfer.cli._shared import note, print_table
from prosody_transfer.cli._terminal import is_terminal, visible
from prosody_transfer.core.errors import PtxError, UsageError

SHIPPED_CONSENT = {True: "none is needed: nobody's voice", False: "by licence"}


def listing(voices: Path | None) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each voice, and what is wrong with those that can't be read."""
    from prosody_transfer.store.voice_folder import read_voice
    from prosody_transfer.store.voices import list_voices, user_voices

    always = {"from": "ptx", "until": "unlimited", "expired": False, "accepted": True, "accepted_by": ""}
    rows = [{**v.to_dict(), **always} for v in list_voices()]
    broken = []
    for name in user_voices(voices):
        try:
            own = read_voice(name, voices)
        except PtxError as error:
            broken.append(str(error))
            continue
        expired = own.consent.expired()
        until = own.consent.until + (" (over)" if expired else "")
        state = {"expired": expired, "accepted": own.accepted, "accepted_by": own.record.accepted_by}
        rows.append({**own.voice.to_dict(), "from": "you", "until": until, **state})
    return sorted(rows, key=lambda row: row["name"]), broken


def warn_of_damaged(voices: Path | None) -> None:
    """Name the user's voices that can't be read; the others speak."""
    from prosody_transfer.store.voice_folder import read_voice
    from prosody_transfer.store.voices import user_voices

    for name in user_voices(voices):
        try:
            read_voice(name, voices)
        except PtxError as error:
            note(f"the voice {name} cannot speak: {error}")


def facts(name: str, voices: Path | None) -> dict[str, Any]:
    """What is known of a voice, shipped or the user's."""
    from prosody_transfer.store.voice_folder import read_voice
    from prosody_transfer.store.voices import get_voice, user_voices

    if name in user_voices(voices):
        return read_voice(name, voices).facts()
    voice = get_voice(name, voices=voices)
    return {**voice.to_dict(), "consent": f"{SHIPPED_CONSENT[voice.synthetic]} ({voice.licence})"}


def print_facts(found: dict[str, Any]) -> None:
    """One line a fact."""
    rows: list[tuple[str, str]] = []
    for key, value in found.items():
        label = key.replace("_", " ")
        if isinstance(value, dict):
            rows += [(f"{label}: {k.replace('_', ' ')}", _text(v)) for k, v in value.items()]
        else:
            rows.append((label, _text(value)))
    print_table(rows)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    return str(value)


def confirm(name: str, voices: Path | None, yes: bool) -> None:
    """Ask before something is deleted.

    Raises:
        UsageError: There is nobody to ask, or the answer is no.
    """
    from prosody_transfer.store.voice_moves import leftovers
    from prosody_transfer.store.voices import user_voices, voices_folder

    if yes or name not in user_voices(voices) and not leftovers(voices_folder(voices), name):
        return
    if not is_terminal(sys.stdin):
        raise UsageError("deletes the voice for good", place=name, remedy="give --yes")
    if not typer.confirm(f"delete the voice {visible(name)} for good?", err=True):
        raise UsageError("is kept", place=name, remedy="answer y to delete it")
