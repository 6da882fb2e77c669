"""The classical route, without any network: the target's own recording, moved onto the source's timeline and melody.

It needs what a transfer does not need: the target speaker saying the same words.
"""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.core.units import samples_to_frames
from prosody_transfer.features.extract import Features
from prosody_transfer.features.pitch import track_f0

HOP = 128  # samples at 24 kHz, 5.3 ms: WORLD's frames in synthesis
ANALYSIS_HOP = 256  # of the natural recording, which is interpolated in between anyway: twice as fast
ENERGY_WINDOW = 600  # samples, 25 ms
GAIN_DB = (-60.0, 20.0)  # by how much the energy may be moved
LEAST_POWER = 1e-10


def transplant(
    source: np.ndarray, features: Features, source_alignment: Alignment, natural: np.ndarray,
    natural_alignment: Alignment,
) -> np.ndarray:  # fmt: skip
    """The target's natural recording with the source's rhythm, melody, voicing and loudness.

    Spectral envelope (CheapTrick) and aperiodicity (D4C) of the natural recording are laid on the
    source's timeline: linear in time between the borders of the phones, or of the words where the two say a word with
    other phones; where only the source pauses, the last frame is held. The source's F0, its median moved to the natural
    recording's, drives WORLD's synthesis; then the result is given the source's energy contour.

    Args:
        source: (N,) at `features.config.sample_rate`.
        features: Of `source`; its F0 and voicing are used.
        natural: (M,) at the same rate.

    Returns:
        (N,) float32, at the source's level.

    Raises:
        TranscriptError: The two alignments have not the same words.

    Source:
        Morise et al. 2016 (WORLD); D4C Morise 2016; CheapTrick Morise 2015.
    """
    import pyworld

    rate, size = features.config.sample_rate, samples_to_frames(len(source), HOP)
    step_ms = 1000.0 * HOP / rate
    log_f0, voiced = _on_hop(features, size)
    signal = np.ascontiguousarray(natural, np.float64)
    own_log_f0, own_voiced = track_f0(signal, rate, ANALYSIS_HOP, samples_to_frames(len(natural), ANALYSIS_HOP))
    own_f0 = np.where(own_voiced, np.exp(own_log_f0.astype(float)), 0.0)
    own_times = np.arange(len(own_f0)) * ANALYSIS_HOP / rate
    envelope = pyworld.cheaptrick(signal, own_f0, own_times, rate)
    aperiodicity = pyworld.d4c(signal, own_f0, own_times, rate, fft_size=2 * (envelope.shape[1] - 1))
    at = time_map(source_alignment, natural_alignment, np.arange(size) * HOP / rate) * rate / ANALYSIS_HOP
    f0 = np.zeros(size)
    if voiced.any():
        own_level = np.median(own_log_f0[own_voiced]) if own_voiced.any() else np.median(log_f0[voiced])
        f0[voiced] = np.exp(log_f0[voiced] - np.median(log_f0[voiced]) + own_level)
    moved = np.exp(_at(np.log(envelope + 1e-16), at))
    audio = pyworld.synthesize(f0, moved, _at(aperiodicity, at), rate, step_ms)
    audio = np.pad(audio, (0, max(0, len(source) - len(audio))))[: len(source)]
    return _with_energy(audio, source).astype(np.float32)


def time_map(source: Alignment, natural: Alignment, times: np.ndarray) -> np.ndarray:
    """Times in the source, seconds, -> times in the natural recording, never decreasing.

    Raises:
        TranscriptError: They have not the same words.
    """
    words = [word.word.lower() for word in source.words]
    if not words or words != [word.word.lower() for word in natural.words]:
        raise TranscriptError("the natural recording has other words than the source", remedy="give one of this text")
    knots = [(0.0, 0.0)]
    for ours, theirs in zip(source.words, natural.words, strict=True):
        inside = [_edges(alignment, word) for alignment, word in ((source, ours), (natural, theirs))]
        if len(inside[0]) != len(inside[1]):
            inside = [[ours.start, ours.end], [theirs.start, theirs.end]]
        knots += zip(*inside, strict=True)
    knots.append((source.duration, natural.duration))
    x, y = np.maximum.accumulate(np.array(knots), axis=0).T
    # Equal times would make the map ambiguous: a pause that only the natural recording has is jumped over in no time.
    x = x + np.arange(len(x)) * 1e-9
    return np.interp(times, x, y)


def _edges(alignment: Alignment, word: object) -> list[float]:
    """Start of the word, ends of its phones."""
    start, end = word.start, word.end  # type: ignore[attr-defined]
    phones = [p for p in alignment.phones if p.phone != SILENCE and start - 1e-3 <= (p.start + p.end) / 2 <= end + 1e-3]
    return [start, *(p.end for p in phones)]


def _on_hop(features: Features, size: int) -> tuple[np.ndarray, np.ndarray]:
    """ln F0 and voicing, (size,) each, every `HOP` samples."""
    at = np.minimum(np.arange(size) * HOP / features.config.hop_length, features.n_frames - 1)
    log_f0 = np.interp(at, np.arange(features.n_frames), features.log_f0)
    return log_f0, features.voiced[np.floor(at + 0.5).astype(int).clip(max=features.n_frames - 1)]


def _at(frames: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rows of (T, C) at fractional positions, (S,) -> (S, C), linear in between."""
    low = np.clip(np.floor(at).astype(int), 0, len(frames) - 1)
    high = np.minimum(low + 1, len(frames) - 1)
    weight = np.clip(at - low, 0, 1)[:, None]
    return np.ascontiguousarray(frames[low] * (1 - weight) + frames[high] * weight)


def _power(audio: np.ndarray) -> np.ndarray:
    """Mean square around every `HOP`-th sample, (samples_to_frames(N, HOP),)."""
    half = ENERGY_WINDOW // 2
    total = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    centres = np.arange(samples_to_frames(len(audio), HOP)) * HOP
    low, high = np.clip(centres - half, 0, len(audio)), np.clip(centres + half, 0, len(audio))
    return (total[high] - total[low]) / np.maximum(high - low, 1)


def _with_energy(audio: np.ndarray, source: np.ndarray) -> np.ndarray:
    """`audio` with the energy contour of `source`, both (N,)."""
    gain_db = 10 * np.log10((_power(source) + LEAST_POWER) / (_power(audio) + LEAST_POWER))
    gain = 10 ** (np.clip(gain_db, *GAIN_DB) / 20)
    return audio * np.interp(np.arange(len(audio)), np.arange(len(gain)) * HOP, gain)
