"""Corpus -> cache: measure and align every utterance once; resumable, in several processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import OutputError, PtxError
from prosody_transfer.data.manifest import Row, cache_path

Rejected = dict[str, str]
_aligner: dict[str, object] = {}  # one decoder a process: loading it takes longer than using it


def measure(row: Row, cache: Path, config: MelConfig, aligner: str) -> str:
    """Measure and align one utterance, unless that is done already; returns why it was rejected, or ""."""
    import torch

    from prosody_transfer.audio.io import read_audio
    from prosody_transfer.audio.loudness import normalise_level
    from prosody_transfer.features.cache import save_features, write_npz
    from prosody_transfer.features.extract import extract, pad_to_frames

    torch.set_num_threads(1)
    path = cache_path(cache, row)
    aligned = path.with_suffix(".phones.npz")
    try:
        if path.exists() and (aligned.exists() or not row.text or not aligner):
            return ""
        audio = read_audio(row.audio, config.sample_rate)
        waveform, _ = normalise_level(audio.waveform, config.sample_rate)
        features = extract(waveform, config)
        if not path.exists():
            pcm = np.round(np.clip(pad_to_frames(waveform, config), -1, 1) * 32767).astype(np.int16)
            save_features(path, features, pcm)
        if row.text and aligner:
            phones, stress, durations = _align(waveform, row.text, config, aligner, features.n_frames)
            write_npz(aligned, phones=phones, stress=stress, durations=durations)
    except OutputError:
        raise  # a full disk is no fault of the recording: the run ends, and goes on later
    except PtxError as error:
        return str(error)
    except ValueError as error:  # more phones than frames
        return f"{row.audio}: {error}"
    return ""


def _align(
    waveform: np.ndarray, text: str, config: MelConfig, name: str, n_frames: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from prosody_transfer.alignment.base import get_aligner
    from prosody_transfer.text.normalise import normalise
    from prosody_transfer.text.phones import phone_id, stress_id

    if name not in _aligner:
        _aligner[name] = get_aligner(name)
    alignment = _aligner[name].align(waveform, config.sample_rate, normalise(text))  # type: ignore[attr-defined]
    durations = alignment.durations(n_frames, config.sample_rate, config.hop_length)
    phones = np.array([phone_id(p.phone) for p in alignment.phones], np.uint8)
    stress = np.array([stress_id(p.phone) for p in alignment.phones], np.uint8)
    return phones, stress, np.array(durations, np.int16)


def prepare(
    rows: Iterable[Row],
    cache: str | Path,
    config: MelConfig,
    *,
    aligner: str = "pocketsphinx",
    workers: int = 1,
    on_done: Callable[[Row, str], None] | None = None,
) -> list[Rejected]:
    """Measure and align a corpus; what is in the cache already is not done again.

    Args:
        aligner: Its name, or "" to measure only.
        on_done: Called after each utterance with the reason for its rejection, or "".

    Returns:
        What was rejected and why; also written to cache/rejected.jsonl.
    """
    cache = Path(cache)
    rejected: list[Rejected] = []

    def note(row: Row, reason: str) -> None:
        if reason:
            rejected.append({"id": row.id, "audio": row.audio, "reason": reason})
        if on_done:
            on_done(row, reason)

    if workers <= 1:
        for row in rows:
            note(row, measure(row, cache, config, aligner))
    else:
        with ProcessPoolExecutor(workers) as pool:
            jobs = {pool.submit(measure, row, cache, config, aligner): row for row in rows}
            for job in as_completed(jobs):
                note(jobs[job], job.result())
    write_atomically(cache / "rejected.jsonl", "".join(json.dumps(r) + "\n" for r in rejected).encode())
    return rejected
