"""What a figure is: its name, unit, direction and exact definition, printed with every report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

EVALUATION_RATE = 16_000  # Hz; every figure is taken at this rate, whatever the files have
HOP_SECONDS = 0.010  # of every frame-wise figure

Values = dict[str, float | None]  # figure key -> value of one pair; None where it can't be said


@dataclass(frozen=True)
class Figure:
    """One figure of a pair.

    Attributes:
        key: Its name in JSON.
        title: Its name in tables.
        unit: "", "cents", "dB", "ms", ...; shares are 0 to 1 and have "".
        better: "high", "low", "zero" or "one" (nearest to), or "" where neither is better.
        definition: Exactly how it is computed, against what, over which frames.
    """

    key: str
    title: str
    unit: str
    better: Literal["high", "low", "zero", "one", ""]
    definition: str


def load(path: str | Path) -> np.ndarray:
    """A recording as every figure sees it: (N,) float32 at `EVALUATION_RATE`, channels averaged.

    Raises:
        AudioError: It is missing, damaged, empty or silent.
    """
    from prosody_transfer.audio.io import read_audio

    return read_audio(path, EVALUATION_RATE).waveform
