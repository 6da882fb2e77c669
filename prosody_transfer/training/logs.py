"""What a run leaves to look at: log.csv, and events for TensorBoard where that is installed."""

from __future__ import annotations

import csv
import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from prosody_transfer.core.atomic import check_target, write_atomically
from prosody_transfer.core.tables import Figure, csv_text


class CsvLog:
    """A table with a row every so many steps. A run that goes on drops what was written after its checkpoint.

    Args:
        path: The file; its folder must be there when the first row comes.
        step: Rows after this step are dropped.
    """

    def __init__(self, path: Path, step: int = 0) -> None:
        self.path = path
        self.columns: list[str] = []
        check_target(path)
        if not path.exists():
            return
        with path.open(newline="", encoding="utf8") as file:
            table = list(csv.DictReader(file))
        whole = [row for row in table if None not in row and None not in row.values()]  # not one cut short
        kept = [row for row in whole if row.get("step", "").isdigit() and int(row["step"]) <= step]
        if kept:
            self.columns = list(kept[0])
            self._rewrite(kept)
        else:
            path.unlink()

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        text = csv_text([self.columns, *map(self._cells, rows)])
        write_atomically(self.path, text.encode(), folder=True)

    def _cells(self, row: dict[str, str]) -> list[Figure]:
        return [Figure(row.get(name, "")) for name in self.columns]

    def add(self, step: int, seconds: float, figures: dict[str, float]) -> None:
        """One row; a figure that is new gets a column, empty in the rows before."""
        row = {"step": str(step), "seconds": str(round(seconds, 1)), **{k: f"{v:.5g}" for k, v in figures.items()}}
        if new := [name for name in row if name not in self.columns]:
            before: list[dict[str, str]] = []
            if self.columns:
                with self.path.open(newline="", encoding="utf8") as file:
                    before = list(csv.DictReader(file))
            self.columns += new
            self._rewrite([*before, row])
            return
        with self.path.open("a", newline="", encoding="utf8") as file:
            file.write(csv_text([self._cells(row)]))


class TensorBoard:
    """Events in run_dir/tensorboard; does nothing where the tensorboard package is not installed."""

    def __init__(self, run_dir: Path, step: int = 0) -> None:
        self._writer: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(run_dir / "tensorboard"), purge_step=step + 1 if step else None)

    def figures(self, group: str, step: int, figures: dict[str, float]) -> None:
        """One point a figure, under `group`."""
        if self._writer:
            for name, value in figures.items():
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def sample(self, name: str, step: int, picture: bytes | None, waveform: Any, sample_rate: int) -> None:
        """A picture (PNG) and a sound of one utterance."""
        if not self._writer:
            return
        if picture:
            from matplotlib.image import imread

            self._writer.add_image(name, imread(io.BytesIO(picture))[..., :3], step, dataformats="HWC")
        if waveform is not None:
            self._writer.add_audio(name, waveform[None], step, sample_rate)

    def close(self) -> None:
        if self._writer:
            self._writer.close()
