"""What a source recording may have been through: perturbations of the encoders' inputs, never of the target.

The reference encoder must not find the speaker's timbre, the channel or the noise worth keeping, and the decoder must
not take a noise floor for loudness. All on mels, no signal processing (NANSY's idea at no cost; Choi et al. 2021).
"""

from __future__ import annotations

import numpy as np

FLOOR = -11.5


def smooth_noise(rng: np.random.Generator, size: int, knots: int, deviation: float) -> np.ndarray:
    """A random smooth curve, (size,): straight lines between normal knots."""
    return np.interp(np.linspace(0, knots - 1, size), np.arange(knots), rng.normal(0, deviation, knots))


def warp_bands(mel: np.ndarray, factor: float) -> np.ndarray:
    """Move every band's frequency by `factor` on the mel axis (vocal-tract length perturbation), (M, T) -> (M, T)."""
    bands = np.arange(len(mel))
    position = np.clip(bands * factor, 0, len(mel) - 1)
    low = np.minimum(position.astype(int), len(mel) - 2)
    part = (position - low)[:, None]
    return mel[low] * (1 - part) + mel[low + 1] * part


def perturb_mel(mel: np.ndarray, rng: np.random.Generator, *, warp: float = 0.15) -> np.ndarray:
    """A randomly equalised, warped, band-limited and noisy copy of a log-mel, (M, T).

    Args:
        warp: Largest relative change of the mel axis; 0 keeps formants where they are.
    """
    mel = np.maximum(mel, FLOOR)
    if warp and rng.random() < 0.8:
        mel = warp_bands(mel, float(rng.uniform(1 - warp, 1 + warp)))
    mel = mel + smooth_noise(rng, len(mel), 6, 0.6)[:, None] + rng.uniform(-0.7, 0.7)
    if rng.random() < 0.3:  # telephone to 16 kHz recordings: nothing above a cut-off
        cut = int(rng.integers(58, 92))
        mel[cut:] = FLOOR + np.abs(rng.normal(0, 0.3, mel[cut:].shape))
    if rng.random() < 0.5:
        level = rng.uniform(-9.0, -3.5)
        noise = level + smooth_noise(rng, len(mel), 5, 0.8)[:, None] + rng.normal(0, 0.35, mel.shape)
        mel = np.logaddexp(mel, noise)
    return np.maximum(mel, FLOOR).astype(np.float32)


def perturb_energy(energy_db: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Energy as it would be measured with a random noise floor, (T,) dB."""
    if rng.random() < 0.5:
        return energy_db
    floor = rng.uniform(-45, -18) + rng.normal(0, 1.0, len(energy_db))
    return (10 * np.log10(10 ** (energy_db / 10) + 10 ** (floor / 10))).astype(np.float32)


def soften_phones(one_hot: np.ndarray, confusion: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Phones as a recogniser would give them, (P, V): some rows mixed with, or replaced by, phones it takes them for.

    Args:
        confusion: (V, V), row i = how often phone i is heard as each phone.
    """
    soft = one_hot.copy()
    doubtful = np.flatnonzero(rng.random(len(soft)) < 0.4)
    for i in doubtful:
        mixed = rng.choice(soft.shape[1], 2, p=confusion[one_hot[i].argmax()])
        share = rng.uniform(0, 0.8)
        soft[i] *= 1 - share
        soft[i, mixed[0]] += share * 0.7
        soft[i, mixed[1]] += share * 0.3
    return soft
