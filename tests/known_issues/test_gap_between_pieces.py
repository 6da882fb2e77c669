"""Griffin-Lim and Vocos leave their last hop empty, so every border between two pieces was a gap."""

from __future__ import annotations

import numpy as np
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.extract import extract
from prosody_transfer.models.copycat.speaking import DecodedFrames
from prosody_transfer.store.vocoders import load_vocoder
from prosody_transfer.synthesis.vocode import vocode


def test_a_steady_tone_goes_on_across_the_borders():
    torch.set_num_threads(1)
    waveform = sum(np.sin(2 * np.pi * 150 * k * np.arange(36000) / 24000) / k for k in range(1, 20)).astype(np.float32)
    found = extract(0.05 * waveform, MelConfig())
    part = lambda a, b: DecodedFrames(found.mel[:, a:b], found.log_f0[a:b], found.voiced[a:b])
    audio = np.concatenate([*vocode(load_vocoder("griffin-lim").network, [part(0, 45), part(45, 90), part(90, 141)])])
    level = np.sqrt((audio[: 140 * 256].reshape(-1, 128) ** 2).mean(1))
    for border in (45, 90):
        assert level[2 * border - 4 : 2 * border + 4].min() > 0.2 * np.median(level)
