"""What the shipped phone recogniser hears in a recording that nobody has measured yet."""

from __future__ import annotations

import numpy as np

from prosody_transfer.alignment.base import Heard
from prosody_transfer.alignment.recognise import posteriors_of_mel
from prosody_transfer.analysis.recogniser_addon import AddonRecogniser
from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.audio.resample import resample
from prosody_transfer.core.errors import AudioError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.features.extract import MINIMUM_SAMPLES, pad_to_frames
from prosody_transfer.features.mel import log_mel_array

_recogniser: Shared[AddonRecogniser] = Shared(AddonRecogniser)  # one thread loads it; it is only read afterwards


def listen(waveform: np.ndarray, sample_rate: int) -> Heard:
    """Posteriors of a recording, (N,) float32 at any rate and level.

    Raises:
        AudioError: It is too short to be measured.
    """
    with _recogniser.use() as network:
        pass
    config = network.config.mel
    audio = resample(waveform, sample_rate, config.sample_rate) if sample_rate != config.sample_rate else waveform
    if len(audio) < MINIMUM_SAMPLES:
        raise AudioError(f"{len(audio)} samples are too few to measure", remedy="use at least 0.3 s of speech")
    level, _ = normalise_level(high_pass(audio, config.sample_rate), config.sample_rate)
    mel = log_mel_array(pad_to_frames(level, config), config)
    return Heard(posteriors_of_mel(network, mel), config.hop_length / config.sample_rate)
