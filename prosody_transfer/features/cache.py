"""Measured recordings on disk, one .npz each: waveform, features, and phones where the words are known."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.features.extract import Features


@dataclass(frozen=True)
class Utterance:
    """A measured training recording.

    Attributes:
        features: Its `Features` (the mel is stored in half precision).
        pcm: (N,) int16 at the features' rate and level; for the vocoder.
        phones: (P,) uint8 indices into PHONES; empty where the words are unknown.
        stress: (P,) uint8, 0 for consonants and silence, 1 to 3 for stress digits 0 to 2.
        durations: (P,) int16 frames, sum = T.
    """

    features: Features
    pcm: np.ndarray
    phones: np.ndarray
    stress: np.ndarray
    durations: np.ndarray


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Atomic: a killed run leaves either the whole file or none; OutputError when it can't be written."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue(), folder=True)


def save_features(path: Path, features: Features, pcm: np.ndarray) -> None:
    """Store features and waveform with the fingerprint of their settings."""
    write_npz(
        path,
        mel=features.mel.astype(np.float16),
        log_f0=features.log_f0,
        voiced=features.voiced,
        energy_db=features.energy_db,
        n_samples=np.array(features.n_samples),
        pcm=pcm,
        settings=np.array(features.config.fingerprint()),
    )


def load_utterance(path: Path, config: MelConfig, with_pcm: bool = True) -> Utterance:
    """Read what `save_features` and the aligner's pass have written.

    Raises:
        ModelError: The file is damaged, or was made with other settings.
    """
    try:
        with np.load(path) as data:
            if str(data["settings"]) != config.fingerprint():
                raise ModelError(
                    "was measured with other settings", place=str(path), remedy="delete the cache and prepare it again"
                )
            features = Features(
                data["mel"].astype(np.float32),
                data["log_f0"],
                data["voiced"],
                data["energy_db"],
                int(data["n_samples"]),
                config,
            )
            pcm = data["pcm"] if with_pcm else np.zeros(0, np.int16)
        aligned = path.with_suffix(".phones.npz")
        if not aligned.exists():
            none = np.zeros(0, np.uint8)
            return Utterance(features, pcm, none, none, np.zeros(0, np.int16))
        with np.load(aligned) as data:
            return Utterance(features, pcm, data["phones"], data["stress"], data["durations"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise ModelError("is damaged", place=str(path), remedy="delete it and prepare the data again") from None
