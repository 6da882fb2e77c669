"""Whose recordings there are, and what is known of each voice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import Row, cache_path


def aligned_speakers(rows: list[Row], cache: str | Path) -> tuple[str, ...]:
    """Everybody of whom a recording with known phones is in the cache, by name."""
    aligned = lambda row: cache_path(Path(cache), row).with_suffix(".phones.npz").exists()
    return tuple(sorted({row.speaker for row in rows if aligned(row)}))


def voice_facts(
    rows: list[Row], cache: str | Path, speakers: tuple[str, ...], n_phones: int
) -> dict[str, dict[str, Any]]:
    """What is known of each target voice, stored in the checkpoint.

    Returns:
        speaker -> "log_f0_median" (ln Hz over all voiced frames), "f0_low_hz" and "f0_high_hz" (5th and 95th
        percentile), "phone_log_frames" (mean ln frames of each phone, (V,)), "frames".
    """
    pitch: dict[str, list[np.ndarray]] = {s: [] for s in speakers}
    lengths = {s: np.zeros((2, n_phones)) for s in speakers}
    frames = dict.fromkeys(speakers, 0)
    for row in rows:
        path = cache_path(Path(cache), row)
        aligned = path.with_suffix(".phones.npz")
        if row.speaker not in pitch or not aligned.exists():
            continue
        with np.load(path) as data, np.load(aligned) as phones:
            pitch[row.speaker].append(data["log_f0"][data["voiced"]])
            frames[row.speaker] += data["log_f0"].size
            np.add.at(lengths[row.speaker][0], phones["phones"], np.log(np.maximum(phones["durations"], 1)))
            np.add.at(lengths[row.speaker][1], phones["phones"], 1)
    facts = {}
    for speaker, values in pitch.items():
        if not sum(map(len, values)):
            raise UsageError(
                f"no usable recording of {speaker}",
                place=str(cache),
                remedy="check the manifests and rejected.jsonl in the cache",
            )
        log_f0 = np.concatenate(values)
        total, count = lengths[speaker]
        mean = np.where(count > 0, total / np.maximum(count, 1), total.sum() / max(1, count.sum()))
        low, high = np.exp(np.percentile(log_f0, [5, 95]))
        facts[speaker] = {
            "log_f0_median": round(float(np.median(log_f0)), 5),
            "f0_low_hz": round(float(low), 1), "f0_high_hz": round(float(high), 1),
            "phone_log_frames": [round(float(v), 4) for v in mean], "frames": frames[speaker],
        }  # fmt: skip
    return facts
