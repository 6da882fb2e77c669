"""Numbers for people and programs: features as JSON or CSV, and the one way in which reports get onto the disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.atomic import check_target, write_atomically
from prosody_transfer.core.errors import OutputError
from prosody_transfer.core.tables import csv_text
from prosody_transfer.core.types import Alignment
from prosody_transfer.features.extract import Features

CSV_COLUMNS = ("time_s", "f0_hz", "energy_db", "phone", "phone_s", "word", "word_s")


def check_report(path: str | Path, suffixes: tuple[str, ...], overwrite: bool = False) -> None:
    """Refuse, before any work is done, a report that could not be written at the end.

    Args:
        suffixes: What the file's name may end with, in lower case.

    Raises:
        OutputError: The suffix is none of `suffixes`, the file exists and `overwrite` is False, or its folder is
            missing or can't be written to.
    """
    path, place = Path(path), str(path)
    if path.suffix.lower() not in suffixes:
        problem = f"unknown kind of output {path.suffix!r}" if path.suffix else "the output has no suffix"
        raise OutputError(problem, place=place, remedy=f"known are {', '.join(suffixes)}")
    check_target(path)
    if os.path.lexists(path) and not overwrite:
        raise OutputError("exists", place=place, remedy="give another name, or --force to overwrite it")
    if not path.resolve().parent.is_dir():
        raise OutputError(f"there is no folder {path.parent}", place=place, remedy="make it first")
    if not os.access(path.resolve().parent, os.W_OK):
        problem = f"the folder {path.parent} cannot be written to"
        raise OutputError(problem, place=place, remedy="choose another, or change its permissions")


def write_report(path: str | Path, data: bytes, overwrite: bool = False) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OutputError: The file exists and `overwrite` is False, the folder can't be written to, or the disk is full.
    """
    if os.path.lexists(path) and not overwrite:
        raise OutputError("exists", place=str(path), remedy="give another name, or --force to overwrite it")
    write_atomically(path, data)


def interval_rows(
    intervals: Sequence[Any], kind: str, confidence: Sequence[float | None] = ()
) -> list[dict[str, Any]]:  # fmt: skip
    """Phones or words as plain data: their name under `kind`, start, end and length in seconds.

    Args:
        confidence: For words, how probable each is what is said there (`Heard.confidence`).
    """
    rows = []
    for name, start, end in intervals:
        rows.append({kind: name, "start": _round(start), "end": _round(end), "seconds": _round(end - start)})
    for row, sure in zip(rows, confidence, strict=False):
        row["confidence"] = None if sure is None else _round(sure, 3)
    return rows


def _labels(intervals: Sequence[Any], times: np.ndarray) -> list[Any]:
    """The interval that each time lies in, or None."""
    ends = np.array([i.end for i in intervals])
    at = np.searchsorted(ends, times, side="right")
    return [intervals[k] if k < len(ends) and intervals[k].start <= t else None for k, t in zip(at, times, strict=True)]


def _times(features: Features) -> np.ndarray:
    """(T,) seconds."""
    return np.arange(features.n_frames) * features.config.hop_length / features.config.sample_rate


def feature_numbers(features: Features, alignment: Alignment) -> dict[str, Any]:
    """Everything that was measured, as plain data.

    Returns:
        Facts about the whole; "phones" with their times, length, word, mean F0 (None where unvoiced) and mean energy;
        "words" with their times; "frames" with one list for each column, T long: `time_s`, `f0_hz` (None where
        unvoiced), `energy_db` (relative to the speech level), `phone`.
    """
    times, f0, voiced = _times(features), np.exp(features.log_f0.astype(float)), features.voiced
    phones = interval_rows(alignment.phones, "phone")
    middles = np.array([(p.start + p.end) / 2 for p in alignment.phones])
    for row, word in zip(phones, _labels(alignment.words, middles), strict=True):
        inside = (times >= row["start"]) & (times < row["end"])
        heard = inside & voiced
        row["word"] = word.word if word else None
        row["f0_hz"] = _round(np.exp(features.log_f0[heard].mean()), 2) if heard.sum() * 2 > inside.sum() else None
        row["energy_db"] = _round(features.energy_db[inside].mean(), 2) if inside.any() else None
    return {
        "seconds": _round(features.n_samples / features.config.sample_rate),
        "frame_seconds": features.config.hop_length / features.config.sample_rate,
        "f0_median_hz": _round(np.median(f0[voiced]), 2) if voiced.any() else None,
        "voiced_share": _round(voiced.mean()),
        "aligner": alignment.aligner,
        "words": interval_rows(alignment.words, "word"),
        "phones": phones,
        "frames": {
            "time_s": [_round(t) for t in times],
            "f0_hz": [_round(v, 2) if ok else None for v, ok in zip(f0, voiced, strict=True)],
            "energy_db": [_round(e, 2) for e in features.energy_db],
            "phone": [p.phone if p else None for p in _labels(alignment.phones, times)],
        },
    }


def features_csv(features: Features, alignment: Alignment) -> str:
    """One row a frame under `CSV_COLUMNS`; F0 is empty where unvoiced, words are empty in pauses."""
    times = _times(features)
    rows: list[Sequence[object]] = [CSV_COLUMNS]
    phones, words = _labels(alignment.phones, times), _labels(alignment.words, times)
    for t, (phone, word) in enumerate(zip(phones, words, strict=True)):
        spans = [x for i in (phone, word) for x in ((i[0], _round(i.end - i.start)) if i else (None, None))]
        f0 = _round(np.exp(features.log_f0[t]), 2) if features.voiced[t] else None
        rows.append([_round(times[t]), f0, _round(features.energy_db[t], 2), *spans])
    return csv_text(rows)


def _round(value: Any, digits: int = 4) -> float:
    return round(float(value), digits)
