"""How far a spectrum is from the exact answer's, and whether it is smoothed over.

Only for two recordings that should be the same sound: an output against the exact answer, or against a recording of
the target speaker that is in time with it. Frames are compared one to one, without warping.
"""

from __future__ import annotations

import functools

import numpy as np

from prosody_transfer.evaluation.figures import EVALUATION_RATE, Figure, Values

N_FFT, HOP, BANDS = 512, 160, 60
LEVEL = 0.08  # both sides' root mean square before anything: -22 dBFS, what speech near full scale has
FLOOR = 1e-6  # of mel power at that level
HEARD_NATS = 6.0  # frames whose mean log power is within 26 dB of the highest count
COEFFICIENTS = 13
MODULATION_FRAMES, MODULATION_STEP = 64, 32  # 0.64 s every 0.32 s
MODULATION_HZ = (4.0, 32.0)
MODULATION_FLOOR = 1e-4  # nats squared
DECIBELS = 10 / np.log(10)  # in a nat of power

_MEL = (
    "log mel power of 60 bands (Slaney's scale, equal areas, 0-8 kHz; Hann windows of 32 ms every 10 ms), both "
    "recordings at one level"
)
_HEARD = "over frames within 26 dB of the exact answer's loudest, no time warping"

FIGURES = (
    Figure(
        "mcd13_db", "Mel-cepstral distortion (13)", "dB", "zero",
        f"Coefficients 1 to 13 without c0, of a cosine transform of the {_MEL}; mean over frames of (10 / ln 10) "
        f"sqrt(2 sum (c - c')^2), {_HEARD}. Comparable only with the same number and kind of coefficients.",
    ),
    Figure(
        "log_mel_db", "Log-mel distance", "dB", "zero",
        f"Mean absolute difference of the {_MEL}, each side's mean taken out, {_HEARD}.",
    ),
    Figure(
        "gv_ratio", "Spectral variation ratio", "", "one",
        f"Standard deviation in time of each band's {_MEL}, judged over exact, {_HEARD}; the median over bands. "
        "Below 1: smoothed over.",
    ),
    Figure(
        "modulation_db", "Modulation distance", "dB", "zero",
        f"Mean absolute difference in dB of the modulation spectra at 4 to 32 Hz of the {_MEL}; Hann windows of "
        "0.64 s, power averaged over the recording.",
    ),
)  # fmt: skip


def spectral_figures(exact: np.ndarray, judged: np.ndarray) -> Values:
    """All figures of `FIGURES`; neither side's gain matters.

    Args:
        exact: (N,) at 16 kHz.
        judged: (M,); frames beyond the shorter of the two are left out.

    Returns:
        All None where one side is silent or shorter than 10 frames; "modulation_db" also below 0.64 s.
    """
    a, b = log_mel_power(exact), log_mel_power(judged)
    size = min(a.shape[1], b.shape[1])
    if size < 10 or not np.any(exact) or not np.any(judged):
        return dict.fromkeys((f.key for f in FIGURES), None)
    a, b = a[:, :size], b[:, :size]
    modulation = _modulation_distance(a, b)
    heard = a.mean(0) > a.mean(0).max() - HEARD_NATS
    a, b = a[:, heard], b[:, heard]
    a, b = a - a.mean(), b - b.mean()
    difference = _cosines() @ (b - a)
    deviation = a.std(1)
    varied = deviation > 1e-6
    return {
        "mcd13_db": float(DECIBELS * np.sqrt(2 * (difference**2).sum(0)).mean()),
        "log_mel_db": float(DECIBELS * np.abs(b - a).mean()),
        "gv_ratio": float(np.median(b.std(1)[varied] / deviation[varied])) if varied.any() else None,
        "modulation_db": modulation,
    }


def log_mel_power(waveform: np.ndarray) -> np.ndarray:
    """(N,) at 16 kHz -> (60, 1 + N // 160), natural log of mel power + 1e-6, frame t centred on t * 160.

    The waveform is brought to -22 dBFS first. Equals `librosa.feature.melspectrogram(n_fft=512, hop_length=160,
    n_mels=60)` (tested).
    """
    signal = np.asarray(waveform, np.float64)
    level = np.sqrt(np.mean(signal**2)) if len(signal) else 0.0
    signal = np.pad(signal * (LEVEL / level if level > 0 else 1.0), N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(signal, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(N_FFT + 1)[:-1])) ** 2
    return np.log(_slaney_filters() @ power.T + FLOOR)


@functools.cache
def _slaney_filters() -> np.ndarray:
    """(60, 257), triangles of equal area on Slaney's mel scale: linear to 1 kHz, logarithmic above."""
    linear = 200.0 / 3  # Hz a mel
    knee, ratio = 1000.0 / linear, 27.0 / np.log(6.4)  # mel at 1 kHz; mel a nat above
    top = knee + ratio * np.log(EVALUATION_RATE / 2 / 1000.0)
    mel = np.linspace(0.0, top, BANDS + 2)
    edges = np.where(mel < knee, linear * mel, 1000.0 * np.exp((mel - knee) / ratio))  # Hz
    bins = np.linspace(0.0, EVALUATION_RATE / 2, N_FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]


@functools.cache
def _cosines() -> np.ndarray:
    """(13, 60): c_d = 2 / 60 sum over bands of log power times cos(pi d (band + 1/2) / 60), d = 1 to 13."""
    d, band = np.arange(1, COEFFICIENTS + 1)[:, None], np.arange(BANDS)
    return 2 / BANDS * np.cos(np.pi * d * (band + 0.5) / BANDS)


def _modulation_distance(a: np.ndarray, b: np.ndarray) -> float | None:
    if a.shape[1] < MODULATION_FRAMES:
        return None
    return float(np.abs(_modulation_db(b) - _modulation_db(a)).mean())


def _modulation_db(log_mel: np.ndarray) -> np.ndarray:
    """Modulation power of each band, (60, T) -> (60, bins from 4 to 32 Hz), dB."""
    size = MODULATION_FRAMES
    pieces = np.lib.stride_tricks.sliding_window_view(log_mel, size, axis=1)[:, ::MODULATION_STEP]
    window = np.hanning(size + 1)[:-1]
    spectrum = np.fft.rfft((pieces - pieces.mean(-1, keepdims=True)) * window)
    power = (np.abs(spectrum) ** 2).mean(1) / np.sum(window**2) / size
    at_hz = np.fft.rfftfreq(size, HOP / EVALUATION_RATE)
    kept = (at_hz >= MODULATION_HZ[0]) & (at_hz <= MODULATION_HZ[1])
    return 10 * np.log10(power[:, kept] + MODULATION_FLOOR)
