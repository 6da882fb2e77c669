"""F0 for judging: two trackers of different kinds that must agree. Why, and measured how: docs/decisions/0010."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.evaluation.figures import EVALUATION_RATE
from prosody_transfer.features.pitch import (
    F0_MAXIMUM_HZ,
    F0_MINIMUM_HZ,
    HUM_BELOW_HZ,
    continuous_log_f0,
    find_voice,
    without_hum,
)

DISPUTE_NATS = 0.25  # further apart they follow different harmonics (an octave is 0.69), they do not merely round
SURE = 0.7  # correlation from which the autocorrelation is believed where DIO hears no voice
# Boersma's settings, in his units: correlation, octaves, and per jump between frames 10 ms apart.
PERIODS = 3.0  # of the lowest F0 in a window
SILENCE_THRESHOLD = 0.03
VOICING_THRESHOLD = 0.45
OCTAVE_COST = 0.01
OCTAVE_JUMP_COST = 0.35
VOICING_COST = 0.14
CANDIDATES = 14  # peaks kept a frame
PADDING = 2  # lags this many times finer than samples
BLOCK = 2000  # frames at once: memory does not grow with the recording


class Contour(NamedTuple):
    """A melody on a grid of 10 ms, frame t centred on t * 0.01 s.

    Attributes:
        log_f0: (T,) float32, ln Hz, without gaps: straight lines through unvoiced frames, held at the ends.
        voiced: (T,) bool.
    """

    log_f0: np.ndarray
    voiced: np.ndarray


def track(waveform: np.ndarray, sample_rate: int = EVALUATION_RATE) -> Contour:
    """F0 and voicing of a recording; its gain does not matter.

    WORLD's DIO with StoneMask finds the register in one wide pass (60-600 Hz); a normalised autocorrelation tracks
    within 0.6 to 2.2 times its median. A frame is voiced where both say so and lie within 0.25 nats (4.3 semitones) of
    each other, or where the autocorrelation alone is sure (0.7 or more); its F0 is the autocorrelation's. Only frames
    that carry the voice count, after what lies below 60 Hz is taken out.

    Args:
        waveform: (N,) float, mono.
        sample_rate: Hz; a multiple of 100, so that frames fall on samples.

    Returns:
        T = 1 + N // (sample_rate / 100) frames.

    Raises:
        ValueError: The rate is no multiple of 100 Hz.

    Source:
        Morise et al. 2009 (DIO); Boersma 1993 (the autocorrelation).
    """
    if sample_rate % 100:
        raise ValueError(f"{sample_rate} Hz: frames of 10 ms need a sample rate that is a multiple of 100 Hz")
    n_frames = 1 + len(waveform) // (sample_rate // 100)
    signal = np.ascontiguousarray(high_pass(waveform, sample_rate), dtype=np.float64)
    signal, carried = find_voice(signal, sample_rate, sample_rate // 100, n_frames)
    peak = np.abs(signal).max(initial=0.0)
    signal = signal / (peak or 1.0)
    first = np.where(carried, coarse_f0(signal, sample_rate), 0.0)
    if (first > 0).any() and np.median(first[first > 0]) < HUM_BELOW_HZ:
        signal = without_hum(signal, sample_rate)
        first = np.where(carried, coarse_f0(signal, sample_rate), 0.0)
    if not (first > 0).any():
        return Contour(*continuous_log_f0(np.zeros(n_frames)))
    middle = float(np.median(first[first > 0]))
    second, strength = autocorrelation_f0(signal, sample_rate, max(50.0, 0.6 * middle), min(700.0, 2.2 * middle))
    return Contour(*continuous_log_f0(np.where(carried & agreed(first, second, strength), second, 0.0)))


def agreed(first: np.ndarray, second: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Frames of `second` to believe, (T,) bool.

    Args:
        first, second: (T,) Hz, 0 = unvoiced.
        strength: (T,), of `second`, 0 to 1.

    >>> hertz = lambda *f0: np.array(f0, float)
    >>> agreed(hertz(100, 200, 0, 0, 100), hertz(104, 100, 100, 100, 0), hertz(0.5, 0.9, 0.6, 0.8, 0.4)).tolist()
    [True, False, False, True, False]
    """
    both = (first > 0) & (second > 0)
    sure = (first == 0) & (second > 0) & (strength >= SURE)
    both[both] = np.abs(np.log(first[both] / second[both])) <= DISPUTE_NATS
    return both | sure


def coarse_f0(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """DIO with StoneMask over the whole range, (N,) -> (T,) Hz every 10 ms, 0 = unvoiced."""
    import pyworld

    n_frames = 1 + len(signal) // (sample_rate // 100)
    if len(signal) < sample_rate // 10:  # DIO reads beyond the ends of very short signals
        return np.zeros(n_frames)
    # tracked twice as densely as asked: DIO's rule for continuity is per step
    f0, times = pyworld.dio(signal, sample_rate, f0_floor=F0_MINIMUM_HZ, f0_ceil=F0_MAXIMUM_HZ, frame_period=5.0)
    f0 = pyworld.stonemask(signal, f0, times, sample_rate)[::2]
    return np.pad(f0, (0, max(0, n_frames - len(f0))))[:n_frames]


def autocorrelation_f0(
    signal: np.ndarray, sample_rate: int, floor_hz: float, ceiling_hz: float
) -> tuple[np.ndarray, np.ndarray]:
    """Track by the autocorrelation of windowed frames divided by the window's own, and the best path through its peaks.

    Args:
        signal: (N,) float64.
        sample_rate: Hz; frames are 10 ms apart.
        floor_hz, ceiling_hz: F0 lies within.

    Returns:
        f0: (T,) Hz, 0 = unvoiced.
        strength: (T,): where voiced, the correlation at that lag (1 for a periodic signal) less the octave cost.

    Source:
        Boersma 1993, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of
        a sampled sound": a Hann window of three periods, his costs. Differs in: lags twice as fine and a parabola
        instead of sin(x)/x; the octave cost counts from the ceiling down, as in the program that followed the paper.
    """
    size = 2 * round(PERIODS * sample_rate / floor_hz / 2)
    hop = sample_rate // 100
    padded = np.pad(signal, (size // 2, size))  # frame t centred on t * hop
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][: 1 + len(signal) // hop]
    peak = max(float(np.abs(signal - signal.mean()).max(initial=0.0)), 1e-12)
    blocks = [frames[i : i + BLOCK] for i in range(0, len(frames), BLOCK)]
    parts = [_candidates(block, sample_rate, floor_hz, ceiling_hz, peak) for block in blocks]
    f0, strength = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    at = np.arange(len(f0)), best_path(f0, strength)
    return f0[at], strength[at]


def _candidates(
    frames: np.ndarray, sample_rate: int, floor_hz: float, ceiling_hz: float, peak: float
) -> tuple[np.ndarray, np.ndarray]:
    """F0 in Hz and strength of each frame's candidates, both (T, 1 + K).

    The first is "unvoiced" (0 Hz), stronger where the frame is quiet against `peak`. Where there are fewer than K
    peaks, the rest has strength -inf.
    """
    frames = frames - frames.mean(1, keepdims=True)
    quiet = 2.0 - np.abs(frames).max(1) / peak * (1 + VOICING_THRESHOLD) / SILENCE_THRESHOLD
    table_f0 = np.zeros((len(frames), 1 + CANDIDATES))
    table = np.full((len(frames), 1 + CANDIDATES), -np.inf)
    table[:, 0] = VOICING_THRESHOLD + np.maximum(0.0, quiet)
    lag_rate = PADDING * sample_rate
    frame, lag, height = _peaks(_normalised_autocorrelation(frames, int(lag_rate / floor_hz) + 3))
    f0 = lag_rate / lag
    strength = height - OCTAVE_COST * np.log2(ceiling_hz / f0)
    order = np.lexsort((-strength, frame))
    order = order[(f0[order] >= floor_hz) & (f0[order] <= ceiling_hz)]
    frame = frame[order]
    rank = np.arange(len(frame)) - np.searchsorted(frame, frame)
    kept = rank < CANDIDATES
    at = frame[kept], 1 + rank[kept]
    table_f0[at], table[at] = f0[order][kept], strength[order][kept]
    return table_f0, table


def _normalised_autocorrelation(frames: np.ndarray, lags: int) -> np.ndarray:
    """(T, size) -> (T, lags): correlation of the Hann-windowed frames over the window's own, 1 at lag 0."""
    window = np.hanning(frames.shape[1] + 2)[1:-1]
    n_fft = 1 << (frames.shape[1] * 3 // 2).bit_length()

    def correlate(values: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(values, n_fft)) ** 2
        power[..., -1] /= PADDING  # the bin at Nyquist stands for both its sides, which padding parts
        return np.fft.irfft(power, PADDING * n_fft)[..., :lags]

    correlation, own = correlate(frames * window), correlate(window)
    return correlation / np.maximum(correlation[:, :1], 1e-12) / (own / own[0])


def _peaks(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame, lag (a fraction) and height of every maximum above half the voicing threshold, (n,) each."""
    here = correlation[:, 1:-1]
    is_peak = (here > correlation[:, :-2]) & (here >= correlation[:, 2:]) & (here > 0.5 * VOICING_THRESHOLD)
    frame, lag = np.nonzero(is_peak)
    a, b, c = (correlation[frame, lag + i] for i in range(3))
    offset = 0.5 * (a - c) / (a - 2 * b + c)
    height = b - 0.25 * (a - c) * offset
    return frame, 1 + lag + offset, np.where(height > 1, 1 / height, height)  # short windows overshoot


def best_path(f0: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """The candidate to take in each frame: most strength in all, less what jumps cost (Viterbi).

    Args:
        f0: (T, K), Hz, 0 = unvoiced.
        strength: (T, K).

    Returns:
        (T,) int.
    """
    voiced = f0 > 0
    octaves = np.log2(np.where(voiced, f0, 1.0))
    total, back, columns = strength[0], np.zeros(f0.shape, int), np.arange(f0.shape[1])
    for t in range(1, len(f0)):
        jump = OCTAVE_JUMP_COST * np.abs(octaves[t] - octaves[t - 1][:, None])  # (from, to)
        cost = np.where(voiced[t] & voiced[t - 1][:, None], jump, VOICING_COST * (voiced[t] != voiced[t - 1][:, None]))
        reached = total[:, None] - cost
        back[t] = reached.argmax(0)
        total = reached[back[t], columns] + strength[t]
    path = np.zeros(len(f0), int)
    path[-1] = total.argmax()
    for t in range(len(f0) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path
