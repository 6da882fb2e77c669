"""The judge of voices against Resemblyzer itself, its mel against librosa, and that nothing trains against it.

`resemblyzer.npz` holds what `preprocess_wav` and `embed_utterance` of Resemblyzer 0.1.4 (no dependency: it has to be
compiled) gave for `signals()`: embeddings, samples left after trimming, and first frames of windows.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.audio.loudness import speech_level_db
from prosody_transfer.core.errors import AudioError, DependencyError, ModelError, UsageError
from prosody_transfer.evaluation import references as refs
from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.judges import Judges, Settings
from prosody_transfer.evaluation.slaney import power_mel, power_mel_array, slaney_filterbank
from prosody_transfer.evaluation.speaker import Judge, raise_level, window_starts, without_pauses
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.store.weights import shipped

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("resemblyzer.npz")


def signals() -> dict[str, np.ndarray]:
    """Speech of two voices; short, long with pauses, and softer than the judge wants it."""
    source = load(ROOT / "examples" / "audio" / "source.flac")
    alice = load(ROOT / "tests" / "alignment" / "alice_0016.opus")
    silence = np.zeros(24_000, np.float32)
    return {
        "source": source, "alice": alice, "short": source[8_000:24_000], "soft": (0.002 * alice).astype(np.float32),
        "pauses": np.concatenate([alice, silence, alice, silence, silence, alice[:20_000]]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def judge():
    torch.set_num_threads(1)
    return Judge()


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as stored:
        return dict(stored)


@pytest.mark.parametrize("name", ["source", "alice", "short", "soft", "pauses"])
def test_embeddings_equal_resemblyzers(judge, golden, name):
    waveform = signals()[name]
    found = judge.embed(waveform)
    assert found.shape == (256,) and found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-6) and found.min() >= 0
    assert found @ golden[name] >= 0.9995
    speech = without_pauses(raise_level(waveform))
    assert len(speech) == golden[f"{name}_samples"]
    assert window_starts(len(speech)) == golden[f"{name}_windows"].tolist()


def test_the_two_voices_differ(judge, golden):
    assert golden["source"] @ golden["alice"] < 0.75 < golden["alice"] @ golden["pauses"]


def test_the_same_answer_in_any_order(judge):
    sounds = signals()
    first = judge.embed(sounds["alice"])
    judge.embed(sounds["source"])
    assert np.array_equal(judge.embed(sounds["alice"]), first)
    assert np.array_equal(Judge().embed(sounds["alice"]), first)


def test_softer_speech_is_the_same_voice(judge):
    """Level and length are no part of a voice: what is below the wanted level is raised to it exactly."""
    alice = signals()["alice"]
    assert judge.embed(alice * 0.01) @ judge.embed(alice * 0.001) > 0.99999
    assert np.sqrt(np.mean(raise_level(alice * 0.001) ** 2)) == pytest.approx(10 ** (-30 / 20), rel=1e-4)
    assert np.array_equal(raise_level(alice), alice)


def test_equally_loud_recordings_are_judged_alike(judge):
    """Twice as loud is another vector to the judge, but not once both are at one speech level."""
    alice, tools = signals()["alice"], Judges(Settings())
    assert judge.embed(alice) @ judge.embed(4 * alice) < 0.99
    levelled = [tools.embed_levelled(gain * alice, -26.0) for gain in (1, 4)]
    assert levelled[0] @ levelled[1] > 0.9999


def test_mel_equals_librosas():
    librosa = pytest.importorskip("librosa")
    noise = np.random.default_rng(0).standard_normal(8_000).astype(np.float32)
    for n_fft, n_mels in ((400, 40), (321, 120)):
        bank = librosa.filters.mel(sr=16_000, n_fft=n_fft, n_mels=n_mels)
        assert np.abs(slaney_filterbank(16_000, n_fft, n_mels) - bank).max() < 1e-7
        wanted = librosa.feature.melspectrogram(y=noise, sr=16_000, n_fft=n_fft, hop_length=160, n_mels=n_mels)
        in_torch = power_mel(torch.from_numpy(noise), 16_000, n_fft, 160, n_mels).numpy()
        for found in (in_torch, power_mel_array(noise, 16_000, n_fft, 160, n_mels)):
            assert found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 8_000, 25_599, 25_600, 40_000, 100_000, 331_776])
def test_windows_cover_the_speech(samples):
    """First at 0, a step of .77 s, and no more than a quarter of a window left over beyond the last or padded in it."""
    starts = window_starts(samples)
    assert starts[0] == 0 and set(np.diff(starts)) <= {77}
    end = (starts[-1] + 160) * 160
    assert samples - end <= 0.77 * 16_000
    assert len(starts) == 1 or end - samples <= 0.25 * 25_600


def test_what_holds_no_voice_is_refused(judge, monkeypatch):
    with pytest.raises(AudioError, match=r"^0\.40 s are too short to judge a voice by; give at least 0\.5 s"):
        judge.embed(np.ones(6_400, np.float32))
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    assert np.isfinite(judge.embed(noise)).all(), "what the detector hears no voice in is judged whole"
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(DependencyError, match=r"webrtcvad; pip install 'prosody-transfer\[evaluate\]'"):
        judge.embed(noise)


def test_missing_weights(tmp_path):
    with pytest.raises(ModelError, match="no such checkpoint"):
        Judge(tmp_path / "none.safetensors").embed(np.ones(16_000, np.float32))
    with pytest.raises(ModelError, match="holds a recogniser, not a verifier"):
        Judge(shipped("recogniser")).embed(np.ones(16_000, np.float32))


def test_shipped_weights_are_small_and_attributed():
    tensors, header = load_checkpoint(shipped("verifier"), "verifier")
    assert len(tensors) == 14 and all(torch.isfinite(t).all() for t in tensors.values())
    assert shipped("verifier").stat().st_size < 3e6
    assert "Resemblyzer 0.1.4" in header["source"] and "Apache-2.0" in header["source"]
    card = (shipped("verifier").parent / "CARD.md").read_text(encoding="utf8")
    assert "Never to be trained against" in card and "copyright 2019 Resemble.AI, Apache-2.0" in card


def test_only_the_evaluation_room_knows_the_judge():
    """A judge that a loss has seen says nothing: no other room may import the network, nor read its weights."""
    found = []
    for folder in ("prosody_transfer", "cli", "models", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            inside = path.relative_to(ROOT).parts[:2]
            if inside in (("prosody_transfer", "evaluation"), ("models", "verifier")):
                continue
            if path.name == "kinds.py" and inside == ("prosody_transfer", "integration"):
                continue  # how each shipped network is exported; nothing there is trained
            tree = ast.walk(ast.parse(path.read_text(encoding="utf8")))
            names = [n.module or "" for n in tree if isinstance(n, ast.ImportFrom)]
            if any("verifier" in name for name in names) or '"verifier"' in path.read_text(encoding="utf8"):
                found.append(str(path))
    assert not found, found


def test_every_shipped_voice_has_references(judge):
    from prosody_transfer.store.voices import list_voices

    voices = {v.name: v for v in list_voices()}
    assert refs.known_voices() == sorted(voices)
    for name in voices:
        vectors, centre = refs.references(name), refs.centroid(name)
        assert len(vectors) >= refs.LEAST and vectors.shape[1] == 256
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
        assert -30 < refs.speech_level(name) < -15 and refs.speech_level("nobody") is None
        floor = refs.floor(name)
        assert floor is not None and 0.5 < floor < 0.75 < refs.ceiling(name) < 1.0
        best = max(voices, key=lambda other: float((vectors @ refs.centroid(other)).min()))
        assert best == name and np.linalg.norm(centre) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(UsageError, match="no recordings of the voice 'nobody'.*known are adam, alice"):
        refs.references("nobody")


def test_alices_training_recording_is_hers(judge):
    alice = judge.embed(signals()["alice"])
    assert max(refs.known_voices(), key=lambda name: float(refs.centroid(name) @ alice)) == "alice"


def test_speakers_given_by_recordings(judge, golden, tmp_path):
    files = [ROOT / "examples" / "audio" / "source.flac", ROOT / "tests" / "alignment" / "alice_0016.opus"]
    wanted = golden["source"] + golden["alice"]
    assert refs.centroid_of(files, judge) @ (wanted / np.linalg.norm(wanted)) > 0.9995
    with pytest.raises(AudioError, match="no recordings"):
        refs.centroid_of([], judge)
    with pytest.raises(AudioError, match="none.wav"):
        refs.centroid_of([tmp_path / "none.wav"], judge)


def test_references_are_saved_and_those_of_another_judge_refused(judge, tmp_path, monkeypatch):
    file = ROOT / "examples" / "audio" / "source.flac"
    with pytest.raises(UsageError, match="alice: 3 recordings are too few; give 12"):
        refs.save_references({"alice": [file] * 3}, tmp_path / "r.safetensors", judge)
    monkeypatch.setattr(refs, "_SHIPPED", tmp_path / "r.safetensors")
    try:
        refs.save_references({"alice": [file] * 12}, judge=judge)
        assert refs.known_voices() == ["alice"] and refs.ceiling("alice") == pytest.approx(1.0, abs=1e-5)
        assert refs.floor("alice") is None
        assert refs.speech_level("alice") == pytest.approx(speech_level_db(load(file), EVALUATION_RATE), abs=0.01)
        another = type("Another", (Judge,), {"fingerprint": "another"})()
        refs.save_references({"alice": [file] * 12}, judge=another)
        with pytest.raises(ModelError, match="made with another judge"):
            refs.references("alice")
    finally:
        refs._shipped.cache_clear()
