"""An output held against its source: the figures of a transfer's report."""

from __future__ import annotations

from typing import Any

import numpy as np

from prosody_transfer.features.background import above_background
from prosody_transfer.features.extract import Features


def _correlation(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float | None:
    """Pearson's, over the frames where `where`; None when there are too few to say."""
    if where.sum() < 20 or a[where].std() < 1e-6 or b[where].std() < 1e-6:
        return None
    return round(float(np.corrcoef(a[where], b[where])[0, 1]), 4)


def compare(source: Features, output: Features) -> dict[str, Any]:
    """Output against source: F0 over frames voiced in both, energy within 40 dB of the peak and above the pauses'."""
    size = min(source.n_frames, output.n_frames)
    seconds = source.config.hop_length / source.config.sample_rate
    loud = (above_background(source.energy_db, seconds) & (source.energy_db > source.energy_db.max() - 40))[:size]
    both = source.voiced[:size] & output.voiced[:size]
    median = lambda f: round(float(np.exp(np.median(f.log_f0[:size][both]))), 1) if both.any() else None
    return {
        "f0_median_source_hz": median(source), "f0_median_output_hz": median(output),
        "f0_correlation": _correlation(source.log_f0[:size], output.log_f0[:size], both),
        "energy_correlation": _correlation(source.energy_db[:size], output.energy_db[:size], loud),
    }  # fmt: skip
