"""A clip of 0.3 s at `duration_scale` 0.25 could not be measured afterwards, and was refused once all was done."""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.store.weights import shipped
from prosody_transfer.synthesis.transfer import Transferer, TransferSettings


def test_the_shortest_clip_at_the_shortest_scale():
    if not all(shipped(kind).exists() for kind in ("copycat", "vocoder", "recogniser")):
        import pytest

        pytest.skip("the weights are not there")
    waveform = np.random.default_rng(0).normal(0, 0.1, 7200).astype(np.float32)
    alignment = Alignment((PhoneInterval("AH0", 0.0, 0.3),), (), 0.3)
    settings = TransferSettings(duration_scale=0.25)
    result = Transferer().from_audio(waveform, 24000, "alice", alignment=alignment, settings=settings)
    assert len(result.waveform) == 1800 and result.output is None
