"""Numpy's parts of the vocoder and of the features equal torch's."""

from __future__ import annotations

import numpy as np
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.mel import energy_from_mel, energy_of_mel, log_mel, log_mel_array
from prosody_transfer.integration import sound
from prosody_transfer.integration.noise import noise_table, normal_table
from prosody_transfer.integration.streams import positions
from prosody_transfer.models.blocks import Frames
from prosody_transfer.models.copycat.inputs import frame_to_phone, position_features
from prosody_transfer.models.vocoder import source_filter as theirs
from prosody_transfer.models.vocoder.matching import MelMatching

CONFIG = MelConfig()
DRAW = np.random.default_rng(0)
FRAMES = 30


def test_the_noise_is_torch_s() -> None:
    filter_ = theirs.SourceFilter(24000, 1024, 256)
    assert np.abs(noise_table() - filter_.noise.numpy()).max() < 1e-6
    for size, seed in ((16, 1), (4096, 123456)):
        other = torch.randn(size, generator=torch.Generator().manual_seed(seed)).numpy()
        assert np.abs(normal_table(size, seed) - other).max() < 1e-6


def test_pulses_and_noise_through_filters() -> None:
    bins = 513
    filters = (0.3 * DRAW.standard_normal((3 * bins, FRAMES))).astype(np.float32)
    filters[:bins] -= 3
    filters[2 * bins :] -= 5
    pitch = (5 + 0.2 * np.sin(np.arange(FRAMES) / 5)).astype(np.float32)
    for first, phase in ((0, 0.0), (1013, 0.37), (-12, 0.0)):
        mine, starts = sound.source_filter(filters, pitch, np.ones(FRAMES, bool), phase, first, CONFIG)
        values = torch.from_numpy(np.concatenate([filters, pitch[None]]))[None]
        frames = Frames(values, torch.ones(1, FRAMES, dtype=torch.bool))
        block = theirs.SourceFilter(24000, 1024, 256)
        expected, ends = block.render(frames, torch.tensor([phase], dtype=torch.float64), torch.tensor([first]))
        expected = expected[0].numpy()
        assert expected.std() > 1e-3
        assert np.square(expected).mean() > 1e8 * np.square(mine - expected).mean(), "80 dB"
        assert np.abs((starts - ends[0].numpy() + 0.5) % 1 - 0.5).max() < 1e-6


def test_masked_frames_are_silent_and_stop_the_phase() -> None:
    real = np.arange(FRAMES) < 20
    filters = np.where(real, -3, 0).astype(np.float32)[None].repeat(3 * 513, 0)
    pitch = np.where(real, 5, 0).astype(np.float32)
    mine, starts = sound.source_filter(filters, pitch, real, 0.0, 0, CONFIG)
    values = torch.from_numpy(np.concatenate([filters, pitch[None]]))[None]
    expected = theirs.SourceFilter(24000, 1024, 256)(Frames(values, torch.from_numpy(real)[None])).values[0, 0].numpy()
    assert np.abs(mine - expected).max() < 1e-4 * np.abs(expected).max()
    assert not mine[20 * 256 :].any() and np.ptp(starts[20:]) == 0


def test_matching_the_mel() -> None:
    samples = (0.05 * DRAW.standard_normal(FRAMES * 256)).astype(np.float32)
    mel = (-4 + DRAW.standard_normal((100, FRAMES))).astype(np.float32)
    for iterations in (1, 3):
        mine = sound.match_mel(samples, mel, np.ones(FRAMES, bool), iterations, CONFIG)
        values = np.concatenate([samples.reshape(FRAMES, 256).T, mel])[None]
        frames = Frames(torch.from_numpy(values), torch.ones(1, FRAMES, dtype=torch.bool))
        expected = MelMatching(CONFIG, iterations)(frames).values[0, 0].numpy()
        assert np.abs(mine - expected).max() < 1e-4 * np.abs(expected).max()


def test_the_mel_and_its_energy() -> None:
    waveform = (0.1 * DRAW.standard_normal(256 * 40)).astype(np.float32)
    waveform[256 * 20 :] *= 1e-5
    expected = log_mel(torch.from_numpy(waveform)[None], CONFIG)[0]
    mine = log_mel_array(waveform, CONFIG)
    assert mine.shape == (100, 41) and mine.dtype == np.float32
    assert np.abs(mine - expected.numpy()).max() < 1e-3 and np.abs(mine - expected.numpy()).mean() < 1e-5
    assert np.abs(energy_of_mel(mine, CONFIG) - energy_from_mel(expected, CONFIG).numpy()).max() < 1e-3


def test_positions_in_phones() -> None:
    durations = np.array([[3, 0, 5, 1, 21, 0]])
    index = np.minimum(np.searchsorted(np.cumsum(durations), np.arange(30), "right"), 5)
    theirs_index = frame_to_phone(torch.from_numpy(durations), 30)
    assert (index == theirs_index[0].numpy()).all()
    expected = position_features(torch.from_numpy(durations), theirs_index).numpy()
    assert np.abs(positions(durations, index) - expected).max() < 1e-6
    assert np.abs(positions(durations, index[7:], 7) - expected[..., 7:]).max() < 1e-6
