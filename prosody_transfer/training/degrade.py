"""Clean speech made as bad as recordings are: rooms, noise, telephone lines, codecs, clipping."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from prosody_transfer.training.noises import NOISES, unit

SOUND_M_PER_S = 343.0
EARLY_SECONDS = 0.08  # of a room's response by image sources; its tail is noise that decays
CODECS = {"mp3": ("mp3", 16000, (16, 24, 32)), "opus": ("ogg", 16000, (6, 8, 12, 24)), "amr": ("amr", 8000, (5, 7, 12))}
SPEECH_RMS = 0.05  # -26 dBFS
KEPT, KEPT_SECONDS = 64, 8.0  # noises of each kind


def convolve(signal: np.ndarray, response: np.ndarray) -> np.ndarray:
    """(N,), causal, of the signal's length."""
    size = 1 << (len(signal) + len(response) - 1).bit_length()
    product = np.fft.rfft(signal, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[: len(signal)], np.float32)


def room(rate: int, rng: np.random.Generator) -> np.ndarray:
    """A room's impulse response, from the arrival of the direct sound (1) on.

    Early reflections by image sources in a box, then decaying noise; the tail is -4 to 12 dB below the direct sound.

    Source:
        Allen & Berkley 1979.
    """
    size = rng.uniform([2.5, 2.5, 2.3], [9.0, 8.0, 4.0])
    source, ear = rng.uniform(0.3, 0.7, 3) * size, rng.uniform(0.15, 0.85, 3) * size
    seconds, reflects = rng.uniform(0.12, 0.9), rng.uniform(0.6, 0.95)
    reach = np.ceil(EARLY_SECONDS * SOUND_M_PER_S / size / 2).astype(int)
    grid = np.stack(np.meshgrid(*[np.arange(-r, r + 1) for r in reach], indexing="ij"), -1).reshape(-1, 1, 3)
    flip = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), -1).reshape(1, -1, 3)
    place = 2 * grid * size + np.where(flip, -source, source)
    distance = np.linalg.norm(place - ear, axis=-1).ravel()
    bounces = (np.abs(2 * grid - flip)).sum(-1).ravel()
    direct = float(np.linalg.norm(source - ear))
    late = np.round((distance - direct) / SOUND_M_PER_S * rate).astype(int)
    response = np.zeros(int(seconds * rate) + rate // 50)
    heard = (late > 0) & (late < min(len(response), EARLY_SECONDS * rate))
    np.add.at(response, late[heard], reflects ** bounces[heard] * direct / distance[heard])
    at = np.arange(len(response)) / rate
    tail = rng.standard_normal(len(response)) * 10 ** (-3 * at / seconds)
    from_here = at > 0.6 * EARLY_SECONDS
    tail *= np.sqrt(np.mean(response[: rate // 20] ** 2)) * from_here * rng.uniform(0.5, 1.5)
    response = response + tail
    response *= 10 ** (-rng.uniform(-4, 12) / 20) / max(float(np.sqrt(np.sum(response**2))), 1e-9)
    response[0] = 1.0
    return response.astype(np.float32)


def band(signal: np.ndarray, rate: int, low_hz: float, high_hz: float, soft: float = 0.0) -> np.ndarray:
    """Only what lies between; without softness nothing at all of the rest, as on a telephone line.

    Args:
        soft: Width of the slopes, octaves.
    """
    hertz = np.fft.rfftfreq(len(signal), 1 / rate)
    octaves = np.log2(np.maximum(hertz, 1e-3))
    width = max(soft, 1e-4)
    above, below = (octaves - np.log2(low_hz)) / width, (np.log2(high_hz) - octaves) / width
    gain = np.clip(above + 0.5, 0, 1) * np.clip(below + 0.5, 0, 1)
    return np.asarray(np.fft.irfft(np.fft.rfft(signal) * gain, len(signal)), np.float32)


def mu_law(signal: np.ndarray) -> np.ndarray:
    """G.711's 8 bits, of a signal within -1 to 1."""
    folded = np.sign(signal) * np.log1p(255 * np.minimum(np.abs(signal), 1)) / np.log(256)
    folded = np.round(folded * 127) / 127
    return np.asarray(np.sign(folded) * (256 ** np.abs(folded) - 1) / 255, np.float32)


def coded(signal: np.ndarray, rate: int, codec: str, kilobits: int) -> np.ndarray:
    """A signal after MP3, Opus or AMR (a mobile telephone's), its delay taken out; unchanged where FFmpeg lacks it."""
    import av
    import soxr

    container, coding_rate, _ = CODECS[codec]
    names = {"mp3": "libmp3lame", "opus": "libopus", "amr": "libopencore_amrnb"}
    sent = soxr.resample(signal, rate, coding_rate)
    file = io.BytesIO()
    try:
        with av.open(file, "w", format=container) as out:
            stream: Any = out.add_stream(names[codec], rate=coding_rate, layout="mono")
            stream.bit_rate = 1000 * kilobits if codec != "amr" else {5: 4750, 7: 7400, 12: 12200}[kilobits]
            pcm = (np.clip(sent, -1, 1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
            frame.sample_rate = coding_rate
            resampler = av.AudioResampler(stream.codec_context.format, "mono", coding_rate, stream.frame_size or 160)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                out.mux(stream.encode(part))
            out.mux(stream.encode(None))
        file.seek(0)
        with av.open(file, "r") as read:
            decoded = av.AudioResampler("fltp", "mono", rate)
            parts = [p.to_ndarray()[0] for f in read.decode(audio=0) for p in decoded.resample(f)]
            parts += [p.to_ndarray()[0] for p in decoded.resample(None)]
    except (av.FFmpegError, ValueError):
        return signal
    return aligned(np.concatenate(parts).astype(np.float32), signal, rate // 3)


def aligned(signal: np.ndarray, reference: np.ndarray, most: int) -> np.ndarray:
    """A signal moved by at most so many samples to where it fits the reference best, at its length."""
    size = 1 << (len(signal) + len(reference)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(signal, size) * np.conj(np.fft.rfft(reference, size)), size)
    lags = np.concatenate([likeness[:most], likeness[-most:]])
    best = int(np.argmax(lags))
    lag = best if best < most else best - 2 * most
    moved = signal[lag:] if lag >= 0 else np.pad(signal, (-lag, 0))
    return np.pad(moved, (0, max(0, len(reference) - len(moved))))[: len(reference)]


def add_noise(signal: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Noise of unit RMS, so far below the speech: below the RMS of the louder half of its 20 ms stretches."""
    return np.asarray(signal + noise * loudness(signal) * 10 ** (-snr_db / 20), np.float32)


def loudness(signal: np.ndarray) -> float:
    """RMS of the frames, 256 samples each, that are within 15 dB of the loudest tenth."""
    power = np.square(signal[: len(signal) // 256 * 256].astype(np.float64)).reshape(-1, 256).mean(1)
    if not len(power) or not power.any():
        return 1e-6
    loud = power[power > np.percentile(power, 90) * 10**-1.5]
    return float(np.sqrt(loud.mean())) if len(loud) else 1e-6


def degrade(
    signal: np.ndarray, rate: int, rng: np.random.Generator, babble: Callable[[int], np.ndarray]
) -> np.ndarray:  # fmt: skip
    """A clean recording as some microphone, room and line might give it, at about the speech level.

    Args:
        signal: (N,) float32.
        babble: Gives n samples of other people talking.
    """
    wet = signal
    if rng.random() < 0.2:
        return _levelled(wet, rng)
    if rng.random() < 0.45:
        wet = convolve(wet, room(rate, rng))
    if rng.random() < 0.6:
        wet = add_noise(wet, _draw_noise(len(wet), rate, rng, babble), rng.uniform(-1, 24))
    if rng.random() < 0.1:
        wet = add_noise(wet, _draw_noise(len(wet), rate, rng, babble), rng.uniform(5, 30))
    if rng.random() < 0.45:
        wet = _line(wet, rate, rng)
    if rng.random() < 0.06:
        top = np.abs(wet).max() * rng.uniform(0.1, 0.6)
        wet = np.clip(wet, -top, top)
    return _levelled(wet, rng)


def _draw_noise(size: int, rate: int, rng: np.random.Generator, babble: Callable[[int], np.ndarray]) -> np.ndarray:
    drawn = rng.random()
    for kind, (share, _) in NOISES.items():
        drawn -= share
        if drawn < 0:
            whole = _kept(kind, int(rng.integers(KEPT)), rate)
            first = int(rng.integers(0, max(1, len(whole) - size)))
            return unit(np.resize(whole[first : first + size], size))
    return unit(babble(size))


@functools.lru_cache(maxsize=KEPT * len(NOISES))
def _kept(kind: str, number: int, rate: int) -> np.ndarray:
    """One of the noises that crops are cut from: making each anew would take longer than a step of training."""
    return NOISES[kind][1](round(KEPT_SECONDS * rate), rate, np.random.default_rng([number, len(kind)]))


def _line(signal: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Through a band-limited line, a codec, or a microphone of another colour."""
    import soxr

    kind = rng.random()
    if kind < 0.5:  # a telephone
        soft = 0.0 if rng.random() < 0.8 else rng.uniform(0.05, 0.6)
        signal = band(signal, rate, rng.uniform(180, 420), rng.uniform(2700, 3800), soft)
        signal = signal * (SPEECH_RMS / loudness(signal))
        coding = rng.random()
        if coding < 0.3:
            signal = soxr.resample(mu_law(soxr.resample(signal, rate, 8000)), 8000, rate)[: len(signal)]
        elif coding < 0.5:
            signal = coded(signal, rate, "amr", int(rng.choice(CODECS["amr"][2])))
        return signal
    if kind < 0.7:
        codec = str(rng.choice(["mp3", "opus"]))
        signal = signal * (SPEECH_RMS / loudness(signal))
        return coded(signal, rate, codec, int(rng.choice(CODECS[codec][2])))
    if kind < 0.85:  # a small loudspeaker or a bad microphone
        return band(signal, rate, rng.uniform(60, 900), rng.uniform(1500, 5500), rng.uniform(0, 2))
    hertz = np.fft.rfftfreq(len(signal), 1 / rate)
    at = np.log2(np.maximum(hertz, 30))
    gain = np.interp(at, np.linspace(np.log2(30), np.log2(rate / 2), 7), rng.uniform(-12, 6, 7))
    return np.asarray(np.fft.irfft(np.fft.rfft(signal) * 10 ** (gain / 20), len(signal)), np.float32)


def _levelled(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At the speech level, give or take 8 dB, with the last bit's noise."""
    gain = SPEECH_RMS / loudness(signal) * 10 ** (rng.uniform(-8, 8) / 20)
    return np.asarray(signal * gain + rng.standard_normal(len(signal)) * 10 ** rng.uniform(-5.5, -4), np.float32)
