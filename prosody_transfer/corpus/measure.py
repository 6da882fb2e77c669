"""Corpus -> cache: measure and align every utterance once; resumable, in several processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import OutputError, PtxError
from prosody_transfer.core.sharing import one_torch_thread
from prosody_transfer.core.types import Alignment
from prosody_transfer.corpus.workers import Crashed, work
from prosody_transfer.data.manifest import Row, cache_path

Rejected = dict[str, str]
_aligner: dict[str, object] = {}  # one decoder a process: loading it takes longer than using it


def measure(row: Row, cache: Path, config: MelConfig, aligner: str) -> str:
    """Measure and align one utterance, unless that is done already; returns why it was rejected, or ""."""
    from prosody_transfer.audio.highpass import high_pass
    from prosody_transfer.audio.io import read_audio
    from prosody_transfer.audio.loudness import normalise_level
    from prosody_transfer.features.cache import save_features, write_npz
    from prosody_transfer.features.extract import extract

    one_torch_thread()
    path = cache_path(cache, row)
    aligned = path.with_suffix(".phones.npz")
    try:
        if _is_done(row, cache, aligner):
            return ""
        audio = read_audio(row.audio, config.sample_rate)
        waveform, _ = normalise_level(high_pass(audio.waveform, config.sample_rate), config.sample_rate)
        features = extract(waveform, config)
        if not path.exists():
            save_features(path, features, to_pcm(waveform, config))
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


def _is_done(row: Row, cache: Path, aligner: str) -> bool:
    path = cache_path(cache, row)
    return path.exists() and (not row.text or not aligner or path.with_suffix(".phones.npz").exists())


def to_pcm(waveform: np.ndarray, config: MelConfig) -> np.ndarray:
    """What the cache keeps of a waveform: int16, (N,) padded to whole frames."""
    from prosody_transfer.features.extract import pad_to_frames

    return np.round(np.clip(pad_to_frames(waveform, config), -1, 1) * 32767).astype(np.int16)


def phone_arrays(alignment: Alignment, n_frames: int, config: MelConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the cache keeps of an alignment: phones (P,) uint8, stress (P,) uint8, durations (P,) int16, sum = T.

    Raises:
        ValueError: There are more phones than frames.
    """
    from prosody_transfer.text.phones import phone_id, stress_id

    durations = alignment.durations(n_frames, config.sample_rate, config.hop_length)
    phones = np.array([phone_id(p.phone) for p in alignment.phones], np.uint8)
    stress = np.array([stress_id(p.phone) for p in alignment.phones], np.uint8)
    return phones, stress, np.array(durations, np.int16)


def _align(
    waveform: np.ndarray, text: str, config: MelConfig, name: str, n_frames: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from prosody_transfer.alignment.base import get_aligner
    from prosody_transfer.text.normalise import normalise
    from prosody_transfer.text.rate import require_time

    require_time(text, len(waveform) / config.sample_rate)
    if name not in _aligner:
        _aligner[name] = get_aligner(name)
    alignment = _aligner[name].align(waveform, config.sample_rate, normalise(text))  # type: ignore[attr-defined]
    return phone_arrays(alignment, n_frames, config)


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

    def to_do() -> Iterator[Row]:
        for row in rows:
            if _is_done(row, cache, aligner):
                note(row, "")
            else:
                yield row

    for row, reason in work(partial(measure, cache=cache, config=config, aligner=aligner), to_do(), workers):
        note(row, f"{row.audio}: crashes what reads it; convert it first" if isinstance(reason, Crashed) else reason)
    write_atomically(cache / "rejected.jsonl", "".join(json.dumps(r) + "\n" for r in rejected).encode(), folder=True)
    return rejected
