"""What rendering needs of a target voice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from prosody_transfer.features.sharpen import USUAL


@dataclass(frozen=True)
class TargetVoice:
    """What the decoder needs of a target voice: its row, ln Hz median F0, mean ln frames of each phone (V,).

    `network` is the one that can speak it, where that is not the model itself: a user's voice has its own tensors.
    `sharpening`: how much detail the decoder loses of it, see `features.sharpen`.
    """

    name: str
    row: int
    log_f0_median: float
    phone_log_frames: np.ndarray
    network: Any = None
    sharpening: tuple[float, float] = USUAL
