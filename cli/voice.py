"""`ptx voice add | accept | list | show | export | import | renew | remove`: voices of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli import _voice_add
from prosody_transfer.cli._shared import PtxGroup, note, print_json, print_table
from prosody_transfer.cli._terminal import say

app = typer.Typer(cls=PtxGroup, no_args_is_help=False, help="Voices of your own: add them, show them, hand them on.",
                  epilog="\b\nExample:\n  ptx voice add jane recordings/ --consent consent.txt")  # fmt: skip

app.command(epilog=_voice_add.ADD_EPILOG)(_voice_add.add)
app.command(epilog=_voice_add.ACCEPT_EPILOG)(_voice_add.accept)


@app.command(name="list", epilog="\b\nExample:\n  ptx voice list")
def list_(voices: o.Voices = None, json: o.Json = False) -> None:
    """List all voices, shipped and your own, and until when they may speak."""
    from prosody_transfer.cli._voices import listing

    rows, broken = listing(voices)
    for problem in broken:
        note(problem)
    if json:
        print_json(rows)
        return
    until = lambda row: row["until"] if row["accepted"] else "not accepted"
    shown = lambda row: (row["name"], row["from"], row["accent"], row["gender"], row["minutes"], until(row))
    heading = ("NAME", "FROM", "ACCENT", "GENDER", "MINUTES", "MAY SPEAK UNTIL")
    print_table([heading, *(tuple(map(str, shown(row))) for row in rows)], right=(4,))


@app.command(epilog="\b\nExample:\n  ptx voice show jane")
def show(name: o.AnyVoice, voices: o.Voices = None, json: o.Json = False) -> None:
    """Show what is known of a voice: consent, origin, and how it was measured."""
    from prosody_transfer.cli._voices import facts, print_facts

    found = facts(name, voices)
    print_json(found) if json else print_facts(found)


@app.command(epilog="\b\nExample:\n  ptx voice export jane -o jane.ptxvoice")
def export(
    name: o.UserVoice, output: o.VoiceFile = None, voices: o.Voices = None, json: o.Json = False,
    overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Write a voice of yours into one file, its consent with it."""
    from prosody_transfer.store.voice_file import export_voice

    path = export_voice(name, output, voices, overwrite=overwrite)
    print_json({"output": path, "bytes": path.stat().st_size}) if json else say(path)


@app.command(name="import", epilog="\b\nExample:\n  ptx voice import jane.ptxvoice")
def import_(
    file: o.VoiceIn, name: o.CallIt = None, voices: o.Voices = None, json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Take in a voice that was exported. Its checksum is compared; no code in it can run."""
    from prosody_transfer.store.voice_file import import_voice

    own = import_voice(file, voices, name=name, overwrite=overwrite)
    print_json(own.facts()) if json else say(f"{own.voice.name}  {own.consent.line()}")


@app.command(epilog="\b\nExample:\n  ptx voice renew jane --consent consent-2027.txt")
def renew(name: o.UserVoice, consent: o.ConsentFile, voices: o.Voices = None, json: o.Json = False) -> None:
    """Store a new consent with a voice of yours."""
    from prosody_transfer.store.consent import read_consent
    from prosody_transfer.store.voice_folder import renew as store

    own = store(name, read_consent(consent), voices)
    print_json(own.facts()) if json else say(f"{own.voice.name}  {own.consent.line()}")


@app.command(epilog="\b\nExample:\n  ptx voice remove jane --yes")
def remove(
    name: o.UserVoice, voices: o.Voices = None, json: o.Json = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:  # fmt: skip
    """Delete a voice of yours."""
    from prosody_transfer.cli._voices import confirm
    from prosody_transfer.store.voice_folder import remove_voice

    confirm(name, voices, yes)
    path: Path = remove_voice(name, voices)
    print_json({"removed": path}) if json else say(f"removed {path}")


app.command(epilog=_voice_add.FISHER_EPILOG)(_voice_add.fisher)
