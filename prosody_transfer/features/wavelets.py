"""Continuous wavelet transform with the Mexican hat, and lines that follow a peak from scale to scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

C_DELTA, PSI_0 = 3.541, 0.867  # of the Mexican hat: Torrence and Compo 1998, table 2
PERIOD = 2 * np.pi / np.sqrt(2.5)  # the hat's wavelength, in scales
REACH = 5.0  # scales to each side; further out the hat is below 1e-4


def mexican_hat(u: np.ndarray) -> np.ndarray:
    """The second derivative of a Gaussian, of unit energy, at times `u` in scales."""
    return 2 / (np.sqrt(3) * np.pi**0.25) * (1 - u**2) * np.exp(-(u**2) / 2)


def transform(signal: np.ndarray, scales: np.ndarray, octave: float) -> np.ndarray:
    """The wavelet transform, scaled so that its sum over all scales is the signal about its mean.

    Args:
        signal: (T,), held at its ends beyond them.
        scales: (S,) frames.
        octave: Distance between scales, in octaves.

    Returns:
        (S, T).

    Source:
        Torrence and Compo 1998, equations 2 and 11.
    """
    rows = []
    for scale in scales:
        half = int(np.ceil(REACH * scale))
        weights = mexican_hat(np.arange(-half, half + 1) / scale)
        weights -= weights.mean()  # a hat that is cut or coarse still sees nothing in a constant
        size = 1 << (len(signal) + 4 * half).bit_length()  # by the FFT: the widest hats are longer than the signal
        padded = np.pad(signal, half, mode="edge")
        spectrum = np.fft.rfft(padded, size) * np.fft.rfft(weights, size)
        row = np.fft.irfft(spectrum, size)[2 * half : 2 * half + len(signal)]
        rows.append(row * octave / (C_DELTA * PSI_0 * scale))
    return np.array(rows)


def peaks(row: np.ndarray) -> np.ndarray:
    """Where a row is higher than on both sides; of a plateau its first frame."""
    rises = np.diff(row, prepend=row[:1]) > 0
    last_change = np.maximum.accumulate(np.where(np.diff(row, prepend=row[:1]) != 0, np.arange(len(row)), 0))
    falls = np.diff(row, append=row[-1:]) < 0
    found = last_change[falls & rises[last_change]]
    return np.unique(found)


def lines_of_maxima(matrix: np.ndarray, scales: np.ndarray) -> list[tuple[float, float]]:
    """Peaks of a transform followed from small scales to large: where each line is, and how strong.

    A peak goes on to the peak that is uphill from it at the next scale, within four roots of that scale in frames; of
    several that go to the same, the strongest goes on and the others end. A line is as strong as the sum of its peaks,
    and stands where its middle peak stands.

    Args:
        matrix: (S, T), scales ascending.
        scales: (S,) frames.

    Returns:
        (frame, strength) of each line, in order of its first peak.

    Source:
        Suni, Simko, Aalto and Vainio 2017, "Hierarchical representation and estimation of prosody using continuous
        wavelet transform", 2.3.
    """
    lines: list[list[int]] = [[int(p)] for p in peaks(matrix[0])]
    strength = [float(matrix[0, line[0]]) for line in lines]
    living = list(range(len(lines)))
    for row, scale in zip(matrix[1:], scales[1:], strict=True):
        above = peaks(row)
        arrived: dict[int, int] = {}
        for line in living:
            parent = _uphill(row, above, lines[line][-1])
            if parent < 0 or abs(parent - lines[line][-1]) > 4 * np.sqrt(scale):
                continue
            if parent not in arrived or strength[line] > strength[arrived[parent]]:
                arrived[parent] = line
        for parent, line in arrived.items():
            lines[line].append(parent)
            strength[line] += float(row[parent])
        living = sorted(arrived.values())
    return [(float(line[len(line) // 2]), s) for line, s in zip(lines, strength, strict=True)]


def _uphill(row: np.ndarray, above: Sequence[int] | np.ndarray, at: int) -> int:
    """The peak that one comes to when one climbs from a frame; -1 where the way leads out of the row."""
    if at in above:
        return at
    before, after = row[max(0, at - 1)], row[min(len(row) - 1, at + 1)]
    k = int(np.searchsorted(above, at))
    if after >= before:
        return int(above[k]) if k < len(above) else -1
    return int(above[k - 1]) if k > 0 else -1
