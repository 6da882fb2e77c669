"""`ptx train KIND`: data in, weights out; a verb for each model that is trained."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

from prosody_transfer.cli import _options as o
from prosody_transfer.cli import _train_prominence, _train_recipe
from prosody_transfer.cli._shared import INTERRUPTED, PtxGroup, print_json
from prosody_transfer.cli._terminal import is_terminal, say

# What each is for, by its role; a model of the user's own has it too.
ABOUT = {
    "acoustic": "Train the acoustic model, which knows the voices.",
    "vocoder": "Train the vocoder, which makes sound from spectrograms.",
    "recogniser": "Train the phone recogniser, which checks transcripts.",
    "tracker": "Train the pitch tracker, which hears the melody.",
}


class TrainGroup(PtxGroup):
    """Has a verb for every registered model that is trained, found when it is asked for."""

    _own: dict[str, Any] = {}

    @property  # type: ignore[override]
    def commands(self) -> dict[str, Any]:
        return {**_verbs(), **self._own}

    @commands.setter
    def commands(self, value: dict[str, Any]) -> None:
        self._own = dict(value)


app = typer.Typer(cls=TrainGroup, no_args_is_help=False, help="Train a network on your own recordings.",
                  epilog="\b\nExample:\n  ptx train copycat --data data/ --preset base")  # fmt: skip
app.command(epilog=_train_prominence.EPILOG)(_train_prominence.prominence)
app.command(epilog=_train_recipe.EPILOG)(_train_recipe.recipe)


def _verbs() -> dict[str, TyperCommand]:
    from prosody_transfer.models import registry

    found = {}
    for kind in registry.trainable():
        single = typer.Typer(rich_markup_mode=None, add_completion=False)
        example = f"\b\nExample:\n  ptx train {kind} --data data/ --preset base --max-minutes 90"
        about = ABOUT.get(registry.get(kind).role, "Train a model.")
        single.command(name=kind, epilog=example, help=about)(_verb(kind))
        found[kind] = typer.main.get_command(single)
    return found  # type: ignore[return-value]


def _verb(kind: str) -> Callable[..., None]:
    def train(
        config: o.OptionalConfig = None, data: o.Data = None, preset: o.Preset = None, settings: o.Settings = None,
        resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None,
        device: o.Device = "cpu", json: o.Json = False,
    ) -> None:  # fmt: skip
        from prosody_transfer.core.extras import TORCH, require

        require("train", TORCH, f"ptx train {kind}")
        from prosody_transfer.training import commands

        run = lambda report: commands.train(
            kind, config, data=data, preset=preset, settings=settings or [], resume=resume, run_dir=run_dir,
            max_minutes=max_minutes, device=device, on_event=report,
        )  # fmt: skip
        _report(run, json)

    return train


def _report(run: Callable[..., Any], json: bool) -> None:
    """Run, tell on stderr how it goes, and print where the weights are; of several processes only the first does."""
    from prosody_transfer.training.distributed import is_leader

    last: dict[str, Any] = {}

    def on_event(stage: str, step: int, total: int, figures: dict[str, float]) -> None:
        if stage == "dev":
            last.update({f"dev_{name}": value for name, value in figures.items()})
        else:
            last.update(stage=stage, step=step, total=total, **figures)
        if is_terminal(sys.stderr) or stage == "dev" or step == total or step % (25 if stage == "train" else 100) == 0:
            shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
            end = "\r" if is_terminal(sys.stderr) and step < total and stage != "dev" else "\n"
            say(f"{stage} {step}/{total}  {shown}".ljust(100), end=end, error=True)

    weights = run(on_event)
    if is_leader():
        print_json({"weights": weights, **last}) if json else say(weights)
    if last.get("stage") == "interrupted":
        raise typer.Exit(INTERRUPTED)
