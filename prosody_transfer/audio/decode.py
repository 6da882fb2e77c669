"""From an open sound file to one waveform: decoded, mixed, resampled and checked block by block. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from prosody_transfer.audio.channels import Choice, Frames, Level, Survey
from prosody_transfer.audio.media import AGAIN, UNKNOWN_LENGTH
from prosody_transfer.audio.resample import Resampler, resampled_length
from prosody_transfer.core.errors import AudioError, LongAudioError, ShortAudioError
from prosody_transfer.core.spool import Samples

MIN_SECONDS, MAX_SECONDS = 0.3, 3 * 3600.0
MAX_SAMPLE = 1e6
SAME_DB = 0.02  # of a mix's level: equal channels stay untouched
_BLOCK_VALUES = 1 << 14  # float32 values per decoded block, all channels together: 64 kB


class Mixer:
    """Turns (n, C) blocks into (n, 1) ones of the chosen channels, and measures what comes out.

    Args:
        choice: Channels to be averaged; None keeps them all apart.
    """

    def __init__(self, rate: int, channels: int, choice: tuple[int, ...] | None) -> None:
        self.choice = choice
        self.width = channels if choice is None else 1
        self.high, self.low = -np.inf, np.inf
        self._frames, self._level = Frames(rate, self.width), Level(self.width)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        if self.choice is None:
            out = block
        elif len(self.choice) == 1:
            out = block[:, self.choice[0] : self.choice[0] + 1]
        else:
            some = block if len(self.choice) == block.shape[1] else block[:, self.choice]
            out = some.mean(axis=1, keepdims=True, dtype=np.float32)
            if len(frames := self._frames(out)):
                self._level.push(np.square(frames, dtype=np.float64).mean(1))
        if len(out):
            self.high, self.low = max(self.high, float(out.max())), min(self.low, float(out.min()))
        return out

    def gain_db(self, choice: Choice) -> float:
        """What brings the mix to the level of its loudest channel; 0 where they are equal."""
        if len(choice.channels) < 2:
            return 0.0
        gain = choice.level_db - float(self._level.db()[0]) if choice.gain_db is None else choice.gain_db
        return gain if SAME_DB < abs(gain) < np.inf else 0.0

    @property
    def swing(self) -> float:
        """Half the distance from the lowest to the highest sample: the peak without a constant offset."""
        return max(0.0, (self.high - self.low) / 2)


def survey(path: Path, sound: Any) -> Choice:
    """Decode to the end to hear which channels hold what."""
    heard = Survey(sound.samplerate, sound.channels)
    for block, _ in _blocks(path, sound):
        heard.push(block)
        check_length(path, heard.count / sound.samplerate, upper_only=True)
    return heard.choose(sound.names)


def collect(path: Path, sound: Any, mixer: Mixer, target: int) -> tuple[np.ndarray, int]:
    """Decode to the end: (waveform (C', N) float32, samples per channel decoded)."""
    rate, width = sound.samplerate, mixer.width
    expected = sound.frames if sound.frames < UNKNOWN_LENGTH else 60 * rate
    out = np.empty((resampled_length(expected, rate, target), width), np.float32)
    filled = 0
    mixed = Mixed(path, sound, mixer, target)
    for piece in mixed:
        if filled + len(piece) > len(out):
            out.resize((filled + max(len(piece), filled // 4), width), refcheck=False)  # in place: no second copy
        out[filled : filled + len(piece)] = piece
        filled += len(piece)
    out.resize((filled, width), refcheck=False)
    return np.ascontiguousarray(out.T), mixed.count


def collect_samples(path: Path, sound: Any, mixer: Mixer, target: int) -> tuple[Samples, int]:
    """The same of one channel, which lies in a file where it is long."""
    out, mixed = Samples(), Mixed(path, sound, mixer, target)
    for piece in mixed:
        out.append(piece[:, 0])
    return out, mixed.count


class Mixed:
    """Mixed and resampled blocks (n, C') of a recording; `count` samples per channel were decoded."""

    def __init__(self, path: Path, sound: Any, mixer: Mixer, target: int) -> None:
        self.path, self.sound, self.mixer, self.target = path, sound, mixer, target
        self.count = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        rate = self.sound.samplerate
        resampler = Resampler(rate, self.target, self.mixer.width)
        for block, last in _blocks(self.path, self.sound):
            self.count += len(block)
            check_length(self.path, self.count / rate, upper_only=True)
            yield resampler.push(self.mixer(block), last)


def _blocks(path: Path, sound: Any) -> Iterator[tuple[np.ndarray, bool]]:
    """Decoded (n, C) float32 blocks, each with whether it is the last; the last may be empty."""
    size = max(256, _BLOCK_VALUES // sound.channels)
    count, last = 0, False
    while not last:
        try:
            block = sound.read(size, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, AssertionError):
            whole = sound.frames / sound.samplerate if sound.frames < UNKNOWN_LENGTH else 0.0
            raise _stops(path, count, sound.samplerate, whole) from None
        count += len(block)
        last = len(block) < size
        if not np.isfinite(block).all():
            at = (count - len(block) + int(np.argmin(np.isfinite(block).all(axis=1)))) / sound.samplerate
            raise AudioError(f"holds NaN or infinite samples, first at {at:.3f} s", place=str(path), remedy=AGAIN)
        if len(block) and float(np.abs(block).max()) > MAX_SAMPLE:
            problem = f"holds samples beyond {MAX_SAMPLE:.0e} (full scale is 1.0)"
            raise AudioError(problem, place=str(path), remedy=AGAIN)
        yield block, last
    if (whole := sound.shortfall(count)) is not None:
        raise _stops(path, count, sound.samplerate, whole)


def _stops(path: Path, count: int, rate: int, whole: float) -> AudioError:
    of = f" of {whole:.2f} s" if whole else ""
    problem = f"is damaged or cut off: it decodes only to {count / rate:.2f} s{of}"
    return AudioError(problem, place=str(path), remedy=AGAIN)


def check_length(path: Path, seconds: float, upper_only: bool = False) -> None:
    if seconds > MAX_SECONDS:
        problem = f"lasts {seconds / 3600:.2f} hours, the limit is {MAX_SECONDS / 3600:.0f}"
        raise LongAudioError(problem, place=str(path), remedy="cut it up")
    if not upper_only and seconds < MIN_SECONDS:
        problem = f"is too short: {seconds:.3f} s, the least is {MIN_SECONDS} s"
        raise ShortAudioError(problem, place=str(path), remedy="give a longer recording")
