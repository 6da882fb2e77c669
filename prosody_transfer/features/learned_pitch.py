"""F0 by the learned tracker: a network's distribution over candidates, and the best path through it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from prosody_transfer.features.pitch import continuous_log_f0

CHUNK_FRAMES = 2048
JUMP_COST, MOST_COST = 0.3, 20.0  # nats: a candidate (20 cents) further between frames, and at most
SWITCH_COST = 2.0  # nats, from voiced to unvoiced or back
VOICED_ABOVE = -0.2  # logit of voicing
MASS, MASS_BINS = 0.3, 5  # of the distribution within 100 cents of the path, or the frame is not voiced
NEAR_BINS = 3  # of the path, whose mean is taken: finer than a candidate
CLEAN_DB, CLEAN_DOUBT = -0.3, 0.037  # means of a recording's correction and of doubt, from which it is clean
REFINED = 0.06  # nats: StoneMask is believed so near the path
SPARED_DB, TRUSTED = 1.5, 0.8  # of the energy's correction: small ones are not made, of larger ones a share


class Heard(NamedTuple):
    """What the tracker makes of a recording, a value a frame.

    Attributes:
        log_f0: (T,) float32, ln Hz, continuous: straight lines in ln Hz through unvoiced stretches, held at the ends.
        voiced: (T,) bool.
        doubt: (T,) float32, 0 to 1: how likely the F0 of a voiced frame is wrong by more than 100 cents.
        noise_db: (T,) float32, 0 or less, to add to the measured energy so that noise and a room's tail do not count.
    """

    log_f0: np.ndarray
    voiced: np.ndarray
    doubt: np.ndarray
    noise_db: np.ndarray


def hear_pitch(network: Any, waveform: np.ndarray, sample_rate: int, hop_length: int, n_frames: int) -> Heard:
    """Track a recording with the learned tracker.

    Args:
        network: `models.tracker.network.Tracker`, or the same on another runtime.
        waveform: (N,) float, mono, at the speech level.
        hop_length: Samples from frame to frame; frame t is centred on sample t * hop_length.

    Raises:
        ValueError: The network's frames are of another length.
    """
    import soxr

    config = network.config.spectrum
    rate = config.sample_rate
    if hop_length * rate != config.hop_length * sample_rate:
        raise ValueError(f"frames of {hop_length} samples at {sample_rate} Hz are not the tracker's")
    signal = soxr.resample(np.asarray(waveform, np.float32), sample_rate, rate)
    out = network.listen(signal, n_frames, CHUNK_FRAMES)
    pitches, extra = out[: config.pitches], out[config.pitches :]
    bins, voiced = decode(pitches, extra[0])
    hertz = config.lowest_hz * 2.0 ** (bins / config.bins_per_octave)
    f0 = np.where(voiced, hertz, 0.0)
    doubt = 1 / (1 + np.exp(-extra[1].astype(np.float64)))
    noise_db = TRUSTED * np.minimum(extra[2] * network.energy_scale_db + SPARED_DB, 0.0)
    if voiced.any() and noise_db.mean() > CLEAN_DB and doubt[voiced].mean() < CLEAN_DOUBT:
        f0 = _finer(signal, rate, config.hop_length, f0)
    log_f0, voiced = continuous_log_f0(f0)
    return Heard(log_f0, voiced, doubt.astype(np.float32), noise_db.astype(np.float32))


def _finer(signal: np.ndarray, rate: int, hop_length: int, f0_hz: np.ndarray) -> np.ndarray:
    """F0 by instantaneous frequency, (T,) -> (T,) Hz; where that is far away, as it was.

    In noise and rooms and over telephones it is worse than the path, on clean sound better (5.4 cents in the median
    against 7.4): see `CLEAN_DB`.

    Source:
        Morise 2017 (StoneMask, in WORLD).
    """
    import pyworld

    at = np.arange(len(f0_hz)) * hop_length / rate
    found = pyworld.stonemask(np.asarray(signal, np.float64), np.asarray(f0_hz, np.float64), at, rate)
    near = np.abs(np.log(np.maximum(found, 1.0) / np.maximum(f0_hz, 1.0))) < REFINED
    return np.where(near & (found > 0), found, f0_hz)


def decode(logits: np.ndarray, voicing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best path through candidates, and where it is voiced.

    Args:
        logits: (P, T) of the candidates.
        voicing: (T,) logit.

    Returns:
        (T,) candidate, a fraction; (T,) bool.
    """
    log_p = logits - logits.max(0)
    p = np.exp(log_p)
    p /= p.sum(0)
    sure = 1 / (1 + np.exp(-np.clip(voicing, -30, 30)))
    path = best_candidates(np.log(p.T + 1e-8) * sure[:, None])
    around = path[:, None] + np.arange(-MASS_BINS, MASS_BINS + 1)
    frames = np.arange(len(path))[:, None]
    inside = (around >= 0) & (around < len(p))
    share = np.where(inside, p[around.clip(0, len(p) - 1), frames], 0.0)
    mass = share.sum(1)
    near = share[:, MASS_BINS - NEAR_BINS : MASS_BINS + NEAR_BINS + 1]
    offset = (near * np.arange(-NEAR_BINS, NEAR_BINS + 1)).sum(1) / np.maximum(near.sum(1), 1e-9)
    voiced = switches(voicing - VOICED_ABOVE, SWITCH_COST) & (mass > MASS)
    return path + offset, voiced


def best_candidates(score: np.ndarray, jump: float = JUMP_COST, most: float = MOST_COST) -> np.ndarray:
    """The path of the highest sum, less `jump` for every candidate that it moves between frames, `most` at most.

    In time proportional to T P: the best predecessor of all candidates is found by two running maxima.

    Args:
        score: (T, P), nats.

    Returns:
        (T,) int.
    """
    size, count = score.shape
    grid = np.arange(count)
    slope = (jump * grid).astype(score.dtype)
    reached = np.empty_like(score)
    reached[0] = score[0]
    for t in range(1, size):
        before = reached[t - 1]
        best = np.maximum.accumulate(before + slope)
        best -= slope
        from_above = np.maximum.accumulate((before - slope)[::-1])[::-1]
        from_above += slope
        np.maximum(best, from_above, out=best)
        np.maximum(best, before.max() - most, out=best)
        np.add(best, score[t], out=reached[t])
    cost = np.minimum(jump * np.abs(grid[:, None] - grid), most).astype(score.dtype)
    path = np.empty(size, int)
    path[-1] = int(reached[-1].argmax())
    for t in range(size - 1, 0, -1):
        path[t - 1] = int((reached[t - 1] - cost[path[t]]).argmax())
    return path


def switches(logit: np.ndarray, cost: float) -> np.ndarray:
    """Two states, the likelier sequence where every change costs `cost` nats; (T,) logits of the first -> (T,) bool.

    >>> switches(np.array([-3.0, 1.0, -3.0, 4.0, 4.0, -0.5, 4.0]), 2.0).tolist()
    [False, False, False, True, True, True, True]
    """
    off, on = 0.0, 0.0
    back = np.empty((len(logit), 2), bool)  # whether the state before was "on"
    for t, value in enumerate(logit.tolist()):
        back[t] = on - cost > off, on >= off - cost
        off, on = max(off, on - cost), max(on, off - cost) + value
    state = on > off
    result = np.empty(len(logit), bool)
    for t in range(len(logit) - 1, -1, -1):
        result[t] = state
        state = back[t, int(state)]
    return result
