"""What a recogniser hears in training recordings, as the decoder is told it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.alignment.recognise import recognise_phones
from prosody_transfer.audio.io import read_audio
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.features.cache import Utterance
from prosody_transfer.features.extract import extract
from prosody_transfer.store.weights import load_network
from prosody_transfer.text.phones import phone_id
from prosody_transfer.training.heard import heard_phones

SOURCE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"


def recording() -> Utterance:
    config = MelConfig()
    features = extract(read_audio(SOURCE, config.sample_rate).waveform, config)
    found = recognise_phones(load_network("recogniser")[0], features)
    phones = np.array([phone_id(p.phone) for p in found.phones], np.uint8)
    durations = np.array(found.durations(features.n_frames, config.sample_rate, config.hop_length), np.int16)
    return Utterance(features, np.zeros(0, np.int16), phones, np.zeros_like(phones), durations)


def test_it_hears_most_phones_and_doubts_some() -> None:
    one = recording()
    heard, again = heard_phones("shipped", [one, replace(one)])
    assert heard.shape == (len(one.phones), 40) and heard.dtype == np.float16
    np.testing.assert_allclose(heard.astype(float).sum(1), 1, atol=0.02)
    assert 0.4 < np.mean(heard.argmax(1) == one.phones) < 1.0  # perturbed, it does not hear all that it heard
    assert not np.array_equal(heard, again)  # each has perturbations of its own
    np.testing.assert_array_equal(heard, heard_phones("shipped", [one])[0])  # and the same ones every time
    first, second = heard_phones("shipped", [one, one])
    assert first is second  # drawn twice as often, heard once


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        heard_phones(tmp_path / "none.safetensors", [])
