"""The Typer app and its verbs. Nothing heavy is imported here: `ptx --help` must stay quick."""

from __future__ import annotations

from typing import Annotated

import typer

from prosody_transfer.cli import (
    addon,
    align,
    doctor,
    evaluate,
    features,
    leakage,
    linguistics,
    listen,
    prepare,
    render,
    speak,
    speakers,
    stream,
    train,
    transfer,
    voice,
)
from prosody_transfer.cli._shared import PtxGroup
from prosody_transfer.cli._terminal import say, say_lines

EPILOG = """\b
Example:
  ptx transfer src.wav --speaker alice

Exit codes:  0 done; 1 some of several recordings failed; wrong or missing:  2 flag or value, 3 recording, 4 transcript,
5 output, 6 model, 7 installation; 70 a mistake of ours; 130 Ctrl-C; 143 SIGTERM; 129 SIGHUP; 141 the reader of a pipe
has gone.  PTX_DEBUG=1 shows tracebacks."""

app = typer.Typer(cls=PtxGroup, name="ptx", epilog=EPILOG, rich_markup_mode=None, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"ptx {version('prosody-transfer')}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def ptx(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """Move how a line was said into another voice: same words, timing, melody and loudness, another speaker."""
    if context.invoked_subcommand is None:
        say_lines(context.get_help())


_VERBS = (
    transfer, speak, stream, render, speakers, align, features, evaluate, leakage, linguistics, prepare, doctor,
)  # fmt: skip
for _verb in _VERBS:
    app.command(epilog=_verb.EPILOG)(getattr(_verb, _verb.__name__.rpartition(".")[2]))
app.add_typer(addon.app, name="addon")
app.add_typer(listen.app, name="listen")
app.add_typer(train.app, name="train")
app.add_typer(voice.app, name="voice")
