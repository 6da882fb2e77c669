"""The source-filter vocoder: what it promises before any training."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import UsageError
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.models.vocoder.network import Vocoder, VocoderConfig
from prosody_transfer.models.vocoder.source_filter import SourceFilter, advance, minimum_phase, pulse_train, sample_f0

SMALL = {"channels": 16, "layers": 1}


def voice(size: int = 60, hz: float = 130.0) -> torch.Tensor:
    torch.manual_seed(0)
    values = torch.cat(
        [torch.randn(1, 100, size) - 5, torch.ones(1, 1, size), torch.full((1, 1, size), math.log(hz))], 1
    )
    values[:, -1] += 0.1 * torch.sin(torch.arange(size) / 8)
    return values


def test_sample_f0_draws_straight_lines():
    log_f0 = torch.tensor([[100.0, 200.0, 300.0]]).log()
    f0 = sample_f0(log_f0, torch.tensor([[True, True, False]]), 4)
    assert torch.allclose(f0[0, 0], torch.tensor([100.0, 125.0, 150.0, 175.0]), rtol=1e-5)
    assert torch.allclose(f0[0, 1], torch.full((4,), 200.0), rtol=1e-5), "held where the next frame is not real"


def test_phase_advances_by_f0():
    f0 = torch.full((1, 5, 4), 100.0, dtype=torch.float64)
    phase, starts = advance(f0, torch.ones(1, 5, dtype=torch.bool), torch.zeros(1, dtype=torch.float64), 1000)
    expected = (torch.arange(20, dtype=torch.float64) * 0.1 + 0.5) % 1 - 0.5
    wrapped = (phase.flatten() - expected + 0.5) % 1 - 0.5
    assert wrapped.abs().max() < 1e-9
    assert starts[0, -1].item() == pytest.approx(20 * 0.1 % 1, abs=1e-9)


def test_pulse_train_is_the_sum_of_its_harmonics():
    f0 = torch.full((1, 400), 130.0, dtype=torch.float64)
    phase = torch.arange(400, dtype=torch.float64)[None] * 130 / 24000
    phase = phase - torch.floor(phase + 0.5)
    count = 1000 / 130  # 7 whole harmonics and a part of the eighth
    harmonics = (
        sum(2 * torch.cos(2 * math.pi * k * phase) for k in range(1, 8))
        + 1
        + 2 * (count - 7) * torch.cos(16 * math.pi * phase)
    )
    assert (pulse_train(phase, f0, 1000.0) - harmonics / math.sqrt(2 * count + 1)).abs().max() < 1e-6


def test_pulse_train_has_unit_power():
    for hz in (80.0, 133.3, 320.0):
        phase = torch.arange(24000, dtype=torch.float64)[None] * hz / 24000
        phase = phase - torch.floor(phase + 0.5)
        assert pulse_train(phase, torch.full_like(phase, hz), 11040.0).square().mean().item() == pytest.approx(
            1.0, abs=0.06
        )


def test_minimum_phase_of_a_known_filter():
    """1 - 0.6 z^-1 has its zero inside the unit circle, so it is the minimum-phase filter of its magnitude."""
    response = torch.fft.rfft(torch.tensor([1.0, -0.6] + [0.0] * 510))
    found = minimum_phase(response.abs().log()[None])
    assert (found[0] - response.angle()).abs().max() < 1e-4


def test_pitch_is_exact_by_construction():
    """A flat filter: the output is the pulse train, whose period is that of the F0 given."""
    block = SourceFilter()
    values = torch.zeros(1, block.in_channels, 80)
    values[:, 2 * block.bins : -1] = -30.0  # no noise
    values[:, -1] = math.log(200.0)
    audio = block(frames_from(values)).values[0, 0, 2560:-2560]
    spectrum = np.abs(np.fft.rfft(audio.numpy() * np.hanning(len(audio))))
    peaks = np.fft.rfftfreq(len(audio), 1 / 24000)[spectrum > 0.5 * spectrum.max()]
    assert np.abs(peaks / 200 - np.round(peaks / 200)).max() * 200 < 3.0


def test_output_is_hop_times_as_long():
    out = Vocoder(SMALL)(frames_from(voice(37)))
    assert out.values.shape == (1, 1, 37 * 256) and out.mask.shape == (1, 37 * 256) and out.mask.all()


def test_the_same_input_gives_the_same_output():
    torch.manual_seed(1)
    network = Vocoder(SMALL)
    first = network(frames_from(voice())).values
    torch.rand(5)
    assert torch.equal(first, network(frames_from(voice())).values)


def test_a_fresh_network_is_quiet_and_finite():
    """Training starts from speech-like level, not from noise at full scale."""
    torch.manual_seed(1)
    values = voice().requires_grad_()
    out = Vocoder(SMALL)(frames_from(values)).values
    assert torch.isfinite(out).all() and 1e-4 < out.square().mean().sqrt() < 0.3
    out.square().sum().backward()
    assert torch.isfinite(values.grad).all() and values.grad.abs().sum() > 0


def test_extremes_stay_finite():
    network = Vocoder(SMALL)
    values = voice()
    values[:, :100] = math.log(1e-7)
    assert torch.isfinite(network(frames_from(values)).values).all()
    values[:, :100] = 8.0
    values[:, -1] = math.log(800.0)
    assert torch.isfinite(network(frames_from(values)).values).all()


def test_unknown_settings_are_refused():
    with pytest.raises(UsageError, match="vocoder: .*hidden"):
        Vocoder({"hidden": 3})
    assert Vocoder(VocoderConfig(channels=8, layers=1)).config == Vocoder({"channels": 8, "layers": 1}).config
