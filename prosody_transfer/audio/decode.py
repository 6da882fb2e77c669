"""From an open sound file to one waveform: decoded, mixed, resampled and checked block by block. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from prosody_transfer.audio.containers import quiet_stderr
from prosody_transfer.audio.resample import Resampler, resampled_length
from prosody_transfer.core.errors import AudioError

MIN_SECONDS, MAX_SECONDS = 0.3, 3 * 3600.0
MAX_SAMPLE = 1e6
UNKNOWN_LENGTH = 1 << 60
AGAIN = "export or copy it again from the original"
_BLOCK_VALUES = 1 << 14  # float32 values per decoded block, all channels together: 64 kB


class Stream(soundfile.SoundFile):
    """A sound file read from front to end only.

    soundfile seeks to where it already is after each block of a seekable file. In an mp3 that drops what a frame
    borrows from the frames before it: a glitch at each block.
    """

    def seekable(self) -> bool:
        return False


class Mixer:
    """Turns (n, C) blocks into (n, 1) ones, and keeps the sums from which the mix is judged."""

    def __init__(self, channels: int, mono: bool, pick: int | None = None) -> None:
        self.mono, self.pick = mono, pick
        self.energy = np.zeros(channels)
        self.mix_energy = 0.0
        self.high, self.low = -np.inf, np.inf

    def __call__(self, block: np.ndarray) -> np.ndarray:
        if not self.mono:
            out = block
        elif self.pick is not None:
            out = block[:, self.pick : self.pick + 1]
        else:
            out = block.mean(axis=1, keepdims=True, dtype=np.float32) if block.shape[1] > 1 else block
            if block.shape[1] > 1:
                self.energy += np.einsum("nc,nc->c", block, block, dtype=np.float64)
                self.mix_energy += float(np.einsum("nc,nc->", out, out, dtype=np.float64))
        if len(out):
            self.high, self.low = max(self.high, float(out.max())), min(self.low, float(out.min()))
        return out

    @property
    def cancels(self) -> bool:
        return self.pick is None and bool(self.energy.any()) and self.mix_energy < 0.01 * float(self.energy.mean())

    @property
    def loudest(self) -> int:
        return int(self.energy.argmax())

    @property
    def swing(self) -> float:
        """Half the distance from the lowest to the highest sample: the peak without a constant offset."""
        return max(0.0, (self.high - self.low) / 2)


def collect(path: Path, sound: Any, mixer: Mixer, target: int) -> tuple[np.ndarray, int]:
    """Decode to the end: (waveform (C', N) float32, samples per channel decoded)."""
    rate = sound.samplerate
    width = 1 if mixer.mono else sound.channels
    resampler = Resampler(rate, target, width)
    expected = sound.frames if sound.frames < UNKNOWN_LENGTH else 60 * rate
    out = np.empty((resampled_length(expected, rate, target), width), np.float32)
    filled, count = 0, 0
    for block, last in _blocks(path, sound):
        count += len(block)
        check_length(path, count / rate, upper_only=True)
        piece = resampler.push(mixer(block), last)
        if filled + len(piece) > len(out):
            out = np.concatenate([out[:filled], np.empty((max(len(piece), filled // 2), width), np.float32)])
        out[filled : filled + len(piece)] = piece
        filled += len(piece)
    return np.ascontiguousarray(out[:filled].T), count


def _blocks(path: Path, sound: Any) -> Iterator[tuple[np.ndarray, bool]]:
    """Decoded (n, C) float32 blocks, each with whether it is the last; the last may be empty."""
    size = max(256, _BLOCK_VALUES // sound.channels)
    count, last = 0, False
    while not last:
        try:
            with quiet_stderr(sound.format == "MP3"):
                block = sound.read(size, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, AssertionError):
            raise _stops(path, count, sound) from None
        count += len(block)
        last = len(block) < size
        if not np.isfinite(block).all():
            at = (count - len(block) + int(np.argmin(np.isfinite(block).all(axis=1)))) / sound.samplerate
            raise AudioError(f"holds NaN or infinite samples, first at {at:.3f} s", place=str(path), remedy=AGAIN)
        if len(block) and float(np.abs(block).max()) > MAX_SAMPLE:
            problem = f"holds samples beyond {MAX_SAMPLE:.0e} (full scale is 1.0)"
            raise AudioError(problem, place=str(path), remedy=AGAIN)
        yield block, last
    # An mp3's own count of its samples may be off by a frame.
    slack = (1152 if sound.samplerate >= 32_000 else 576) if sound.format == "MP3" else 0
    if sound.frames < UNKNOWN_LENGTH and count < sound.frames - slack:
        raise _stops(path, count, sound)


def _stops(path: Path, count: int, sound: Any) -> AudioError:
    rate = sound.samplerate
    whole = f" of {sound.frames / rate:.2f} s" if sound.frames < UNKNOWN_LENGTH else ""
    problem = f"is damaged or cut off: it decodes only to {count / rate:.2f} s{whole}"
    return AudioError(problem, place=str(path), remedy=AGAIN)


def check_length(path: Path, seconds: float, upper_only: bool = False) -> None:
    if seconds > MAX_SECONDS:
        problem = f"lasts {seconds / 3600:.2f} hours, the limit is {MAX_SECONDS / 3600:.0f}"
        raise AudioError(problem, place=str(path), remedy="cut it up")
    if not upper_only and seconds < MIN_SECONDS:
        problem = f"is too short: {seconds:.3f} s, the least is {MIN_SECONDS} s"
        raise AudioError(problem, place=str(path), remedy="give a longer recording")
