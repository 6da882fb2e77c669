"""Melodies to train the pitch tracker with: contours varied beyond what people say, and what of them really sounds."""

from __future__ import annotations

import numpy as np

LOWEST_HZ, HIGHEST_HZ = 45.0, 700.0
SEARCH_CENTS = 200.0  # from the command to what sounds: 20 cents in the median, rarely more than 100
SURE, DOUBTFUL = 0.6, 0.4  # normalised cross-correlation from which a frame is voiced; below it is not
QUIET_DB = 40.0  # below the loudest frame nothing counts as voiced
BETWEEN = 0.3  # weight of frames of which neither is sure


def varied(f0_hz: np.ndarray, frames_per_second: float, rng: np.random.Generator) -> np.ndarray:
    """A contour of the same voicing with another range, level and course.

    Range 0.6 to 1.8 times as wide, level -5 to +8 semitones (one in five up to +14: children), phrase ends that fall
    below 75 Hz, stretches near an octave away (creak), vibrato, and monotones.

    Args:
        f0_hz: (T,), 0 where unvoiced.

    Returns:
        (T,) within 45 to 700 Hz where voiced, else 0.
    """
    voiced = f0_hz > 0
    if not voiced.any():
        return np.zeros(len(f0_hz))
    log_f0 = np.log(f0_hz[voiced])
    middle = np.median(log_f0)
    spread = 0.0 if rng.random() < 0.05 else rng.uniform(0.6, 1.8)
    semitones = rng.uniform(4, 14) if rng.random() < 0.2 else rng.uniform(-5, 8)
    log_f0 = middle + spread * (log_f0 - middle) + semitones * np.log(2) / 12
    count = len(log_f0)
    if rng.random() < 0.3:
        at = np.arange(count) / frames_per_second
        depth = rng.uniform(0.2, 1.5) * np.log(2) / 12
        log_f0 += depth * np.sin(2 * np.pi * (rng.uniform(3, 7) * at + rng.random()))
    if rng.random() < 0.25:
        size = min(count, round(rng.uniform(0.15, 0.6) * frames_per_second))
        ramp = np.linspace(0, 1, size)
        log_f0[count - size :] += ramp * (np.log(rng.uniform(45, 80)) - log_f0[-1])
    if rng.random() < 0.25:
        size = min(count, round(rng.uniform(0.08, 0.4) * frames_per_second))
        start = int(rng.integers(0, count - size + 1))
        log_f0[start : start + size] += rng.choice([-1, -1, 1]) * rng.uniform(0.7, 1.15) * np.log(2)
    result = np.zeros(len(f0_hz))
    result[voiced] = np.exp(log_f0).clip(LOWEST_HZ, HIGHEST_HZ)
    return result


def resynthesised(waveform: np.ndarray, sample_rate: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A recording said again with a `varied` melody, by WORLD; one in twenty-five is whispered.

    Formants move by 0.87 to 1.2, further up with a higher voice.

    Args:
        waveform: (N,) float, mono.

    Returns:
        (N',) float64, and the contour (T,) that was given to the synthesiser, Hz every 5 ms, 0 where unvoiced.

    Source:
        Morise et al. 2016 (WORLD).
    """
    import pyworld

    from prosody_transfer.features.pitch import track_f0

    signal = np.ascontiguousarray(waveform, np.float64)
    hop = sample_rate // 200
    count = 1 + len(signal) // hop
    log_f0, voiced = track_f0(signal, sample_rate, hop, count)
    f0 = np.where(voiced, np.exp(log_f0.astype(np.float64)), 0.0)
    at = np.arange(count) * 0.005
    envelope = pyworld.cheaptrick(signal, f0, at, sample_rate)
    noise = pyworld.d4c(signal, f0, at, sample_rate)
    wanted = np.zeros(count) if rng.random() < 0.04 else varied(f0, 200.0, rng)
    both = (wanted > 0) & (f0 > 0)
    higher = float(np.median(np.log(wanted[both] / f0[both]))) if both.any() else 0.0
    warp = float(np.clip(rng.uniform(0.87, 1.12) * np.exp(0.2 * higher), 0.85, 1.25))
    bins = np.arange(envelope.shape[1])
    source = np.minimum(bins / warp, bins[-1])
    low = np.floor(source).astype(int)
    high, part = np.minimum(low + 1, bins[-1]), source - low
    envelope = np.ascontiguousarray(envelope[:, low] * (1 - part) + envelope[:, high] * part)
    return pyworld.synthesize(wanted, envelope, noise, sample_rate, 5.0), wanted


def refined(
    signal: np.ndarray, sample_rate: int, hop_length: int, command_hz: np.ndarray, natural: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """What really sounds of a commanded contour.

    The command is not the sound: synthesisers miss it by 20 cents in the median and voice little more than half of
    what they are told to. Each frame's F0 is the peak of the normalised cross-correlation within 200 cents of the
    command, on the clean sound; a frame is voiced where that peak is above 0.6 and its level within 40 dB of the
    loudest.

    Args:
        signal: (N,) float, clean.
        command_hz: (T,) on the frames, frame t centred on sample t * hop_length; 0 where nothing was commanded.
        natural: The command is a tracker's guess: frames that recur at half the period as well count for nothing.

    Returns:
        f0_hz: (T,) float32, 0 where unvoiced.
        weight: (T,) float32, 0 to 1: less where the sound is neither clearly voiced nor clearly not.
    """
    size = len(command_hz)
    f0, weight = np.zeros(size, np.float32), np.ones(size, np.float32)
    told = command_hz > 0
    if not told.any():
        return f0, weight
    grid = np.arange(size)
    command = np.exp(np.interp(grid, grid[told], np.log(command_hz[told])))
    margin = int(3 * sample_rate / LOWEST_HZ)
    padded = np.pad(np.asarray(signal, np.float64), margin)
    level = frame_level(signal, sample_rate, hop_length, size)
    loud = level > level.max() - QUIET_DB
    for t in np.flatnonzero(loud).tolist():
        found, height, half = _peak(padded, margin + t * hop_length, sample_rate, command[t])
        if height > SURE and found:
            f0[t] = found
            weight[t] = 0.0 if natural and (half > height - 0.05 or not told[t]) else 1.0
        elif height > DOUBTFUL or not found:
            weight[t] = BETWEEN if not natural else 0.0
    if natural:  # what the tracker's guess is far from is not known to be unvoiced
        weight[(f0 == 0) & told] = 0.0
    return f0, weight


def frame_level(signal: np.ndarray, sample_rate: int, hop_length: int, size: int) -> np.ndarray:
    """dB of frames of 20 ms, (T,)."""
    reach = sample_rate // 50
    power = np.convolve(np.square(np.asarray(signal, np.float64)), np.ones(reach) / reach, "same")
    at = np.minimum(np.arange(size) * hop_length, len(power) - 1)
    return np.asarray(10 * np.log10(np.maximum(power[at], 1e-12)))


def _peak(padded: np.ndarray, centre: int, sample_rate: int, f0_hz: float) -> tuple[float, float, float]:
    """The F0 near `f0_hz` at which the signal recurs best, Hz (0: at the edge of the search), how well, and how well at
    half the period."""
    lag = sample_rate / f0_hz
    reach = 2 ** (SEARCH_CENTS / 1200)
    low, high = int(lag / reach), int(np.ceil(lag * reach))
    width = int(max(1.5 * lag, 0.012 * sample_rate))
    start = centre - (width + int(lag)) // 2
    if start < 0 or start + width + high + 1 >= len(padded):
        return 0.0, 0.0, 0.0
    here = padded[start : start + width]
    lags = np.arange(max(2, low - 1), high + 2)
    score = _correlation(padded, start, here, lags)
    best = int(score[1:-1].argmax()) + 1
    half = float(_correlation(padded, start, here, np.arange(int(lag / 2) - 1, int(lag / 2) + 3).clip(2)).max())
    a, b, c = score[best - 1 : best + 2]
    if not (b >= a and b >= c):
        return 0.0, float(b), half
    bend = a - 2 * b + c
    offset = 0.5 * (a - c) / bend if bend < 0 else 0.0
    return float(sample_rate / (lags[best] + offset)), float(b), half


def _correlation(padded: np.ndarray, start: int, here: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Of `here` with what comes `lags` samples later, normalised, (L,); lags are consecutive."""
    width = len(here)
    region = padded[start + lags[0] : start + lags[-1] + width]
    there = np.lib.stride_tricks.sliding_window_view(region, width)
    energy = np.concatenate([[0.0], np.cumsum(region**2)])
    scale = np.sqrt(np.maximum((here @ here) * (energy[width:] - energy[: len(lags)]), 1e-20))
    return np.asarray(there @ here / scale)
