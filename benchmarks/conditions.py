"""What happens to recordings before they arrive, for the benchmarks: noise, music, rooms, telephone lines, codecs.

None of it is what the tracker was trained with: other noises, other music, other rooms and filters, other seeds.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import numpy as np

Condition = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


def speech_rms(signal: np.ndarray, rate: int) -> float:
    """RMS of the frames of 25 ms that are within 30 dB of the loudest."""
    size = rate // 40
    power = np.square(signal[: len(signal) // size * size].reshape(-1, size)).mean(1)
    return float(np.sqrt(power[power > power.max() * 1e-3].mean()))


def mixed(signal: np.ndarray, rate: int, other: np.ndarray, snr_db: float) -> np.ndarray:
    """Another sound, its RMS so far below that of the speech."""
    gain = speech_rms(signal, rate) / np.sqrt(np.mean(np.square(other))) * 10 ** (-snr_db / 20)
    return np.asarray(signal + gain * other)


def noise(snr_db: float) -> Condition:
    """Pink noise: as strong in every octave."""

    def make(signal: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(rng.standard_normal(len(signal)))
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        spectrum[0] = 0
        return mixed(signal, rate, np.fft.irfft(spectrum, len(signal)), snr_db)

    return make


def music(snr_db: float) -> Condition:
    """Broken chords of plucked strings (Karplus & Strong 1983) over a held fifth."""

    def make(signal: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
        out = np.zeros(len(signal) + rate)
        at = np.arange(len(out)) / rate
        for ratio in (1.0, 1.5):
            out += 0.2 * sum(np.sin(2 * np.pi * 98.0 * ratio * k * at + k * k) / k**1.5 for k in range(1, 9))
        for start in range(0, len(signal), int(0.22 * rate)):
            period = rate / (196.0 * 2 ** (rng.choice([0, 3, 4, 7, 9, 12, 16]) / 12))
            string, note = rng.uniform(-1, 1, int(period)), []
            for _ in range(int(0.6 * rate / period)):
                note.append(string)
                string = 0.498 * (string + np.roll(string, 1))
            sound = np.concatenate(note)
            out[start : start + len(sound)] += sound[: len(out) - start]
        return mixed(signal, rate, out[: len(signal)], snr_db)

    return make


def hum(snr_db: float) -> Condition:
    """50 Hz with the harmonics of a rectifier."""

    def make(signal: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
        at = np.arange(len(signal)) / rate
        parts = [(1, 1.0), (2, 0.7), (3, 0.5), (4, 0.4), (6, 0.3), (8, 0.2), (10, 0.15), (12, 0.1)]
        phases = rng.uniform(0, 2 * np.pi, len(parts))
        tone = sum(gain * np.sin(2 * np.pi * 50.02 * k * at + p) for (k, gain), p in zip(parts, phases, strict=True))
        return mixed(signal, rate, np.asarray(tone), snr_db)

    return make


def room(signal: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A tail that falls by 60 dB in 0.5 s, as strong as the direct sound."""
    size = rate // 2
    tail = rng.standard_normal(size) * 10 ** (-3 * np.arange(size) / size)
    tail[: rate // 400] = 0
    response = tail / np.sqrt(np.sum(tail**2))
    response[0] = 1
    total = 1 << (len(signal) + size).bit_length()
    return np.asarray(np.fft.irfft(np.fft.rfft(signal, total) * np.fft.rfft(response, total), total)[: len(signal)])


def telephone(signal: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """300 to 3400 Hz and nothing else, in 8 bits (G.711's A-law)."""
    hertz = np.fft.rfftfreq(len(signal), 1 / rate)
    line = np.fft.irfft(np.fft.rfft(signal) * ((hertz >= 300) & (hertz <= 3400)), len(signal))
    line = line / np.abs(line).max() * 0.5
    a, x = 87.6, np.abs(line)
    folded = np.where(x < 1 / a, a * x, 1 + np.log(np.maximum(a * x, 1e-9))) / (1 + np.log(a))
    folded = np.round(folded * 127) / 127 * (1 + np.log(a))
    return np.asarray(np.sign(line) * np.where(folded < 1, folded / a, np.exp(folded - 1) / a))


def mp3(signal: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """MP3 at 32 kbit/s, by libsndfile."""
    import soundfile as sf

    file = io.BytesIO()
    level = {"bitrate_mode": "CONSTANT", "compression_level": 0.85}  # 32 kbit/s at 24 kHz
    sf.write(file, signal / max(1.0, np.abs(signal).max() / 0.9), rate, format="MP3", **level)
    file.seek(0)
    heard, _ = sf.read(file)
    size = 1 << (len(signal) + len(heard)).bit_length()  # the encoder's delay, which its header does not tell
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(signal, size)), size)
    heard = heard[int(likeness[: rate // 5].argmax()) :]
    return np.pad(heard, (0, max(0, len(signal) - len(heard))))[: len(signal)]


CONDITIONS: dict[str, Condition | None] = {
    "clean": None, "noise 15 dB": noise(15), "noise 5 dB": noise(5), "music 10 dB": music(10), "hum 5 dB": hum(5),
    "mp3 32 kbit/s": mp3, "room": room, "telephone": telephone,
}  # fmt: skip


def heard_through(condition: str, signal: np.ndarray, rate: int, name: str) -> np.ndarray:
    """A recording under a condition, the same for the same name."""
    make = CONDITIONS[condition]
    if make is None:
        return signal
    return make(signal, rate, np.random.default_rng([zlib.crc32(f"{condition} {name}".encode()), 20]))
