"""The vocoder's last stage gives a waveform the mel that was asked for."""

from __future__ import annotations

import numpy as np
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.mel import log_mel
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.models.vocoder.matching import LIMIT, MelMatching

CONFIG = MelConfig()


def beside(signal: torch.Tensor, mel: torch.Tensor) -> torch.Tensor:
    """(T * hop) samples and (M, T) mels as the block wants them."""
    samples = signal.view(mel.shape[1], CONFIG.hop_length).T
    return torch.cat([samples, mel])[None]


def speechlike(size: int, seed: int) -> torch.Tensor:
    """A buzz with a gliding pitch and swelling noise, `size` frames long."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(size * CONFIG.hop_length) / CONFIG.sample_rate
    phase = 2 * np.pi * torch.cumsum(120 + 40 * torch.sin(3 * time), 0) / CONFIG.sample_rate
    buzz = sum(torch.sin(k * phase) / k for k in range(1, 20))
    noise = torch.randn(len(time), generator=generator) * (0.2 + 0.2 * torch.sin(11 * time))
    return 0.1 * (buzz + noise)


def error(signal: torch.Tensor, wanted: torch.Tensor) -> float:
    """Mean distance of mels in nats, without the two frames at either edge, which windows reach past."""
    got = log_mel(signal[None], CONFIG)[0, :, : wanted.shape[1]]
    return float((got - wanted)[:, 2:-2].abs().mean())


def test_a_wrong_spectrum_is_brought_to_the_mel_and_more_passes_bring_it_nearer():
    original, other = speechlike(60, 1), speechlike(60, 2) * 0.5
    mel = log_mel(original[None], CONFIG)[0, :, :60]
    errors = [error(other, mel)]
    for iterations in (1, 2, 4):
        block = MelMatching(CONFIG, iterations)
        made = block(frames_from(beside(other, mel))).values[0, 0]
        errors.append(error(made, mel))
    assert errors[0] > 0.5 and errors[1] < 0.45 * errors[0]
    assert errors[3] < errors[2] < errors[1]


def test_what_already_matches_is_left_alone():
    original = speechlike(60, 1)
    mel = log_mel(original[None], CONFIG)[0, :, :60]
    made = MelMatching(CONFIG, 1)(frames_from(beside(original, mel))).values[0, 0]
    inner = slice(4 * CONFIG.hop_length, 56 * CONFIG.hop_length)
    assert float((made - original)[inner].abs().max()) < 1e-3


def test_a_correction_has_a_limit_and_a_gradient():
    quiet = (speechlike(30, 1) * 1e-4).requires_grad_()
    mel = log_mel(speechlike(30, 1)[None], CONFIG)[0, :, :30]
    made = MelMatching(CONFIG, 1)(frames_from(beside(quiet, mel))).values[0, 0]
    assert float((made.detach().abs().max() / quiet.detach().abs().max()).log()) < LIMIT + 0.1
    made.square().sum().backward()
    assert quiet.grad is not None and torch.isfinite(quiet.grad).all()


def test_digital_silence_stays_finite():
    made = MelMatching(CONFIG, 3)(frames_from(beside(torch.zeros(20 * CONFIG.hop_length), torch.full((100, 20), -5.0))))
    assert not made.values.any()
