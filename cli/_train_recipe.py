"""`ptx train recipe`: several trainings in a row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import note, print_json
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Examples:
  ptx train recipe recipes/shipped.toml --ship
  ptx train recipe recipes/shipped.toml --stage vocoder --set loop.total_steps=10"""
Recipe = Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="Stages, and what each starts from.")]
Stages = Annotated[list[str] | None, typer.Option("--stage", metavar="NAME", help="Only this, and what it needs.")]
Runs = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Each stage has its run folder there.")]
Ship = Annotated[bool, typer.Option("--ship", help="Put what is made in the place of the weights that ship.")]


def recipe(
    path: Recipe, stage: Stages = None, runs: Runs = Path("runs"), ship: Ship = False, settings: o.Settings = None,
    device: o.Device = "cpu", json: o.Json = False,
) -> None:  # fmt: skip
    """Train all stages of a recipe, those that are finished aside.

    Stopped at any time, the same command goes on.
    """
    from prosody_transfer.training.recipe import run_recipe

    def on_stage(found: Any, remark: str) -> None:
        note(f"stage {found.name}" + (f": {remark}" if remark else ""))

    made = run_recipe(
        path, stage or [], runs=runs, ship_it=ship, changes=settings or [], device=device, on_stage=on_stage
    )
    if json:
        print_json({"weights": made})
    else:
        for name, weights in made.items():
            say(f"{name}  {weights}")
