"""`ptx addon`: models as folders that any runtime can run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import PtxGroup, print_json
from prosody_transfer.cli._terminal import say, say_lines

EPILOG = """\b
Examples:
  ptx addon show models/copycat
  ptx addon export runs/mine/model.safetensors -o mine/
  ptx addon check mine/"""
app = typer.Typer(cls=PtxGroup, no_args_is_help=False, epilog=EPILOG,
                  help="Models as folders: networks without code, for any runtime.")  # fmt: skip

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="An addon: a folder with addon.json.")]
Checkpoint = Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="What training has written.")]
Target = Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="The addon; made if there is none.")]
Precision = Annotated[
    Literal["fp16", "fp32"], typer.Option(help="Of the stored parameters; all calculate in fp32.", metavar="fp16|fp32")
]
Licence = Annotated[str | None, typer.Option(help="Of the parameters.  [default: Apache-2.0]", metavar="TEXT")]


@app.command(epilog="\b\nExamples:\n  ptx addon show models/copycat\n  ptx addon show models/copycat --json")
def show(folder: Folder, json: o.Json = False) -> None:
    """Print what an addon holds: networks, their inputs and outputs, stack, hashes, licence."""
    from prosody_transfer.integration.show import describe, tree

    facts = describe(folder)
    if json:
        print_json(facts)
    else:
        say_lines(tree(facts))


@app.command(epilog="\b\nExample:\n  ptx addon export runs/mine/model.safetensors -o mine/ --precision fp32")
def export(
    checkpoint: Checkpoint, output: Target, precision: Precision = "fp16", licence: Licence = None,
    force: o.Force = False,
) -> None:  # fmt: skip
    """Make an addon of a trained network (train extra).

    Every network of it becomes a graph without weights, beside one file of parameters.
    """
    from prosody_transfer.core.extras import EXPORT, TORCH, require

    require("train", (*TORCH, *EXPORT), "ptx addon export")
    from prosody_transfer.integration.export import export_addon

    addon = export_addon(checkpoint, output, precision=precision, overwrite=force, licence=licence)
    say(f"{output}: {', '.join(addon.config.networks)}")


@app.command(epilog="\b\nExamples:\n  ptx addon check models/copycat\n  ptx addon check mine/ --json")
def check(folder: Folder, json: o.Json = False) -> None:
    """Check every promise of an addon on this machine, on each runtime.

    Files, shapes, padding, chunks of any size, two streams at once, fixed shapes, latency. Ends with exit code 6 where
    one is not kept.
    """
    from prosody_transfer.integration.check import check_addon

    checks = check_addon(folder)
    kept = all(check.works is not False for check in checks)
    if json:
        print_json({"kept": kept, "checks": [check._asdict() for check in checks]})
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = {True: "ok    ", False: "BROKEN", None: "-     "}[check.works]
            say(f"{mark}  {check.runtime.ljust(5)}  {check.name.ljust(width)}  {check.found}")
    if not kept:
        raise typer.Exit(6)
