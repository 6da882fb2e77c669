"""`ptx listen build | serve | analyse`: listening tests from the sounds to the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prosody_transfer.cli import _listen_analyse
from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import PtxGroup, note, print_json, progress
from prosody_transfer.cli._terminal import say

app = typer.Typer(cls=PtxGroup, no_args_is_help=False, help="Ask people: listening tests after ITU-R BS.1534 (MUSHRA).",
                  epilog="\b\nExample:\n  ptx listen build test.toml -o listening/")  # fmt: skip

Test = Annotated[Path, typer.Argument(metavar="TEST", help="A TOML file; examples/listening.toml is one.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="What ptx listen build has made.")]
Into = Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="The folder to make.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="NUMBER", help="0 takes any that is free.")]
Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="0.0.0.0 lets others on the network take part.")]

Names = Annotated[list[str] | None, typer.Option("--allow-host", metavar="NAME", help="Another name in the page's "
    "address, such as listen.example.org; repeatable.")]  # fmt: skip
Proxy = Annotated[bool, typer.Option("--behind-proxy", help="Believe a reverse proxy's X-Forwarded-Host.")]


@app.command(epilog="\b\nExample:\n  ptx listen build test.toml -o listening/")
def build(test: Test, output: Into, overwrite: o.Force = False, json: o.Json = False) -> None:
    """Make a folder with one page that needs no server and asks nothing of the network.

    Sounds are matched in loudness and length, anchors made, names hidden; key.json tells who is who.
    """
    from prosody_transfer.evaluation.listening.build import build as build_test
    from prosody_transfer.evaluation.listening.design import read_design

    with progress("items", len(read_design(test).items)) as bar:
        built = build_test(test, output, overwrite=overwrite, on_item=bar.move)
    for warning in built.warnings:
        note(f"{test}: {warning}")
    if json:
        print_json(vars(built))
        return
    say(f"{built.folder}  {built.pages} pages  {built.stimuli} stimuli  about {built.minutes:.0f} min a session")


@app.command(epilog="\b\nExample:\n  ptx listen serve listening/ --port 8000")
def serve(
    folder: Folder, port: Port = 8000, host: Host = "127.0.0.1", allow_host: Names = None, behind_proxy: Proxy = False
) -> None:
    """Serve the page and write ratings to FOLDER/results, until Ctrl-C.

    Nothing but the page and its sounds is served: neither key.json nor results. It is answered where the address has
    the name localhost, 127.0.0.1, [::1], that of --host or of --allow-host; to pages of other sites never.
    """
    from prosody_transfer.evaluation.listening.serve import serve as serve_test

    if host not in ("127.0.0.1", "localhost", "::1"):
        note(f"everybody who can reach {host} can take part")
    ready = lambda url: say(f"{url}  Ctrl-C ends")
    sessions = serve_test(folder, port=port, host=host, on_ready=ready, allow_hosts=allow_host or (),
                          behind_proxy=behind_proxy)  # fmt: skip
    say(f"{folder / 'results'}  {sessions} sessions")


app.command(epilog=_listen_analyse.EPILOG)(_listen_analyse.analyse)
app.command(epilog=_listen_analyse.WEBMUSHRA_EPILOG)(_listen_analyse.webmushra)
app.command(epilog=_listen_analyse.WEBMUSHRA_EPILOG)(_listen_analyse.webmushra)
