"""Audio -> Features: everything that is measured on a recording, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, ModelError
from prosody_transfer.core.units import samples_to_frames
from prosody_transfer.features.learned_pitch import Heard
from prosody_transfer.features.mel import ENERGY_FLOOR_DB, energy_of_mel, log_mel_array
from prosody_transfer.features.pitch import track_f0

MINIMUM_SAMPLES = 2048
Tracker = Callable[[np.ndarray, int, int, int], Heard]  # of a waveform, its rate, samples a frame, frames


@dataclass(frozen=True)
class Features:
    """Frame-wise measurements of one recording; T frames, frame t centred on sample t * hop_length.

    Attributes:
        mel: (M, T) float32, natural log, floored at `config.floor`.
        log_f0: (T,) float32, ln Hz, continuous.
        voiced: (T,) bool.
        energy_db: (T,) float32, relative to the normalised speech level.
        n_samples: N, before padding to a whole number of frames.
        config: The settings they were made with.
        doubt: (T,) float32, 0 to 1, how likely `log_f0` is wrong where voiced; None where the tracker does not say.
        noise_db: (T,) float32, 0 or less, what of the measured energy is noise or a room's tail; it is taken off
            `energy_db` already.
    """

    mel: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    energy_db: np.ndarray
    n_samples: int
    config: MelConfig
    doubt: np.ndarray | None = None
    noise_db: np.ndarray | None = None

    @property
    def n_frames(self) -> int:
        return self.mel.shape[1]

    def require(self, config: MelConfig, place: str = "features") -> None:
        """Raises ModelError when these features were made with other settings than a model's."""
        if self.config != config:
            differing = [k for k, v in config.to_dict().items() if self.config.to_dict()[k] != v]
            got = ", ".join(f"{k}={self.config.to_dict()[k]}" for k in differing)
            raise ModelError(f"made with {got}, which the model does not use", place=place, remedy="extract them again")


def softened(features: Features, ride_db: np.ndarray | None, *, mel: bool = True) -> Features:
    """Features as if measured before `ride_db`, (T,) dB, had been added to the recording; None where nothing was.

    Args:
        mel: False leaves the mel as it is.
    """
    if ride_db is None:
        return features
    energy = np.maximum(features.energy_db - ride_db, ENERGY_FLOOR_DB).astype(np.float32)
    if not mel:
        return replace(features, energy_db=energy)
    soft = np.maximum(features.mel - ride_db * np.log(10) / 20, np.log(features.config.floor)).astype(np.float32)
    return replace(features, mel=soft, energy_db=energy)


def pad_to_frames(waveform: np.ndarray, config: MelConfig) -> np.ndarray:
    """Zeros at the end up to a whole number of hops."""
    return np.pad(waveform, (0, -len(waveform) % config.hop_length))


def extract(waveform: np.ndarray, config: MelConfig, tracker: Tracker | None = None) -> Features:
    """Measure a recording.

    Args:
        waveform: (N,) float32 at `config.sample_rate`, already at the normalised speech level.
        tracker: Of the melody; None for DIO, see `features.pitch`.

    Raises:
        AudioError: Fewer than `MINIMUM_SAMPLES` samples.
    """
    if len(waveform) < MINIMUM_SAMPLES:
        raise AudioError(f"{len(waveform)} samples are too few to measure", remedy="use at least 0.3 s of speech")
    padded = pad_to_frames(waveform, config)
    mel = log_mel_array(padded, config)
    size = samples_to_frames(len(waveform), config.hop_length)
    energy = energy_of_mel(mel, config)
    if tracker is None:
        log_f0, voiced = track_f0(padded, config.sample_rate, config.hop_length, size)
        return Features(mel, log_f0, voiced, energy, len(waveform), config)
    heard = tracker(padded, config.sample_rate, config.hop_length, size)
    energy = np.maximum(energy + heard.noise_db, ENERGY_FLOOR_DB).astype(np.float32)
    return Features(mel, heard.log_f0, heard.voiced, energy, len(waveform), config, heard.doubt, heard.noise_db)
