"""Stored results of features and networks: whatever changes them breaks caches and published weights.

After a deliberate change: python tests/golden/test_golden.py --write
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FEATURES = Path(__file__).with_name("features.npz")
NETWORKS = Path(__file__).with_name("networks.npz")
MEL = {"sample_rate": 8000, "n_fft": 64, "win_length": 64, "hop_length": 16, "n_mels": 6}
SPECS: dict[str, dict[str, Any]] = {
    "pointwise": {"block": "pointwise", "in_channels": 3, "out_channels": 4, "activation": True},
    "conv": {"block": "conv", "in_channels": 3, "out_channels": 4, "kernel_size": 3, "dilation": 2, "activation": True},
    "causal_conv": {"block": "conv", "in_channels": 3, "out_channels": 4, "causal": True},
    "convnext": {"block": "convnext", "channels": 4},
    "adaptive_convnext": {"block": "convnext", "channels": 4, "context_channels": 3},
    "instance_norm": {"block": "instance_norm", "channels": 3, "context_channels": 3},
    "average_pool": {"block": "average_pool", "channels": 3, "factor": 4},
    "repeat": {"block": "repeat", "channels": 3, "factor": 2},
    "vocoder": {"block": "vocoder", "config": {"mel": MEL, "channels": 8, "layers": 1}},
}


def waveform() -> np.ndarray:
    """(N,) 0.8 s without any random number: a gliding tone in syllables, and a hiss of incommensurable sines."""
    t = np.arange(19200) / 24000
    phase = 2 * np.pi * (140 * t - 3 * np.cos(2 * np.pi * 1.5 * t))
    tone = sum(np.cos(k * phase + k * k) / k for k in range(1, 20)) * np.clip(np.sin(2 * np.pi * 2.5 * t) + 0.4, 0, 1)
    hiss = sum(np.sin(2 * np.pi * (3000 + 37.123 * k * k) * t + k) for k in range(12))
    return (0.05 * tone + 0.0005 * hiss).astype(np.float32)


def features() -> dict[str, np.ndarray]:
    from prosody_transfer.core.config import MelConfig
    from prosody_transfer.features.extract import extract

    found = extract(waveform(), MelConfig())
    return {
        "mel": found.mel.astype(np.float16),
        "log_f0": found.log_f0,
        "voiced": found.voiced,
        "energy_db": found.energy_db,
    }


def numbers(*shape: int, start: float = 0.0):
    """A tensor of numbers that look random and are the same everywhere."""
    import torch

    count = torch.arange(int(np.prod(shape)), dtype=torch.float64)
    return torch.sin(count * 12.9898 + 4.1 + start).mul(43758.5453).remainder(1.0).mul(2).sub(1).float().view(*shape)


def network(name: str) -> np.ndarray:
    import torch

    import prosody_transfer.models.vocoder.network  # noqa: F401 (registers its blocks)
    from prosody_transfer.models.blocks import build, frames_from

    block = build(SPECS[name]).eval()
    for i, (_, parameter) in enumerate(sorted(block.named_parameters())):
        parameter.data = 0.4 * numbers(*parameter.shape, start=float(i))
    values = numbers(2, block.in_channels, 19)
    if name == "vocoder":
        values[:, -1] = 5.0 + 0.2 * values[:, -1]
    context = numbers(2, 3, start=0.5) if block.context_channels else None
    with torch.no_grad():
        return block(frames_from(values, torch.tensor([19, 10])), context).values.numpy()


def test_features():
    with np.load(FEATURES) as stored:
        found = features()
        assert set(found) == set(stored.files)
        assert (found["voiced"] == stored["voiced"]).mean() > 0.97
        mel, golden = found["mel"].astype(float), stored["mel"].astype(float)
        # Digital silence holds nothing but the FFT's rounding, which differs between processors.
        assert np.abs(mel - golden)[golden > -10].max() < 0.02 and np.abs(np.exp(mel) - np.exp(golden)).max() < 0.001
        assert np.abs(found["energy_db"] - stored["energy_db"]).max() < 0.01
        both = found["voiced"] & stored["voiced"]
        assert both.sum() > 30 and np.abs(found["log_f0"] - stored["log_f0"])[both].max() < 1e-3


@pytest.mark.parametrize("name", SPECS)
def test_networks(name):
    with np.load(NETWORKS) as stored:
        found, expected = network(name), stored[name]
    assert found.shape == expected.shape and expected.std() > 1e-3
    assert np.abs(found - expected).max() < 1e-4 * max(1.0, np.abs(expected).max())


def test_nothing_is_forgotten():
    with np.load(NETWORKS) as stored:
        assert set(stored.files) == set(SPECS)


if __name__ == "__main__" and "--write" in sys.argv:
    np.savez_compressed(FEATURES, **features())  # type: ignore[arg-type]
    np.savez_compressed(NETWORKS, **{name: network(name) for name in SPECS})  # type: ignore[arg-type]
