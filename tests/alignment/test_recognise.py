"""Phones heard without a transcript."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment import recognise
from prosody_transfer.alignment.recognise import BIGRAM_WEIGHT, MINIMUM_FRAMES, SWITCH_PENALTY, viterbi
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.features.extract import Features
from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig


def score(path, log_posteriors, bigram) -> float:
    """Of a path, or -inf where a phone is too short."""
    total = sum(log_posteriors[t, p] for t, p in enumerate(path))
    runs = [len(list(group)) for _, group in itertools.groupby(path)]
    if min(runs) < min(MINIMUM_FRAMES, len(path)):
        return -np.inf
    changes = [(a, b) for a, b in itertools.pairwise(path) if a != b]
    return total + sum(BIGRAM_WEIGHT * bigram[a, b] - SWITCH_PENALTY for a, b in changes)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 10**6))
def test_viterbi_finds_the_best_of_all_paths(frames, phones, seed):
    rng = np.random.default_rng(seed)
    log_posteriors, bigram = rng.normal(0, 3, (frames, phones)), rng.normal(0, 2, (phones, phones))
    best = max(score(p, log_posteriors, bigram) for p in itertools.product(range(phones), repeat=frames))
    found = viterbi(log_posteriors, bigram)
    assert found.shape == (frames,)
    assert score(found.tolist(), log_posteriors, bigram) == pytest.approx(best)


def test_viterbi_leaves_its_arguments_alone():
    log_posteriors, bigram = np.log(np.full((5, 3), 1 / 3)), np.zeros((3, 3))
    viterbi(log_posteriors, bigram)
    assert not bigram.any() and (log_posteriors == np.log(1 / 3)).all()


def features(size: int, n_samples: int | None = None, config: MelConfig | None = None) -> Features:
    mel = np.random.default_rng(size).normal(-5, 2, (100, size)).astype(np.float32)
    flat = np.zeros(size, np.float32)
    return Features(mel, flat, flat > 0, flat, n_samples or (size - 1) * 256, config or MelConfig())


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return Recogniser(RecogniserConfig(channels=8, layers=1)).eval()


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 80), st.integers(0, 255), st.integers(0, 1000))
def test_phones_cover_the_recording(size, short, seed):
    """From 0 to its very end, in order, without gaps, a distribution each; on a stretch cut from a longer one
    (T = N / hop) and on one that stands alone (one frame more)."""
    rng = np.random.default_rng(seed)
    table = torch.from_numpy(rng.normal(0, 4, (1, 40, size)).astype(np.float32))
    noisy = lambda mel, mask: table
    noisy.config, noisy.bigram = RecogniserConfig(), torch.zeros(40, 40)
    for n_samples in (size * 256, (size - 1) * 256 - short):
        heard = recognise.recognise_phones(noisy, features(size, n_samples))
        assert heard.phones[0].start == 0.0 and heard.phones[-1].end == heard.duration == n_samples / 24000
        assert all(a.end == b.start for a, b in itertools.pairwise(heard.phones))
        assert all(p.end > p.start for p in heard.phones)
        assert heard.posteriors.shape == (len(heard.phones), 40)
        assert heard.posteriors.sum(1) == pytest.approx(1, abs=1e-4)
        assert sum(heard.durations(size, 24000, 256)) == size


def test_posteriors_of_a_long_recording_come_in_parts(network, monkeypatch):
    whole = recognise.phone_posteriors(network, features(50))
    assert whole.shape == (50, 40) and whole.sum(1) == pytest.approx(1, abs=1e-5)
    monkeypatch.setattr(recognise, "CHUNK_FRAMES", 20)
    parts = recognise.phone_posteriors(network, features(50))
    assert parts.shape == whole.shape and np.isfinite(parts).all()


def test_a_sure_recogniser_is_believed():
    path = [0] * 5 + [7] * 4 + [7] * 3 + [20] * 6
    logits = torch.full((1, 40, len(path)), -20.0)
    logits[0, path, range(len(path))] = 0.0
    sure = lambda mel, mask: logits
    sure.config, sure.bigram = RecogniserConfig(), torch.zeros(40, 40)
    heard = recognise.recognise_phones(sure, features(len(path)))
    assert heard.durations(len(path), 24000, 256) == [5, 7, 6]
    assert len(recognise.phone_names(heard)) == 2


def test_other_features_are_refused(network):
    with pytest.raises(ModelError, match="hop_length=300"):
        recognise.phone_posteriors(network, features(20, config=MelConfig(hop_length=300)))


def test_names_are_without_stress_and_silence():
    phones = [SimpleNamespace(phone=p) for p in ("SIL", "AH0", "K", "AE1")]
    assert recognise.phone_names(SimpleNamespace(phones=phones)) == ["AH", "K", "AE"]
