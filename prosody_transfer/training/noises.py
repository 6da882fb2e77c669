"""Sounds that are not the voice: coloured noise, wind, hum, clicks, music. Each (n,) float32 of about unit RMS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Noise = Callable[[int, int, np.random.Generator], np.ndarray]


def unit(signal: np.ndarray) -> np.ndarray:
    """At an RMS of 1; silence stays."""
    return np.asarray(signal / max(float(np.sqrt(np.mean(np.square(signal)))), 1e-9), np.float32)


def coloured(size: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Noise that falls by 0 to 9 dB an octave above a corner; at times in a band of its own, at times swelling."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hertz = np.fft.rfftfreq(size, 1 / rate)
    corner = np.exp(rng.uniform(np.log(50), np.log(2000)))
    spectrum *= (1 + (hertz / corner) ** 2) ** (-rng.uniform(0, 0.75))
    if rng.random() < 0.2:
        centre, width = np.exp(rng.uniform(np.log(150), np.log(4000))), rng.uniform(0.2, 1.5)
        spectrum *= np.exp(-0.5 * (np.log(np.maximum(hertz, 1) / centre) / width) ** 2)
    noise = np.fft.irfft(spectrum, size)
    if rng.random() < 0.3:
        at = np.arange(size) / rate
        noise *= 1 + 0.9 * np.sin(2 * np.pi * (rng.uniform(0.3, 6) * at + rng.random()))
    return unit(noise)


def wind(size: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Rumble below some 200 Hz that comes and goes."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hertz = np.fft.rfftfreq(size, 1 / rate)
    noise = np.fft.irfft(spectrum / (1 + (hertz / rng.uniform(20, 150)) ** 2), size)
    slow = np.interp(np.arange(size), np.linspace(0, size, 3 + size * 3 // rate), rng.random(3 + size * 3 // rate))
    return unit(noise * slow)


def hum(size: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Mains with its harmonics, or a machine's steady tone at any pitch, drifting a little."""
    base = rng.choice([50.0, 60.0]) if rng.random() < 0.7 else np.exp(rng.uniform(np.log(25), np.log(400)))
    slow = np.sin(2 * np.pi * rng.uniform(0.02, 0.3) * np.arange(size) / rate)
    drift = 1 + 0.003 * rng.standard_normal() + 0.002 * slow
    phase = 2 * np.pi * np.cumsum(base * drift) / rate
    tone = np.zeros(size)
    steep = rng.uniform(0.2, 2.0)
    for k in range(1, min(24, int(rate / 2.1 / base)) + 1):
        if rng.random() < (0.9 if k < 4 else 0.5):
            tone += k**-steep * rng.uniform(0.2, 1) * np.sin(k * phase + rng.uniform(0, 2 * np.pi))
    return unit(tone)


def clicks(size: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Short bursts at random, 2 to 20 a second."""
    noise = np.zeros(size)
    for at in rng.integers(0, size, max(1, round(rng.uniform(2, 20) * size / rate))):
        burst = rng.standard_normal(min(size - at, round(rng.uniform(0.001, 0.03) * rate)))
        noise[at : at + len(burst)] += burst * np.exp(-np.arange(len(burst)) / (0.3 * len(burst))) * rng.uniform(0.3, 1)
    return unit(noise)


def music(size: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Chords, a bass and a melody on a beat, with drums in half of it: tones that have a pitch too."""
    beat = rng.uniform(0.2, 0.7)
    scale = np.array([0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10])
    root = rng.uniform(90, 180)
    out = np.zeros(size)
    hertz = lambda degree: root * 2.0 ** ((scale[degree % 7] + 12 * (degree // 7)) / 12)
    steep, decay = rng.uniform(0.8, 2.0), rng.uniform(0.3, 3.0)
    drums = rng.random() < 0.5
    for number, start in enumerate(np.arange(0.0, size / rate, beat)):
        first = int(start * rate)
        length = min(size - first, int(rng.uniform(1, 4) * beat * rate))
        degree = int(rng.integers(0, 7))
        notes = [(hertz(degree + k), 0.3) for k in (0, 2, 4)] if number % 4 == 0 else []
        notes += [(hertz(degree) / 2, 0.5)] if number % 2 == 0 else []
        notes += [(hertz(int(rng.integers(7, 18))), 0.5)] if rng.random() < 0.7 else []
        at = np.arange(length) / rate
        for pitch, gain in notes:
            fade = gain * np.exp(-at / decay) * np.minimum(1, at / 0.01)
            for k in range(1, min(8, int(rate / 2.1 / pitch)) + 1):
                out[first : first + length] += fade * k**-steep * np.sin(2 * np.pi * k * pitch * at + 6 * rng.random())
        if drums:
            burst = rng.standard_normal(min(size - first, rate // 8))
            out[first : first + len(burst)] += 0.4 * burst * np.exp(-np.arange(len(burst)) / (0.03 * rate))
    return unit(out)


NOISES: dict[str, tuple[float, Noise]] = {
    "coloured": (0.32, coloured), "music": (0.2, music), "hum": (0.22, hum), "wind": (0.08, wind),
    "clicks": (0.06, clicks),
}  # fmt: skip  (shares; the rest is babble)
