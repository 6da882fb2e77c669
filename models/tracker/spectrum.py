"""What the pitch tracker looks at: a spectrum on a logarithmic axis, and how well the frame recurs at each period."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from prosody_transfer.core.config import Config


class SpectrumConfig(Config):
    """Settings of the tracker's input.

    Attributes:
        sample_rate: Hz, of the signal; half of the mel's, so that `hop_length` is half of the mel's too.
        window: Samples of the Hann window, 64 ms: three periods of the lowest F0.
        n_fft: Points of the transform.
        lowest_hz: The first F0.
        pitches: F0 candidates, 20 cents apart: 45 to 701 Hz.
        harmonics: Looked at for each candidate, beside half of it.
    """

    sample_rate: int = 12000
    hop_length: int = 128
    window: int = 768
    n_fft: int = 1536
    lowest_hz: float = 45.0
    pitches: int = 239
    bins_per_octave: int = 60
    harmonics: int = 12

    @property
    def shifts(self) -> tuple[int, ...]:
        """Bins from half a candidate to itself halved, and to each of its harmonics."""
        octaves = np.log2(np.arange(1, self.harmonics + 1))
        return (0, *(self.bins_per_octave + np.round(self.bins_per_octave * octaves).astype(int)).tolist())

    @property
    def bins(self) -> int:
        """Of the logarithmic spectrum: half the lowest candidate to the highest harmonic of the highest."""
        return self.pitches + self.shifts[-1]

    @property
    def channels(self) -> int:
        """C of the tracker's input: the spectrum's bins, then one period's correlation for each candidate."""
        return self.bins + self.pitches

    def candidates_hz(self) -> np.ndarray:
        """(P,) F0 of each candidate."""
        return self.lowest_hz * 2.0 ** (np.arange(self.pitches) / self.bins_per_octave)


FLOOR = 1e-3  # of a magnitude; a voice at the speech level has about 10
COMPRESSION = 0.6  # power of the magnitudes whose correlation is taken: the formants weigh less
TOP_HZ = 4000.0  # what lies above tells little of the period
BLOCK = 2048  # frames at once: memory does not grow with the recording


@functools.lru_cache(maxsize=2)
def _tables(config: SpectrumConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lower FFT bin and share of the upper one of each logarithmic bin; which lie below Nyquist; cosines (K, P)."""
    hertz = config.lowest_hz / 2 * 2.0 ** (np.arange(config.bins) / config.bins_per_octave)
    at = hertz * config.n_fft / config.sample_rate
    low = np.minimum(at.astype(int), config.n_fft // 2 - 1)
    used = int(TOP_HZ * config.n_fft / config.sample_rate)
    lag = config.sample_rate / config.candidates_hz()
    cosines = np.cos(2 * np.pi * np.arange(used)[:, None] * lag / config.n_fft)
    return low, (at - low).astype(np.float32), at < config.n_fft // 2, cosines.astype(np.float32)


def spectrum(signal: np.ndarray, config: SpectrumConfig, n_frames: int) -> np.ndarray:
    """The tracker's input.

    Args:
        signal: (N,) float at `config.sample_rate`, at the speech level.
        n_frames: T; frame t is centred on sample t * hop_length, beyond the ends is silence.

    Returns:
        (C, T) float32: log magnitudes, scaled to about -2 to 1, and correlations from -1 to 1.
    """
    reach = config.window // 2
    wanted = (n_frames - 1) * config.hop_length + config.window
    padded = np.pad(np.asarray(signal, np.float32), (reach, max(0, wanted - reach - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.window)[:: config.hop_length][:n_frames]
    out = np.empty((config.channels, n_frames), np.float32)
    for start in range(0, n_frames, BLOCK):
        out[:, start : start + BLOCK] = _analyse(frames[start : start + BLOCK], config)
    return out


def _analyse(frames: np.ndarray, config: SpectrumConfig) -> np.ndarray:
    """Frames (T, window) -> (C, T)."""
    low, part, inside, cosines = _tables(config)
    window = np.hanning(config.window + 1)[:-1].astype(np.float32)
    magnitude = np.abs(np.fft.rfft(frames * window, config.n_fft)).astype(np.float32)  # (T, K)
    scaled = np.log(magnitude.T + np.float32(FLOOR)) / np.float32(3)  # (K, T)
    fine = scaled[low] + part[:, None] * (scaled[low + 1] - scaled[low])
    fine[~inside] = np.log(FLOOR) / 3
    compressed = magnitude[:, : len(cosines)] ** np.float32(COMPRESSION)
    compressed[:, 0] *= 0.5
    total = np.maximum(compressed.sum(1, keepdims=True), 1e-3)
    return np.concatenate([fine, (compressed @ cosines / total).T])


def listen(
    run: Callable[[np.ndarray], np.ndarray], config: SpectrumConfig, margin: int, signal: np.ndarray, n_frames: int,
    chunk_frames: int,
) -> np.ndarray:  # fmt: skip
    """What a tracker's network makes of a whole recording, in chunks whose borders do not show.

    Args:
        run: The network: (C, T) from `spectrum` -> (P + 3, T).
        margin: Frames to either side that it looks at.
        signal: (N,) float at the spectrum's sample rate, at the speech level.
        n_frames: T.

    Returns:
        (P + 3, T) float32.
    """
    edge = -(-config.window // 2 // config.hop_length)  # frames whose window begins before their first sample
    out = []
    for start in range(0, n_frames, chunk_frames):
        stop = min(start + chunk_frames, n_frames)
        low, high = max(0, start - margin), min(n_frames, stop + margin)
        first = max(0, low - edge)
        near = signal[first * config.hop_length : (high + edge) * config.hop_length]
        seen = spectrum(near, config, high - first)[:, low - first :]
        out.append(run(seen)[:, start - low : stop - low])
    return np.concatenate(out, 1)
