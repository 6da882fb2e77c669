"""The tracker's addon hears what torch's network hears."""

from __future__ import annotations

import numpy as np

from prosody_transfer.analysis.tracking import get_tracker
from prosody_transfer.features.learned_pitch import hear_pitch
from prosody_transfer.store.weights import load_network


def test_it_hears_the_same_melody() -> None:
    network, _ = load_network("tracker")
    tracker = get_tracker("learned")
    assert tracker is not None
    time = np.arange(3 * 24000) / 24000
    phase = 2 * np.pi * (150 * time - 4 * np.cos(2 * np.pi * 1.3 * time))
    tone = sum(np.cos(k * phase) / k for k in range(1, 12)) * (np.sin(2 * np.pi * time) > -0.3)
    noise = np.random.default_rng(0).standard_normal(len(time))
    waveform = (0.03 * tone + 0.003 * noise).astype(np.float32)
    mine = tracker(waveform, 24000, 256, 282)
    theirs = hear_pitch(network, waveform, 24000, 256, 282)
    assert np.array_equal(mine.voiced, theirs.voiced) and 0.3 < mine.voiced.mean() < 0.9
    assert np.abs(mine.log_f0 - theirs.log_f0).max() < 1e-4
    assert np.abs(mine.doubt - theirs.doubt).max() < 1e-3
