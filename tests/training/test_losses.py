"""Losses on numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from prosody_transfer.training.losses import capacity_kl, masked_mean, mel_l1, multi_resolution_stft


def test_masked_mean():
    mask = torch.tensor([[True, True, False], [True, False, False]])
    values = torch.tensor([[1.0, 2.0, 99.0], [6.0, 99.0, 99.0]])
    assert masked_mean(values, mask).item() == 3.0
    assert masked_mean(values[:, None].repeat(1, 4, 1), mask).item() == 3.0
    assert masked_mean(values, torch.zeros_like(mask)).item() == 0.0


def test_mel_l1_by_hand():
    mask = torch.tensor([[True, True, False]])
    target = torch.zeros(1, 2, 3)
    output = torch.tensor([[[1.0, 2.0, 50.0], [1.0, 4.0, 50.0]]])
    # L1: (1 + 2 + 1 + 4) / 4; over time: (1 + 3) / 2; over bands: (0 + 2) / 2
    assert mel_l1(output, target, mask).item() == pytest.approx(2.0 + 0.3 * (2.0 + 1.0))
    assert mel_l1(output, target, mask, delta=0.0).item() == pytest.approx(2.0)


def test_capacity_kl_by_hand():
    mean, log_variance = torch.tensor([[[1.0, 9.0]]]), torch.tensor([[[math.log(2.0), 3.0]]])
    mask = torch.tensor([[True, False]])
    kl = 0.5 * (1 + 2 - 1 - math.log(2))
    off, found = capacity_kl(mean, log_variance, mask, 3.0)
    assert found.item() == pytest.approx(kl) and off.item() == pytest.approx(3 - kl)
    assert capacity_kl(torch.zeros(2, 3, 4), torch.zeros(2, 3, 4), torch.ones(2, 4).bool(), 0.0)[1].item() == 0.0


def test_capacity_pulls_from_both_sides():
    for start, target in ((0.1, 1.0), (3.0, 1.0)):
        mean = torch.full((1, 1, 1), start, requires_grad=True)
        off, _ = capacity_kl(mean, torch.zeros(1, 1, 1), torch.ones(1, 1).bool(), target)
        off.backward()
        assert (mean.grad.item() < 0) == (start < 1)


def test_spectral_loss():
    torch.manual_seed(0)
    target = 0.1 * torch.randn(2, 8192)
    assert multi_resolution_stft(target, target).item() == pytest.approx(0.0, abs=1e-6)
    # half the amplitude: convergence 1/2 and ln 2 at every resolution
    assert multi_resolution_stft(0.5 * target, target).item() == pytest.approx(0.5 + math.log(2), rel=0.01)
    louder = [multi_resolution_stft(target + n * torch.randn_like(target), target).item() for n in (0.01, 0.1, 1.0)]
    assert louder == sorted(louder)
    assert math.isfinite(multi_resolution_stft(torch.zeros(1, 4096), torch.zeros(1, 4096)).item())
