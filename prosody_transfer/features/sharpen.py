"""Detail of a mel: how much of it a decoder lost, and giving it back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

BANDS, FRAMES = 15, 5  # neighbourhoods, chosen on 12 development pairs
LEAST, MOST = 0.1, 0.5  # a tenth does every voice good
USUAL = (LEAST, LEAST)  # for a voice whose lost detail was not measured
RESTORED = 0.9  # of the detail of recordings: with all of it, what is wrong in the mel is heard more
SPEECH_ABOVE_DB = -25.0  # pauses have other detail, and more of it


def sharpen(mel: np.ndarray, amounts: tuple[float, float] = USUAL) -> np.ndarray:
    """Formants and onsets as marked as in speech again: a decoder trained on an absolute error smooths both.

    Args:
        mel: (M, T) natural log.
        amounts: Of what each value differs by from the mean over `BANDS` bands, and over `FRAMES` frames, how much is
            added once more, 0 to 1; from `lost_detail`.

    Returns:
        (M, T) float32.

    Source:
        The formant postfilter of parametric synthesis, on the mel; values in docs/experiments.md.
    """
    sharper = mel.astype(np.float64)
    for amount, detail in zip(amounts, _details(mel), strict=True):
        sharper += amount * detail
    return sharper.astype(np.float32)


def lost_detail(pairs: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """The amounts for `sharpen` that give a voice `RESTORED` of its recordings' detail, each `LEAST` to `MOST`.

    Args:
        pairs: A recording's mel, (M, T), the same said again by the decoder, and its energy in dB above the speech
            level, (T,).

    Source:
        The idea of global-variance compensation (Toda and Tokuda 2007), on differences from neighbours.
    """
    power = np.zeros((2, 2))  # recorded, said; over bands, over frames
    for recorded, said, energy_db in pairs:
        loud = energy_db > SPEECH_ABOVE_DB
        power += [[np.sum(detail[:, loud] ** 2) for detail in _details(mel)] for mel in (recorded, said)]
    ratio = np.sqrt(power[1] / np.maximum(power[0], 1e-9))
    bands, frames = np.clip(RESTORED / np.maximum(ratio, 1e-3) - 1, LEAST, MOST)
    return round(float(bands), 3), round(float(frames), 3)


def _details(mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return mel - _moving_mean(mel, BANDS, 0), mel - _moving_mean(mel, FRAMES, 1)


def _moving_mean(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Over an odd number of neighbours; at the edges the last value counts for those beyond."""
    around = [(0, 0), (0, 0)]
    around[axis] = (size // 2, size // 2)
    padded = np.pad(values.astype(np.float64), around, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, size, axis).mean(-1)
