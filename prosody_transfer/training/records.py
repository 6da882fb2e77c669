"""The logs of a run while it goes: means over some steps to the table and to TensorBoard, validations beside them."""

from __future__ import annotations

import time
from typing import Any

from prosody_transfer.core.atomic import make_folder
from prosody_transfer.training import distributed
from prosody_transfer.training.logs import CsvLog, TensorBoard


class Records:
    """The logs of a run, of its `training.loop.Trainer`."""

    def __init__(self, trainer: Any) -> None:
        self.trainer, leader = trainer, distributed.is_leader()
        self.validations = CsvLog(trainer.run_dir / "validation" / "log.csv", trainer.step) if leader else None
        self.table = CsvLog(trainer.run_dir / "log.csv", trainer.step) if leader else None
        self.board = TensorBoard(trainer.run_dir, trainer.step) if leader else None
        self._clear()

    def _clear(self) -> None:
        self._sums: dict[str, float] = {}
        self._count, self._speech, self._seconds = 0, self.trainer.speech_seconds, self.trainer.seconds

    def add(self, figures: dict[str, float]) -> dict[str, float]:
        """Note a step; returns its figures with the throughput since the last row."""
        trainer = self.trainer
        self._sums = {k: self._sums.get(k, 0.0) + v for k, v in figures.items()}
        self._count += 1
        speech, seconds = trainer.speech_seconds - self._speech, trainer.seconds - self._seconds
        rate = {"speech_hours_per_hour": speech / max(seconds, 1e-9)} if speech else {}
        if trainer.step % trainer.config.log_steps == 0:
            row = {**{k: v / self._count for k, v in self._sums.items()}, **rate}
            if self.table and self.board:
                self.table.add(trainer.step, trainer.seconds, row)
                self.board.figures("train", trainer.step, row)
            self._clear()
        return {**figures, **rate}

    def validate(self) -> dict[str, float]:
        """Measure on the dev recordings, in the first process; returns the figures, {} in the others."""
        if not (self.validations and self.board):
            return {}
        began = time.monotonic()
        make_folder(self.validations.path.parent)
        figures = self.trainer.validate(self.validations, self.board)
        self._seconds += time.monotonic() - began  # is no time of training
        return figures

    def close(self) -> None:
        """Nothing more will come."""
        if self.board:
            self.board.close()
