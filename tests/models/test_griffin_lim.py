"""The vocoder without weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.mel import log_mel, mel_filterbank
from prosody_transfer.models.blocks import Frames, frames_from
from prosody_transfer.models.vocoder.griffin_lim import GriffinLim, linear_magnitude

CONFIG = MelConfig()
BANK = torch.from_numpy(mel_filterbank(CONFIG))


def vowel() -> torch.Tensor:
    """(1, N): a gliding vowel-like tone with two formants."""
    t = np.arange(256 * 60) / 24000
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 2 * t)) / 24000
    gain = lambda k: 1 / (1 + ((k * 130 - 600) / 200) ** 2) + 0.5 / (1 + ((k * 130 - 1800) / 300) ** 2)
    return torch.from_numpy(0.1 * sum(gain(k) * np.sin(k * phase) for k in range(1, 30))).float()[None]


def with_pitch(mel: torch.Tensor) -> Frames:
    return frames_from(torch.cat([mel, torch.ones_like(mel[:, :1]), torch.full_like(mel[:, :1], 4.8)], 1))


def test_magnitudes_reproduce_the_mel():
    wave = vowel()
    true = torch.stft(wave, 1024, 256, window=torch.hann_window(1024), return_complex=True).abs()
    mel = BANK @ true
    found = linear_magnitude(mel, BANK, 30)
    assert (found >= 0).all()
    assert ((BANK @ found - mel).norm() / mel.norm()) < 1e-3
    clipped = (torch.linalg.pinv(BANK) @ mel).clamp(min=0)
    assert (found - true).norm() < (clipped - true).norm(), "nearer to the truth than a clipped pseudo-inverse"


def test_the_mel_comes_back():
    mel = log_mel(vowel(), CONFIG)
    out = GriffinLim(CONFIG, BANK)(with_pitch(mel))
    assert out.values.shape == (1, 1, mel.shape[-1] * 256) and out.mask.all()
    again = log_mel(out.values[0, :, : 256 * 60], CONFIG)
    difference = (again.clamp(min=-5) - mel.clamp(min=-5)).abs()[..., 3:-3].mean()
    assert difference < 0.2
    noise = log_mel(GriffinLim(CONFIG, BANK, iterations=0)(with_pitch(mel)).values[0, :, : 256 * 60], CONFIG)
    assert difference < 0.5 * (noise.clamp(min=-5) - mel.clamp(min=-5)).abs()[..., 3:-3].mean(), (
        "better than random phases"
    )


def test_momentum_helps():
    mel = log_mel(vowel(), CONFIG)
    errors = []
    for momentum in (0.0, 0.99):
        out = GriffinLim(CONFIG, BANK, iterations=30, momentum=momentum)(with_pitch(mel)).values[0, :, : 256 * 60]
        errors.append((log_mel(out, CONFIG).clamp(min=-5) - mel.clamp(min=-5)).abs().mean())
    assert errors[1] < errors[0]


def test_the_same_input_gives_the_same_output():
    mel = log_mel(vowel(), CONFIG)
    network = GriffinLim(CONFIG, BANK, iterations=3)
    first = network(with_pitch(mel)).values
    torch.rand(7)
    assert torch.equal(network(with_pitch(mel)).values, first)
    assert not torch.equal(GriffinLim(CONFIG, BANK, iterations=3, seed=8)(with_pitch(mel)).values, first)


@pytest.mark.parametrize("length", [1, 2, 3, 20])
def test_padding_never_changes_a_result(length):
    mel = log_mel(vowel(), CONFIG)[..., :30]
    given = with_pitch(mel.repeat(2, 1, 1))
    network = GriffinLim(CONFIG, BANK, iterations=4)
    together = network(frames_from(given.values, torch.tensor([30, length])))
    alone = network(frames_from(given.values[1:, :, :length]))
    assert (together.values[1, :, : length * 256] - alone.values[0]).abs().max() < 1e-6
    assert not together.values[1, :, length * 256 :].any()


def test_silence_stays_silent():
    mel = torch.full((1, 100, 12), np.log(1e-7))
    assert GriffinLim(CONFIG, BANK, iterations=4)(with_pitch(mel)).values.abs().max() < 1e-6


def test_nothing_is_stored_and_nothing_learns():
    network = GriffinLim(CONFIG, BANK)
    assert not network.state_dict() and not list(network.parameters())
