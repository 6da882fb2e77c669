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


def _between(rows: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Rows at fractional places, straight lines between them: (N, K) at (P,) -> (P, K)."""
    low = np.minimum(position.astype(int), len(rows) - 2)
    part = (position - low)[:, None]
    return rows[low] * (1 - part) + rows[low + 1] * part


def warp_bands(mel: np.ndarray, factor: float) -> np.ndarray:
    """Move every band's frequency by `factor` on the mel axis (vocal-tract length perturbation), (M, T) -> (M, T)."""
    bands = np.arange(len(mel))
    position = np.clip(bands * factor, 0, len(mel) - 1)
    return _between(mel, position)


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


def reverberate(mel: np.ndarray, reverberation_s: float, level: float, frame_rate_hz: float) -> np.ndarray:
    """A log-mel (natural log of magnitudes) with a diffuse tail behind every sound, (M, T) -> (M, T).

    Args:
        reverberation_s: In which the tail falls by 60 dB.
        level: Of what each frame adds to the tail, natural log over the frame.
    """
    fall = 60 / 20 * np.log(10) / (reverberation_s * frame_rate_hz)
    wet, tail = mel.copy(), np.full(len(mel), FLOOR)
    for t in range(1, mel.shape[1]):
        tail = np.logaddexp(tail, mel[:, t - 1] + level) - fall
        wet[:, t] = np.logaddexp(mel[:, t], tail)
    return wet


def mask_mel(mel: np.ndarray, rng: np.random.Generator, *, bands: int = 12, frames: int = 8) -> np.ndarray:
    """A log-mel with two stripes along each axis at their band's mean (SpecAugment; Park et al. 2019), (M, T).

    Args:
        bands, frames: Widest stripe.
    """
    masked, mean = mel.copy(), mel.mean(1, keepdims=True)
    for _ in range(2):
        width, start = int(rng.integers(0, bands + 1)), int(rng.integers(0, len(mel)))
        masked[start : start + width] = mean[start : start + width]
        width, start = int(rng.integers(0, frames + 1)), int(rng.integers(0, mel.shape[1]))
        masked[:, start : start + width] = mean
    return masked


def drown(mel: np.ndarray, rng: np.random.Generator, snr_db: float) -> np.ndarray:
    """A log-mel in noise of a random colour that may swell and sink, (M, T) -> (M, T).

    Args:
        snr_db: How far the noise's power, of all bands, lies below that of the louder frames.
    """
    speech = np.quantile(np.log(np.exp(2 * mel).mean(0)), 0.8)
    tilt = rng.uniform(-4.0, 0.5) * np.linspace(0, 1, len(mel))  # about brown to white
    colour = tilt + smooth_noise(rng, len(mel), int(rng.integers(3, 12)), 0.6)
    swell = smooth_noise(rng, mel.shape[1], max(2, mel.shape[1] // 20), rng.choice([0.05, 0.5]))
    noise = colour[:, None] + swell + rng.normal(0, 0.4, mel.shape)
    noise += (speech - np.log(np.exp(2 * noise).mean()) - snr_db * np.log(10) / 10) / 2
    return np.asarray(np.logaddexp(2 * mel, 2 * noise) / 2)


def through_telephone(mel: np.ndarray, rng: np.random.Generator, centres_hz: np.ndarray) -> np.ndarray:
    """A log-mel through a line that lets nothing pass below some 300 and above some 3400 Hz, (M, T) -> (M, T).

    Args:
        centres_hz: (M,) of the bands.
    """
    outside = (centres_hz < rng.uniform(200, 350)) | (centres_hz > rng.uniform(3000, 3900))
    floor = rng.uniform(FLOOR, FLOOR + 3.0)
    return np.where(outside[:, None], floor + np.abs(rng.normal(0, 0.3, mel.shape)), mel)


def change_tempo(mel: np.ndarray, labels: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A log-mel (M, T) and a label for each frame (T,), said in `size` frames: between frames, the nearest label."""
    at = np.linspace(0, mel.shape[1] - 1, size)
    return _between(mel.T, at).T, labels[np.rint(at).astype(int)]


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
