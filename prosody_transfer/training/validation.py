"""Measuring a run on recordings that it does not train on: figures, and samples to look at and to listen to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.errors import PtxError
from prosody_transfer.core.keys import sentence_key
from prosody_transfer.data.manifest import Row
from prosody_transfer.store.checkpoint import load_into
from prosody_transfer.store.speech_file import IN_TRAINING, write_speech
from prosody_transfer.training.logs import TensorBoard
from prosody_transfer.training.plots import can_plot, draw
from prosody_transfer.training.samples import choose
from prosody_transfer.training.task import Task

BATCHES, SAMPLES = 8, 2  # measured and shown each time


class Validation:
    """The loss of averaged weights on fixed batches of the dev recordings.

    Args:
        task: Made as the training task, of the dev recordings; its network is filled with the weights to measure.
        criterion: The figure whose least value makes a checkpoint the best.
    """

    def __init__(self, task: Task, criterion: str) -> None:
        self.task, self.criterion = task, criterion
        self._shown = choose(task, SAMPLES)

    def measure(self, weights: dict[str, Tensor], seed: int) -> dict[str, float]:
        """Mean figures over the same batches with the same noise each time.

        Args:
            weights: The network's.
            seed: Of the batches and the noise.
        """
        network = self.task.network
        load_into(network, weights, "validation")
        network.eval()
        sums: dict[str, float] = {}
        with torch.no_grad():
            for number in range(BATCHES):
                torch.manual_seed(seed * 1_000_003 + number)
                batch = self.task.batch(np.random.default_rng([seed, number]), number)
                loss, figures = self.task.loss(batch, 1, 1)  # as at the end of the schedule
                for name, value in {"loss": loss.item(), **figures}.items():
                    sums[name] = sums.get(name, 0.0) + value / BATCHES
        return sums

    def show(self, folder: Path, step: int, board: TensorBoard) -> None:
        """Write STEP-SPEAKER.png (where matplotlib is installed) and .flac of some dev recordings."""
        for number in self._shown:
            made = self.task.sample(number)
            if made is None:
                continue
            name = f"{step:06d}-{number}-{made.speaker}"
            picture = draw(made) if can_plot() else None
            if picture:
                write_atomically(folder / f"{name}.png", picture, folder=True)
            if made.waveform is not None:
                credit = IN_TRAINING.format(made.speaker)
                write_speech(folder / f"{name}.flac", made.waveform, made.sample_rate, credit, overwrite=True)
            board.sample(f"sample {number} {made.speaker}", step, picture, made.waveform, made.sample_rate)


def hold_out(rows: Sequence[Row], share: float = 0.05) -> tuple[list[Row], list[Row]]:
    """Training and dev rows where no dev list was made: some texts of every speaker, and no text on both sides.

    A sentence of dev is not trained on, however either is punctuated. Which texts are dev's is decided by their letters
    alone, so more recordings later move none of the old ones there.
    """
    key = lambda row: " ".join(row.text.lower().split()) or row.id
    draw_of = lambda row: int(hashlib.sha256(key(row).encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    dev = [row for row in rows if draw_of(row) < share]
    said = {sentence_key(row.text) for row in dev} - {""}  # however it is punctuated
    train = [row for row in rows if draw_of(row) >= share and sentence_key(row.text) not in said]
    return (train, dev) if train else (list(rows), [])


def make_validation(make_task: Any, rows: list[Row], criterion: str) -> Validation | None:
    """A validation on these rows; None where they hold nothing that the task can use."""
    if not rows:
        return None
    try:
        return Validation(make_task(rows), criterion)
    except PtxError:  # none of the speakers that are trained, or all too short
        return None
