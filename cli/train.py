"""`ptx train copycat | vocoder | recogniser`: a config file in, a run folder with weights out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import PtxGroup, print_json

app = typer.Typer(cls=PtxGroup, no_args_is_help=False, help="Train a network on your own recordings.",
                  epilog="\b\nExample:\n  ptx train copycat configs/copycat.toml --resume")  # fmt: skip


@app.command(epilog="\b\nExample:\n  ptx train copycat configs/copycat.toml --resume")
def copycat(
    config: o.Config, resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None,
    device: o.Device = "cpu", json: o.Json = False,
) -> None:  # fmt: skip
    """Train the acoustic model, which knows the voices."""
    from prosody_transfer.training.commands import train_copycat

    _train(train_copycat, json, config, resume=resume, run_dir=run_dir, max_minutes=max_minutes, device=device)


@app.command(epilog="\b\nExample:\n  ptx train vocoder configs/vocoder.toml --max-minutes 60")
def vocoder(
    config: o.Config, resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None,
    device: o.Device = "cpu", json: o.Json = False,
) -> None:  # fmt: skip
    """Train the vocoder, which makes sound from spectrograms."""
    from prosody_transfer.training.commands import train_vocoder

    _train(train_vocoder, json, config, resume=resume, run_dir=run_dir, max_minutes=max_minutes, device=device)


@app.command(epilog="\b\nExample:\n  ptx train recogniser configs/recogniser.toml --resume")
def recogniser(
    config: o.Config, resume: o.Resume = False, run_dir: o.RunDir = None, max_minutes: o.MaxMinutes = None,
    device: o.Device = "cpu", json: o.Json = False,
) -> None:  # fmt: skip
    """Train the phone recogniser, which checks transcripts."""
    from prosody_transfer.training.commands import train_recogniser

    _train(train_recogniser, json, config, resume=resume, run_dir=run_dir, max_minutes=max_minutes, device=device)


def _train(function: Callable[..., Path], json: bool, config: Path, **options: Any) -> None:
    """Run, report on stderr how it goes, and print where the weights are."""
    last: dict[str, Any] = {}

    def on_event(stage: str, step: int, total: int, figures: dict[str, float]) -> None:
        last.update(stage=stage, step=step, total=total, **figures)
        if stage == "train" or step == total or step % 100 == 0:
            shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
            end = "\r" if sys.stderr.isatty() and step < total else "\n"
            print(f"{stage} {step}/{total}  {shown}".ljust(100), end=end, file=sys.stderr, flush=True)

    weights = function(config, on_event=on_event, **options)
    print_json({"weights": weights, **last}) if json else print(weights)
