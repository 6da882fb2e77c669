"""Predicted durations and melody against readings of held-out texts; used by speak.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.data.manifest import read_manifest
from prosody_transfer.models.camp.task import CampTask, CampTaskConfig
from prosody_transfer.store.weights import load_network
from prosody_transfer.synthesis.speaking.planning import PAUSE_FROM
from prosody_transfer.text.prosody_tokens import Tokens


def compare(manifest: Path, cache: Path, checkpoint: Path | None) -> dict[str, float]:
    """Means over readings, each by itself; pauses over all. Nothing of how a text was read is told."""
    from prosody_transfer.models.camp import speaking as model

    network, header = load_network("camp", checkpoint)
    task = CampTask(network.config, CampTaskConfig(), read_manifest(manifest), cache, header["voices"])
    rows: list[dict[str, float]] = []
    pauses: list[np.ndarray] = []
    for reading in task.readings:
        numbers = reading.numbers.copy()
        numbers[3:5] = 0.0
        tokens = Tokens(reading.classes, numbers, reading.word)
        voice = network.config.speakers[reading.voice]
        said = model.lengths(network, tokens, voice, reading.level)
        phone, inner = ~tokens.is_gap, tokens.is_gap.copy()
        inner[[0, -1]] = False
        pauses.append(np.stack([(said.pause >= PAUSE_FROM)[inner], (reading.frames > 0)[inner]]))
        free = np.where(tokens.is_gap & (said.pause < PAUSE_FROM), 0, np.round(said.frames)).astype(np.int64)
        free[[0, -1]] = reading.frames[[0, -1]]
        row = {"durations": _correlation(np.log(said.frames[phone]), np.log(reading.frames[phone]))}
        for name, frames in (("f0_on_durations", reading.frames), ("f0_free", np.maximum(free, phone * 1))):
            row |= _melody(model.contours(network, tokens, frames, voice, reading.level).log_f0, reading, name)
        rows.append(row)
    return _means(rows) | _pause_figures(np.concatenate(pauses, 1)) | {"readings": float(len(rows))}


def _melody(log_f0: np.ndarray, reading: Any, name: str) -> dict[str, float]:
    reading = replace(reading)
    known = (reading.voiced > 0.5) & (reading.frames > 0)
    truth, said = reading.log_f0[known], log_f0[known]
    return {name: _correlation(said, truth), f"{name}_deviation_ratio": float(said.std() / truth.std())}


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.nanmean([row[key] for row in rows])), 4) for key in rows[0]}


def _pause_figures(pauses: np.ndarray) -> dict[str, float]:
    said, true = pauses
    both = float((said & true).sum())
    return {"pause_f1": round(2 * both / float(said.sum() + true.sum()), 4), "pauses": float(true.sum())}
