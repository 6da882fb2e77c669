"""Training the pitch tracker: contours that are known, what of them sounds, and ten steps."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields

import numpy as np
import pytest
import soundfile as sf
import torch

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.tracker.network import TrackerConfig
from prosody_transfer.models.tracker.spectrum import SpectrumConfig
from prosody_transfer.models.tracker.task import TrackerTask, TrackerTaskConfig, correction, load_known
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.store.weights import load_network
from prosody_transfer.training.commands import train
from prosody_transfer.training.contours import refined, varied
from prosody_transfer.training.loop import LoopConfig, Trainer, run

RATE, HOP = 12000, 128
SMALL = TrackerConfig(channels=16, layers=1, harmonic_channels=4)


def buzz(f0_hz: np.ndarray, rate: int = RATE) -> np.ndarray:
    """A harmonic tone that follows (N,) Hz; silent where that is 0."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    return 0.05 * (f0_hz > 0) * sum(np.sin(k * phase) / k for k in range(1, 12))


@pytest.fixture
def rows(tmp_path) -> list[Row]:
    """Four recordings of 1.5 s with a command 40 cents sharp of what sounds, voiced in the middle second."""
    made = []
    for number, f0 in enumerate((90.0, 120.0, 200.0, 260.0)):
        at = np.arange(int(1.5 * 24000)) / 24000
        glide = np.where((at > 0.25) & (at < 1.25), f0 * 2 ** (0.15 * np.sin(5 * at)), 0.0)
        path = tmp_path / f"r{number}.flac"
        sf.write(path, buzz(glide, 24000), 24000)
        command = glide[:: 24000 // 80] * 2 ** (40 / 1200)
        np.savez(path.with_suffix(".f0.npz"), f0_hz=command.astype(np.float32), frames_per_second=80.0)
        made.append(Row(id=path.stem, audio=str(path), speaker="one"))
    return made


def test_labels_are_what_sounds_not_what_was_commanded(rows, tmp_path):
    known = load_known(rows[2], tmp_path / "cache", SpectrumConfig())
    at = np.arange(len(known.f0_hz)) * HOP / RATE
    inside = (at > 0.32) & (at < 1.18)
    sounded = 200.0 * 2 ** (0.15 * np.sin(5 * at[inside]))
    cents = 1200 * np.log2(known.f0_hz[inside] / sounded)
    assert np.abs(cents).max() < 15, "the command was 40 cents off"
    assert not known.f0_hz[(at < 0.2) | (at > 1.3)].any() and (known.weight[inside] == 1).all()
    again = load_known(rows[2], tmp_path / "cache", SpectrumConfig())
    assert np.array_equal(again.f0_hz, known.f0_hz)


def test_noise_that_was_commanded_to_sing_is_unvoiced():
    noise = 0.05 * np.random.default_rng(1).standard_normal(RATE)
    f0, _ = refined(noise, RATE, HOP, np.full(1 + RATE // HOP, 150.0))
    assert (f0 > 0).mean() < 0.1


def test_a_trackers_guess_an_octave_low_is_not_trained_on():
    signal = buzz(np.full(RATE, 200.0))
    guess = np.full(1 + RATE // HOP, 100.0)
    _, told = refined(signal, RATE, HOP, guess)
    _, guessed = refined(signal, RATE, HOP, guess, natural=True)
    assert told[20:70].mean() > 0.9 and guessed[20:70].mean() < 0.1


def test_a_varied_contour_keeps_its_voicing_and_its_bounds():
    contour = np.where(np.arange(200) % 50 < 30, 150.0 + np.arange(200) / 4, 0.0)
    made = [varied(contour, 80.0, np.random.default_rng(seed)) for seed in range(40)]
    for f0 in made:
        assert np.array_equal(f0 > 0, contour > 0)
        assert f0[f0 > 0].min() >= 45 and f0.max() <= 700
    assert min(f0[f0 > 0].min() for f0 in made) < 75 and max(f0.max() for f0 in made) > 350
    assert not varied(np.zeros(9), 80.0, np.random.default_rng(0)).any()


def test_the_correction_takes_off_what_noise_adds():
    rng = np.random.default_rng(3)
    voice = np.where(np.arange(RATE) < RATE // 2, buzz(np.full(RATE, 150.0)), 0.0)
    noise = 0.01 * rng.standard_normal(RATE)
    off = correction(voice, voice + noise, HOP)
    assert np.abs(off[10:40]).max() < 1.5, "nothing where the voice is loud"
    assert off[60:85].max() < -8, "pauses are not as loud as their noise"


def test_ten_steps_and_the_same_again(rows, tmp_path):
    task = TrackerTask(SMALL, TrackerTaskConfig(batch_size=4, crop_frames=64, degraded=0.2), rows, tmp_path / "cache")
    first, second = (task.batch(np.random.default_rng([7, 1]), 1) for _ in range(2))
    for field in fields(first):
        assert torch.equal(getattr(first, field.name), getattr(second, field.name))
    assert first.spectrum.shape == (4, SMALL.spectrum.channels, 64) and first.energy.shape == (4, 64)
    measure = lambda: float(task.loss(first, 0, 10)[0].detach())
    before = measure()
    path = run(Trainer(task, LoopConfig(total_steps=10, warmup_steps=2, learning_rate=2e-2), tmp_path / "run"))
    assert measure() < 0.95 * before
    tensors, _ = load_checkpoint(path, "tracker")
    assert set(tensors) == set(task.network.state_dict())


def test_it_resumes_exactly(rows, tmp_path):
    fresh = TrackerTask(SMALL, TrackerTaskConfig(batch_size=2, crop_frames=48), rows, tmp_path / "cache")
    loop = LoopConfig(total_steps=4, warmup_steps=2)
    run(Trainer(deepcopy(fresh), loop, tmp_path / "straight"))
    run(Trainer(deepcopy(fresh), loop, tmp_path / "parts"), max_minutes=0.0)
    run(Trainer(deepcopy(fresh), loop, tmp_path / "parts"), resume=True)
    whole, parts = (load_checkpoint(tmp_path / f / "model.safetensors", "tracker")[0] for f in ("straight", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_the_command_trains_from_a_config_and_from_a_prepared_cache(rows, fake_cache, tmp_path):
    lines = "".join(f'{{"audio": "r{n}.flac", "speaker": "one"}}\n' for n in range(4))
    (tmp_path / "contours.jsonl").write_text(lines)
    config = tmp_path / "tracker.toml"
    config.write_text(
        f'[data]\nmanifests = ["{tmp_path}/contours.jsonl"]\ncache = "{tmp_path}/kept"\n[network]\nchannels = 16\n'
        "layers = 1\n[task]\nbatch_size = 2\ncrop_frames = 32\n[loop]\ntotal_steps = 2\n"
    )
    network, header = load_network("tracker", train("tracker", config, run_dir=tmp_path / "run"))
    assert network.config.channels == 16 and header["data"]["utterances"] == 4
    prepared, cache = fake_cache
    known = load_known(prepared[1], cache, SpectrumConfig())
    voiced = known.f0_hz[known.weight * (known.f0_hz > 0) > 0]
    assert len(voiced) > 20 and 100 < np.median(voiced) < 160


def test_a_recording_without_a_contour_is_named(tmp_path):
    path = tmp_path / "a.flac"
    sf.write(path, np.zeros(24000), 24000)
    with pytest.raises(UsageError, match="no known melody; put a.f0.npz beside it"):
        load_known(Row(id="a", audio=str(path), speaker="one"), tmp_path, SpectrumConfig())
