"""Measured recordings on disk."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, ModelError
from prosody_transfer.features.cache import load_utterance, save_features, write_npz
from prosody_transfer.features.extract import Features, extract, pad_to_frames

CONFIG = MelConfig()


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    t = np.arange(12000) / 24000
    return (0.1 * sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(1, 10))).astype(np.float32)


@pytest.fixture(scope="module")
def features(waveform) -> Features:
    return extract(waveform, CONFIG)


@pytest.fixture
def path(tmp_path, features, waveform):
    save_features(
        tmp_path / "ann" / "a.npz", features, np.round(pad_to_frames(waveform, CONFIG) * 32767).astype(np.int16)
    )
    return tmp_path / "ann" / "a.npz"


def test_extract(features):
    assert features.n_samples == 12000 and features.n_frames == 48 == features.mel.shape[1]
    assert all(a.shape == (48,) for a in (features.log_f0, features.voiced, features.energy_db))
    assert (
        features.mel.dtype == features.log_f0.dtype == features.energy_db.dtype == np.float32
        and features.voiced.dtype == bool
    )


@pytest.mark.parametrize("size", [2048, 2049, 2304, 5000])
def test_frames_cover_every_sample(size):
    found = extract(np.random.default_rng(0).normal(0, 0.1, size).astype(np.float32), CONFIG)
    assert found.n_frames == -(-size // 256) + 1 == len(found.log_f0) and found.n_samples == size


@pytest.mark.parametrize("size", [0, 1, 2047])
def test_too_short_is_refused(size):
    with pytest.raises(AudioError, match=f"{size} samples are too few"):
        extract(np.zeros(size, np.float32), CONFIG)


def test_round_trip(path, features):
    back = load_utterance(path, CONFIG)
    assert np.abs(back.features.mel - features.mel).max() < 0.01, "half precision"
    assert back.features.mel.dtype == np.float32
    for name in ("log_f0", "voiced", "energy_db", "n_samples", "config"):
        assert np.array_equal(getattr(back.features, name), getattr(features, name))
    assert len(back.pcm) == 47 * 256 and back.phones.size == 0
    assert load_utterance(path, CONFIG, with_pcm=False).pcm.size == 0
    assert [p.name for p in path.parent.iterdir()] == ["a.npz"]


def test_phones_lie_beside(path):
    write_npz(
        path.with_suffix(".phones.npz"),
        phones=np.array([1], np.uint8),
        stress=np.array([0], np.uint8),
        durations=np.array([48], np.int16),
    )
    assert load_utterance(path, CONFIG).durations.tolist() == [48]


@pytest.mark.parametrize("keep", [0, 10, 3000, -30])
def test_a_damaged_file_is_refused(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="is damaged; delete it and prepare the data again"):
        load_utterance(path, CONFIG)


def test_missing_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(ModelError, match="damaged"):
        load_utterance(tmp_path / "gone.npz", CONFIG)
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ModelError, match="damaged"):
        load_utterance(tmp_path / "other.npz", CONFIG)
    np.savez(tmp_path / "evil.npz", settings=np.array([object()]))
    with pytest.raises(ModelError, match="damaged"):
        load_utterance(tmp_path / "evil.npz", CONFIG)


def test_features_refuse_another_model(features):
    features.require(MelConfig())
    with pytest.raises(
        ModelError,
        match="features: made with hop_length=256, n_mels=100, which the model does not use; extract them again",
    ):
        features.require(MelConfig(hop_length=200, n_mels=80))


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, features):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    from prosody_transfer.core.errors import OutputError

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError):
        save_features(tmp_path / "a.npz", features, np.zeros(1, np.int16))
    assert not list(tmp_path.iterdir())
