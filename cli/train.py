"""`ptx train copycat | vocoder | recogniser | tracker | prominence`: data in, weights out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli import _train_prominence
from prosody_transfer.cli._shared import INTERRUPTED, PtxGroup, print_json
from prosody_transfer.cli._terminal import is_terminal, say

app = typer.Typer(cls=PtxGroup, no_args_is_help=False, help="Train a network on your own recordings.",
                  epilog="\b\nExample:\n  ptx train copycat --data data/ --preset base")  # fmt: skip


@app.command(epilog="\b\nExample:\n  ptx train copycat --data data/ --preset base --max-minutes 90")
def copycat(
    config: o.OptionalConfig = None, data: o.Data = None, preset: o.Preset = None, settings: o.Settings = None,
    resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None, device: o.Device = "cpu",
    json: o.Json = False,
) -> None:  # fmt: skip
    """Train the acoustic model, which knows the voices."""
    from prosody_transfer.training.commands import train_copycat

    _train(train_copycat, json, config, data=data, preset=preset, settings=settings or [], resume=resume,
           run_dir=run_dir, max_minutes=max_minutes, device=device)  # fmt: skip


@app.command(epilog="\b\nExample:\n  ptx train vocoder --data data/ --set loop.total_steps=8000")
def vocoder(
    config: o.OptionalConfig = None, data: o.Data = None, preset: o.Preset = None, settings: o.Settings = None,
    resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None, device: o.Device = "cpu",
    json: o.Json = False,
) -> None:  # fmt: skip
    """Train the vocoder, which makes sound from spectrograms."""
    from prosody_transfer.training.commands import train_vocoder

    _train(train_vocoder, json, config, data=data, preset=preset, settings=settings or [], resume=resume,
           run_dir=run_dir, max_minutes=max_minutes, device=device)  # fmt: skip


@app.command(epilog="\b\nExample:\n  ptx train recogniser configs/recogniser.toml --resume")
def recogniser(
    config: o.OptionalConfig = None, data: o.Data = None, preset: o.Preset = None, settings: o.Settings = None,
    resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None, device: o.Device = "cpu",
    json: o.Json = False,
) -> None:  # fmt: skip
    """Train the phone recogniser, which checks transcripts."""
    from prosody_transfer.training.commands import train_recogniser

    _train(train_recogniser, json, config, data=data, preset=preset, settings=settings or [], resume=resume,
           run_dir=run_dir, max_minutes=max_minutes, device=device)  # fmt: skip


@app.command(epilog="\b\nExample:\n  ptx train tracker configs/tracker.toml --resume")
def tracker(
    config: o.OptionalConfig = None, data: o.Data = None, preset: o.Preset = None, settings: o.Settings = None,
    resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None, device: o.Device = "cpu",
    json: o.Json = False,
) -> None:  # fmt: skip
    """Train the pitch tracker, which hears the melody."""
    from prosody_transfer.training.commands import train_tracker

    _train(train_tracker, json, config, data=data, preset=preset, settings=settings or [], resume=resume,
           run_dir=run_dir, max_minutes=max_minutes, device=device)  # fmt: skip


app.command(epilog=_train_prominence.EPILOG)(_train_prominence.prominence)


def _train(function: Callable[..., Path], json: bool, config: Path | None, **options: Any) -> None:
    """Run, report on stderr how it goes, and print where the weights are; of several processes only the first does."""
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

    weights = function(config, on_event=on_event, **options)
    from prosody_transfer.training.distributed import is_leader

    if is_leader():
        print_json({"weights": weights, **last}) if json else say(weights)
    if last.get("stage") == "interrupted":
        raise typer.Exit(INTERRUPTED)
