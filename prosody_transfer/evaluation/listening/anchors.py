"""What listeners should find worse than any system, made from the recordings: one anchor for each kind of test."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.audio.resample import fit_length, resample
from prosody_transfer.core.errors import AudioError

if TYPE_CHECKING:
    from prosody_transfer.store.vocoders import LoadedVocoder

LOW_PASS_HZ = 3500.0
STOP_HZ = 4000.0
STOP_BAND_DB = 65.0
WORLD_FRAMES_PER_SECOND = 200


def low_pass(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """The low-quality anchor of ITU-R BS.1534-3: a low-pass at 3.5 kHz, without delay.

    Linear-phase FIR (windowed sinc, Kaiser). BS.1534-3 asks for a ripple within 0.1 dB up to 3.5 kHz and at least 25 dB
    of attenuation at 4 kHz, 50 dB at 4.5 kHz; this gives 0.01 dB and 60 dB.

    Args:
        waveform: (N,).
        sample_rate: Hz; up to 8 kHz there is nothing to remove.

    Returns:
        (N,) float32, as long and in time with `waveform`.
    """
    if sample_rate <= 2 * STOP_HZ:
        return np.array(waveform, np.float32)
    taps = low_pass_taps(sample_rate)
    size = len(waveform) + len(taps) - 1
    fast = 1 << (size - 1).bit_length()
    product = np.fft.rfft(waveform, fast) * np.fft.rfft(taps, fast)
    start = len(taps) // 2
    return np.fft.irfft(product, fast)[start : start + len(waveform)].astype(np.float32)


def low_pass_taps(sample_rate: int) -> np.ndarray:
    """Impulse response of `low_pass`, (2 K + 1,), sum 1; Kaiser's formulas for length and shape."""
    width = (STOP_HZ - LOW_PASS_HZ) / sample_rate
    half = int(np.ceil((STOP_BAND_DB - 7.95) / (2 * 14.36 * width)))
    beta = 0.1102 * (STOP_BAND_DB - 8.7)
    middle = (STOP_HZ + LOW_PASS_HZ) / 2 / sample_rate
    taps = 2 * middle * np.sinc(2 * middle * np.arange(-half, half + 1)) * np.kaiser(2 * half + 1, beta)
    return taps / taps.sum()


def monotone(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """The same words, timing and loudness without any melody: resynthesis with F0 held at its median.

    Args:
        waveform: (N,).
        sample_rate: Hz.

    Returns:
        (N,) float32.

    Raises:
        AudioError: Nothing in it is voiced.

    Source:
        WORLD (Morise et al. 2016): CheapTrick and D4C under our own F0 contour, 5 ms frames. Voicing is kept as it is.
    """
    import pyworld

    from prosody_transfer.features.pitch import track_f0

    signal = np.ascontiguousarray(waveform, np.float64)
    hop = sample_rate // WORLD_FRAMES_PER_SECOND
    period_ms = 1000.0 * hop / sample_rate
    log_f0, voiced = track_f0(signal, sample_rate, hop, len(signal) // hop + 1)
    if not voiced.any():
        raise AudioError("holds nothing voiced, so no monotone copy can be made", remedy="use speech")
    f0_hz = np.where(voiced, np.exp(log_f0), 0.0).astype(np.float64)
    times = np.arange(len(f0_hz)) * period_ms / 1000.0
    envelope = pyworld.cheaptrick(signal, f0_hz, times, sample_rate)
    aperiodicity = pyworld.d4c(signal, f0_hz, times, sample_rate)
    flat = np.where(voiced, np.median(f0_hz[voiced]), 0.0)
    spoken = pyworld.synthesize(flat, envelope, aperiodicity, sample_rate, period_ms)
    return fit_length(spoken.astype(np.float32), len(waveform))


def copy_synthesis(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """The same recording through features and the shipped vocoder: its speaker, at the systems' own sound quality.

    Args:
        waveform: (N,), at least 0.3 s.
        sample_rate: Hz.

    Returns:
        (N,) float32.

    Raises:
        AudioError: It is too short to measure.
        ModelError: The shipped vocoder is missing.
    """
    from prosody_transfer.features.extract import extract
    from prosody_transfer.synthesis.acoustic import DecodedFrames
    from prosody_transfer.synthesis.vocode import vocode

    vocoder = _vocoder()
    rate = vocoder.mel.sample_rate
    level, _ = normalise_level(resample(waveform, sample_rate, rate), rate)
    features = extract(level, vocoder.mel)
    spoken = DecodedFrames(features.mel, features.log_f0, features.voiced)
    copy = np.concatenate(list(vocode(vocoder.network, [spoken])))[: len(level)]
    return fit_length(resample(copy, rate, sample_rate), len(waveform))


@cache
def _vocoder() -> LoadedVocoder:
    from prosody_transfer.store.vocoders import load_vocoder

    return load_vocoder()
