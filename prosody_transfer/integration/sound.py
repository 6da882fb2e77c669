"""The parts of the vocoder that have no weights, in numpy: pulses and noise, filters, overlap-add, mel matching.

The same numbers as `models.vocoder`'s to rounding (golden arrays). Everything here works on one stream, B = 1, without
its axis; frame t is centred on sample t * hop and owns the samples up to the next centre.
"""

from __future__ import annotations

import functools

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.mel import band_sums, mel_filterbank
from prosody_transfer.integration.noise import noise_table

LIMIT = 3.0  # nats of correction a frame and band, as `models.vocoder.matching`
FLOOR = 1e-7  # of magnitudes in a band


@functools.cache
def hann(size: int) -> np.ndarray:
    """A periodic Hann window, (size,) float32."""
    window: np.ndarray = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
    return window


@functools.lru_cache(maxsize=4)
def _spreading(config: MelConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What spreads bands over bins: the first band that holds each bin, (bins,), its share, and the next band's."""
    bank = mel_filterbank(config)
    shares = bank / np.maximum(bank.sum(0), np.float32(1e-6))
    first = np.minimum((shares > 0).argmax(0), len(shares) - 2)
    at = np.arange(shares.shape[1])
    return first, shares[first, at], shares[first + 1, at]


def spread_bands(values: np.ndarray, config: MelConfig) -> np.ndarray:
    """Values of bands (T, M) on bins, (T, n_fft // 2 + 1): each bin lies in two neighbouring triangles at most.

    The same to the bit with any number of threads, unlike a product by BLAS.
    """
    first, own, following = _spreading(config)
    found: np.ndarray = values[:, first] * own + values[:, first + 1] * following
    return found


def spectra(signal: np.ndarray, size: int, n_fft: int, hop: int) -> np.ndarray:
    """(N,) -> (T, bins) complex64: windowed spectra around the first `size` frame centres, zeros beyond the ends."""
    padded = np.pad(signal, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop][:size]
    return np.fft.rfft(frames * hann(n_fft), axis=-1)


def overlap_add(values: np.ndarray, real: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """(T, bins) -> (T * hop,), divided by the sum of the squared windows of the real frames, (T,) bool."""
    window, count, parts = hann(n_fft), len(values), n_fft // hop
    mask = real[:, None].astype(np.float32)
    frames = np.fft.irfft(values, n_fft, axis=-1) * (window * mask)
    weights = (window**2) * mask
    summed = np.zeros((2, count + parts - 1, hop), np.float32)
    for k in range(parts):
        part = slice(k * hop, (k + 1) * hop)
        summed[0, k : k + count] += frames[:, part]
        summed[1, k : k + count] += weights[:, part]
    start = n_fft // 2
    signal, weight = summed.reshape(2, -1)[:, start : start + count * hop]
    if len(signal) < count * hop:
        signal, weight = (np.pad(v, (0, count * hop - len(v))) for v in (signal, weight))
    return signal / np.maximum(weight, np.float32(1e-3))


def sample_f0(pitch: np.ndarray, real: np.ndarray, hop: int) -> np.ndarray:
    """F0 in Hz on every sample, (T,) ln Hz -> (T, hop): straight lines between centres, held after the last."""
    f0 = np.exp(pitch, dtype=np.float64).astype(np.float32)  # rounded once: what is off here adds up in the phase
    following = np.append(f0[1:], f0[-1:])
    following = np.where(np.append(real[1:], False), following, f0)
    slope = np.arange(hop, dtype=np.float32) / np.float32(hop)
    return f0[:, None] + (following - f0)[:, None] * slope


def advance(f0: np.ndarray, real: np.ndarray, start: float, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Phase in cycles on every sample, (T, hop) in [-0.5, 0.5); and at every frame's start and the end, (T + 1,)."""
    steps = f0.astype(np.float64) / sample_rate * real[:, None]
    per_frame = np.cumsum(steps, -1)
    at_start = start + np.concatenate([[0.0], np.cumsum(per_frame[:, -1])])
    phase = at_start[:-1, None] + per_frame - steps
    return (phase - np.floor(phase + 0.5)).astype(np.float32), at_start - np.floor(at_start)


def pulse_train(phase: np.ndarray, f0: np.ndarray, limit_hz: float) -> np.ndarray:
    """Band-limited pulses of unit power: all harmonics of F0 below `limit_hz`, equally strong, in closed form."""
    pi, one = np.float32(np.pi), np.float32(1)
    count = np.float32(limit_hz) / np.maximum(f0, np.float32(20))
    whole = np.floor(count)
    denominator = np.sin(pi * phase)
    near = np.abs(denominator) < 1e-4
    kernel = np.sin(pi * (2 * whole + 1) * phase) / np.where(near, one, denominator)
    kernel = np.where(near, 2 * whole + 1, kernel)
    fading = 2 * (count - whole) * np.cos(2 * pi * (whole + 1) * phase)
    return (kernel + fading) / np.sqrt(2 * count + 1)


def minimum_phase(log_magnitude: np.ndarray) -> np.ndarray:
    """The phase (radians) of the minimum-phase filter with this log magnitude (T, n_fft / 2 + 1), by the cepstrum."""
    n_fft = 2 * (log_magnitude.shape[-1] - 1)
    cepstrum = np.fft.irfft(log_magnitude, n_fft, axis=-1)
    fold = np.zeros(n_fft, np.float32)
    fold[1 : n_fft // 2], fold[n_fft // 2 + 1 :] = 1, -1
    return np.fft.rfft(cepstrum * fold, axis=-1).imag


def source_filter(
    filters: np.ndarray, pitch: np.ndarray, real: np.ndarray, phase: float, first_frame: int, config: MelConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Pulses and noise through two filters, as `SourceFilter.render`.

    Args:
        filters: (3 * bins, T): log magnitude of the harmonic filter, its added phase, log magnitude of the noise's.
        pitch: (T,) ln Hz, 0 outside `real`.
        real: (T,) bool.
        phase: Cycles at the first frame's start.
        first_frame: Its number, from which the noise is taken.

    Returns:
        (T * hop,) samples, and the phases (T + 1,) at the frames' starts.
    """
    hop, size, n_fft = config.hop_length, len(pitch), config.n_fft
    f0 = sample_f0(pitch.astype(np.float32), real, hop)
    cycles, starts = advance(f0, real, phase, config.sample_rate)
    pulses = (pulse_train(cycles, f0, 0.46 * config.sample_rate) * real[:, None]).astype(np.float32).reshape(-1)
    table = noise_table()
    index = first_frame * hop + np.arange(size * hop)
    noise = (table[index % len(table)].reshape(size, hop) * real[:, None]).reshape(-1)
    harmonic, turn, breath = np.split(np.ascontiguousarray(filters.T), 3, axis=-1)  # (T, bins) each
    angle, magnitude = turn + minimum_phase(harmonic), np.exp(harmonic)
    voice = np.empty(angle.shape, np.complex64)
    voice.real, voice.imag = magnitude * np.cos(angle), magnitude * np.sin(angle)
    filtered = spectra(pulses, size, n_fft, hop) * voice + spectra(noise, size, n_fft, hop) * np.exp(breath)
    return overlap_add(filtered, real, n_fft, hop) * np.repeat(real, hop), starts


def match_mel(
    samples: np.ndarray, mel: np.ndarray, real: np.ndarray, iterations: int, config: MelConfig
) -> np.ndarray:
    """Each band of each frame scaled to the mel's magnitude, a few times over, as `MelMatching`.

    Args:
        samples: (T * hop,).
        mel: (M, T) natural log.
        real: (T,) bool.
    """
    asked, hop, n_fft = np.ascontiguousarray(mel.T), config.hop_length, config.n_fft
    for _ in range(iterations):
        values = spectra(samples, len(real), n_fft, hop)
        magnitude = np.sqrt(values.real**2 + values.imag**2 + np.float32(1e-14))
        got = np.log(np.maximum(band_sums(magnitude, config).T, np.float32(FLOOR)))
        gain = np.exp(spread_bands(np.clip(asked - got, -LIMIT, LIMIT), config))
        samples = overlap_add(values * gain, real, n_fft, hop) * np.repeat(real, hop)
    return samples
