"""The vocoder's table of noise without torch: the numbers that `torch.randn` gives on a CPU for a seed."""

from __future__ import annotations

from functools import cache

import numpy as np


def normal_table(size: int, seed: int) -> np.ndarray:
    """`torch.randn(size, generator=torch.Generator().manual_seed(seed))`, to rounding.

    Args:
        size: A multiple of 16.

    Returns:
        (size,) float32.

    Source: ATen's `normal_fill`: 24-bit uniform numbers of the Mersenne Twister, sixteen at a time through Box and
    Muller's transform.
    """
    assert size % 16 == 0
    raw = np.random.RandomState(seed).randint(0, 1 << 32, size, dtype=np.uint32)
    uniform = ((raw & 0xFFFFFF).astype(np.float32) / np.float32(1 << 24)).reshape(-1, 2, 8)
    radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - uniform[:, 0]))
    angle = np.float32(2 * np.pi) * uniform[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)


@cache
def noise_table() -> np.ndarray:
    """The one that `models.vocoder.source_filter` has."""
    table = normal_table(1 << 18, 20200504)
    table.flags.writeable = False
    return table
