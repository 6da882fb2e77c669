"""A minute of silence beside a sentence changes nothing of what is heard of it, nor that a transcript is checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment.heard import check_match
from prosody_transfer.alignment.match import align_sequences
from prosody_transfer.alignment.recognise import (
    PAUSE_FRAMES,
    confidence,
    inside_pauses,
    phone_names,
    recognise_phones,
)
from prosody_transfer.audio.io import read_audio
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.features.extract import Features
from prosody_transfer.features.mel import log_mel
from prosody_transfer.store.weights import load_network
from prosody_transfer.text.lexicon import pronounce

RATE = 24000
CLIP = Path(__file__).parent / "alice_0016.opus"


@pytest.fixture(scope="module")
def network():
    return load_network("recogniser")[0]


@pytest.fixture(scope="module")
def clip():
    return read_audio(CLIP, RATE).waveform


def hear(network, waveform):
    """The recogniser needs no F0, which takes most of the time of measuring a minute."""
    config, waveform = MelConfig(), waveform.astype(np.float32)
    mel = log_mel(torch.from_numpy(waveform)[None], config)[0].numpy()
    flat = np.zeros(mel.shape[1], np.float32)
    return recognise_phones(network, Features(mel, flat, flat > 0, flat, len(waveform), config))


def quiet(kind, seconds, level):
    noise = np.random.default_rng(4).normal(0, level, round(seconds * RATE))
    return np.zeros_like(noise) if kind == "zeros" else noise


@pytest.mark.parametrize("seconds", [3, 12])
@pytest.mark.parametrize("kind", ["zeros", "noise"])
@pytest.mark.parametrize("place", ["before", "after", "middle"])
def test_what_is_heard_does_not_hang_on_the_silence_around_it(network, clip, kind, seconds, place):
    alone = hear(network, clip)
    pause, half = quiet(kind, seconds, 1e-3), len(clip) // 2
    parts = {"before": [pause, clip], "after": [clip, pause], "middle": [clip[:half], pause, clip[half:]]}[place]
    heard = hear(network, np.concatenate(parts))
    assert confidence(heard) > confidence(alone) - 0.08  # without care .60 of .84
    pairs = align_sequences(phone_names(alone), phone_names(heard))
    same = sum(None not in pair and phone_names(alone)[pair[0]] == phone_names(heard)[pair[1]] for pair in pairs)
    allowed = 8 if place == "middle" else 5  # a word is cut in two there
    assert len(pairs) - same <= allowed


def test_a_silent_tail_does_not_switch_the_check_off(network, clip):
    heard = hear(network, np.concatenate([clip, np.zeros(60 * RATE)]))
    words = [
        "please",
        "remember",
        "to",
        "bring",
        "enough",
        "sandwiches",
        "because",
        "our",
        "favourite",
        "restaurant",
        "closes",
        "early",
    ]
    phones = [p for word in words for p in pronounce(word)[0]]
    ends = np.linspace(0, heard.duration, len(phones) + 1)
    spaced = tuple(PhoneInterval(p, *ends[i : i + 2]) for i, p in enumerate(phones))
    with pytest.raises(TranscriptError, match="does not match"):
        check_match([Alignment(spaced, (), heard.duration)], [heard], [0.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=6))
def test_only_the_inside_of_long_pauses_is_left_out(runs):
    silent = np.array([quiet for quiet, size in runs for _ in range(size)], bool)
    inside = inside_pauses(np.where(silent[:, None], 0.9, 0.1) * np.ones((1, 40)))
    for t in range(len(silent)):
        window = silent[max(0, t - PAUSE_FRAMES) : t + PAUSE_FRAMES + 1]
        assert inside[t] == (len(window) > 2 * PAUSE_FRAMES and window.all())
