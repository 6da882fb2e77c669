"""What was found out about a recording, kept on disk: what is done once is not done again."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import msgspec
import numpy as np

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import RECORD_BYTES, read_bytes
from prosody_transfer.data.layouts.base import Entry
from prosody_transfer.data.manifest import Row, cache_path

F0_LOW_HZ, F0_BINS, F0_BINS_PER_OCTAVE = 40.0, 104, 24  # 40 to 806 Hz in half semitones


class Verdict(Config):
    """An utterance, measured; of a recording that was cut there are several.

    Attributes:
        id, audio, speaker, text: As they go into the manifest.
        reason, detail: Why it is rejected, from `data.reasons.REASONS`; "" for one that is good.
        words_from: "transcript", "textgrid", "asr", "heard" (phones only) or "" (not known).
        sentence: The words as they are spoken; "" where they are not known.
        seconds: Length.
        sample_rate: Of the file, Hz.
        level_db: Of the speech in the file, dB re full scale.
        snr_db: Estimate, dB.
        f0: Voiced frames in bins of half a semitone from 40 Hz, (104,), packed.
        phones: How often each of PHONES occurs, (40,), packed; "" where there are none.
        content: Hash of the samples.
        shape: Energy over time, 32 bytes in hexadecimal, which copies at another level or rate share.
        frames: T.
        notes: What should be said about it.
    """

    id: str
    audio: str
    speaker: str
    text: str = ""
    reason: str = ""
    detail: str = ""
    words_from: str = ""
    sentence: str = ""
    seconds: float = 0.0
    sample_rate: int = 0
    level_db: float = 0.0
    snr_db: float = 0.0
    f0: str = ""
    phones: str = ""
    content: str = ""
    shape: str = ""
    frames: int = 0
    notes: list[str] = []

    @property
    def row(self) -> Row:
        return Row(id=self.id, audio=self.audio, speaker=self.speaker, text=self.text)


class Judged(Config):
    """The file of an entry: what it was made from, and its verdicts."""

    made_from: str
    verdicts: list[Verdict]


def pack(counts: np.ndarray) -> str:
    """Counts up to 65,535 as text: a corpus has very many of them.

    >>> unpack(pack(np.array([3, 0, 65535]))).tolist()
    [3, 0, 65535]
    """
    return base64.b64encode(np.asarray(counts, "<u2").tobytes()).decode()


def unpack(text: str) -> np.ndarray:
    """The inverse of `pack`, uint16."""
    return np.frombuffer(base64.b64decode(text), "<u2")


def fingerprint(entry: Entry, settings: str) -> str:
    """Changes with the entry, its files and the settings."""
    digest = hashlib.sha256(msgspec.json.encode(entry) + settings.encode())
    for path in (entry.audio, entry.sidecar):
        try:
            state = os.stat(path) if path else None
            digest.update(f"{state.st_size} {state.st_mtime_ns}".encode() if state else b"-")
        except (OSError, ValueError):
            digest.update(b"gone")
    return digest.hexdigest()[:24]


def verdict_path(folder: Path, entry: Entry) -> Path:
    """FOLDER/SPEAKER/ID.json, safe like the cache's names."""
    row = Row(id=entry.id, audio=entry.audio, speaker=entry.speaker)
    return cache_path(folder, row).with_suffix(".json")


def recall(path: Path, made_from: str, cache: Path) -> list[Verdict] | None:
    """The verdicts on disk; None where there are none, they were made from something else, or the cache lost them."""
    try:
        judged = msgspec.json.decode(read_bytes(path, RECORD_BYTES, UsageError), type=Judged)
    except (UsageError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if judged.made_from != made_from:
        return None
    for verdict in judged.verdicts:
        measured = cache_path(cache, verdict.row)
        if not verdict.reason and not (
            measured.exists() and (not verdict.phones or measured.with_suffix(".phones.npz").exists())
        ):
            return None
    return judged.verdicts


def remember(path: Path, made_from: str, verdicts: list[Verdict]) -> None:
    """Write the verdicts, whole or not at all; OutputError when the disk is full."""
    write_atomically(path, msgspec.json.encode(Judged(made_from=made_from, verdicts=verdicts)), folder=True)
