"""Which channels of a recording are heard as one: those that hold sound, without those that hold noise or cancel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from prosody_transfer.audio.layouts import LFE, shown
from prosody_transfer.audio.resample import Resampler
from prosody_transfer.audio.segment import LIVELY_SHARE, lively_share

FRAME_SECONDS = 0.032
_HEARD_RATE = 16_000
_BAND_HZ = (200.0, 4000.0)
_VOICE_HZ = (70.0, 1500.0)
_PITCH_SECONDS = (0.0025, 0.0125)
_DROWNED_DB = -30.0
_CHUNK_FRAMES = 937  # 30 s: liveliness is found in such stretches, so that hours need no more memory
_VOICED, _VOICED_SHARE = 0.75, 0.05  # height of the autocorrelation's peak; of the loud frames
_LIKE_BEST = 0.25  # as much like speech as the channel that is most like it: hum that crackles has .24
_GATE_DB, _BELOW_DB = -70.0, -10.0  # as in ITU-R BS.1770: what counts for a level
_BINS_A_DB, _BINS = 10, 2000  # of the histogram of levels, from -150 dB
_SILENT_DB = -70.0
_FAINT_DB = -40.0  # below the loudest channel: adds nothing
_OPPOSITE = -0.15  # correlation of the waveforms, below which a channel takes from the loudest one
_EQUAL = 0.98  # correlation, from which channels are the same but for their level
_SAME_SHAPE, _SAME_WAVE = 0.85, 0.6  # the same sound by its envelope, but not by its waveform: it would be coloured


class Level:
    """The gated level of signals, found in blocks: dB re full scale of the frames within 10 dB of the mean."""

    def __init__(self, channels: int) -> None:
        self._power, self._count = np.zeros((_BINS, channels)), np.zeros((_BINS, channels))

    def push(self, power: np.ndarray) -> None:
        """Mean squares of frames, (k, C)."""
        db = 10 * np.log10(np.maximum(power, 1e-15))
        bins = np.clip((_BINS_A_DB * (db + 150)).astype(int), 0, _BINS - 1)
        column = np.broadcast_to(np.arange(power.shape[1]), power.shape)
        np.add.at(self._power, (bins, column), power)
        np.add.at(self._count, (bins, column), 1)

    def db(self) -> np.ndarray:
        """(C,); -inf for a channel that is never above -70 dBFS."""
        bottom = (np.arange(_BINS) / _BINS_A_DB - 150)[:, None]
        gate = np.full(self._power.shape[1], _GATE_DB)
        level = gate
        with np.errstate(divide="ignore", invalid="ignore"):
            for _ in range(2):
                inside = bottom >= gate
                level = 10 * np.log10((self._power * inside).sum(0) / (self._count * inside).sum(0))
                gate = np.maximum(_GATE_DB, level + _BELOW_DB)
        return np.where(np.isnan(level), -np.inf, level)


class Choice(NamedTuple):
    """Channels to be averaged.

    Attributes:
        gain_db: What brings the mean to the level of the loudest one; None where only the mix itself can tell.
        level_db: Gated level of the loudest one, dB re full scale.
        notes: What should be said about it.
    """

    channels: tuple[int, ...]
    gain_db: float | None
    level_db: float
    notes: tuple[str, ...]


class Frames:
    """Cuts (n, C) blocks into (k, size, C) frames; what is left over waits for the next block."""

    def __init__(self, rate: int, channels: int) -> None:
        self.size = round(FRAME_SECONDS * rate)
        self._left = np.zeros((0, channels), np.float32)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        joined = np.concatenate([self._left, block]) if len(self._left) else block
        whole = len(joined) - len(joined) % self.size
        self._left = joined[whole:].copy()
        return joined[:whole].reshape(-1, self.size, joined.shape[1])


class Survey:
    """Listens to all channels of a recording, block by block; memory does not grow with its length."""

    def __init__(self, rate: int, channels: int) -> None:
        self.rate, self.count, self.channels = rate, 0, channels
        self._frames = Frames(rate, channels)
        self._heard_rate = min(rate, _HEARD_RATE)
        self._lower = Resampler(rate, _HEARD_RATE, channels) if rate > _HEARD_RATE else None
        self._low_frames = Frames(self._heard_rate, channels)
        self._level = Level(channels)
        self._wave = np.zeros((channels, channels))
        self._shape = np.zeros((channels, channels))
        self._shape_sum, self._shape_count = np.zeros(channels), 0
        self._high, self._low = np.full(channels, -np.inf), np.full(channels, np.inf)
        self._levels: list[np.ndarray] = []
        self._voices: list[np.ndarray] = []
        self._share, self._voiced, self._heard = np.zeros(channels), np.zeros(channels), np.zeros(channels)
        size = self._low_frames.size
        self._window = np.hanning(size - 1).astype(np.float32)
        self._own = np.fft.irfft(np.abs(np.fft.rfft(self._window, 2 * size)) ** 2)[:size]

    def push(self, block: np.ndarray) -> None:
        """Take the next (n, C) float32 block."""
        if not len(block):
            return
        self.count += len(block)
        exact = block.astype(np.float64)
        self._wave += exact.T @ exact
        self._high, self._low = np.maximum(self._high, block.max(0)), np.minimum(self._low, block.min(0))
        if len(frames := self._frames(block)):
            power = np.square(frames, dtype=np.float64).mean(1)
            self._level.push(power)
            shape = np.sqrt(power)
            self._shape += shape.T @ shape
            self._shape_sum, self._shape_count = self._shape_sum + shape.sum(0), self._shape_count + len(shape)
        frames = self._low_frames(block if self._lower is None else self._lower.push(block))
        if len(frames):
            level, voice = self._bands(frames)
            self._levels.append(level)
            self._voices.append(voice)
        if sum(map(len, self._levels)) >= _CHUNK_FRAMES:
            self._judge()

    def _bands(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Level in dB between 200 and 4000 Hz, and the height of the pitch peak, (k, C) each."""
        size = self._low_frames.size
        bins = lambda hz: round(hz * 2 * size / self._heard_rate)
        inner = np.ascontiguousarray(frames.transpose(0, 2, 1))
        spectrum = np.abs(np.fft.rfft(np.diff(inner) * self._window, 2 * size)) ** 2
        # Half of the difference's 6 dB an octave is taken back, as in `segment`.
        spectrum *= 1 / np.maximum(1, np.arange(spectrum.shape[2], dtype=np.float32))
        low, high = map(bins, _BAND_HZ)
        band, below = spectrum[..., low : high + 1].sum(2), spectrum[..., :low].sum(2)
        band = np.where(band > below * 10 ** (_DROWNED_DB / 10), band, 0.0) / (self._window.sum() ** 2 / 2)
        level = 10 * np.log10(np.maximum(band, 1e-12))
        low, high = map(bins, _VOICE_HZ)
        spectrum[..., :low] = 0
        spectrum[..., high + 1 :] = 0
        first, last = (round(s * self._heard_rate) for s in _PITCH_SECONDS)
        wave = np.fft.irfft(spectrum)[..., : last + 1]
        whole = wave[..., 0] / self._own[0]
        peak = (wave[..., first:] / self._own[first : last + 1]).max(2)
        return level, np.where(whole > 1e-12, peak / np.maximum(whole, 1e-12), 0.0)

    def _judge(self) -> None:
        level, voice = np.concatenate(self._levels), np.concatenate(self._voices)
        self._levels, self._voices = [], []
        for c in range(self.channels):
            self._share[c] = max(self._share[c], lively_share(level[:, c]))
        loud = level > np.maximum(np.percentile(level, 95, axis=0) - 20, -95)
        self._heard += loud.sum(0)
        self._voiced += (loud & (voice > _VOICED)).sum(0)

    def choose(self, names: Sequence[str]) -> Choice:
        """The channels to be mixed. The loudest of them is the measure of the mix's level."""
        if self._levels:
            self._judge()
        level = self._level.db()
        swing = np.maximum(0, (self._high - self._low) / 2)
        with np.errstate(divide="ignore"):
            there = 20 * np.log10(swing) >= _SILENT_DB
        low = np.array([i < len(names) and names[i] in LFE for i in range(self.channels)])
        enough = LIVELY_SHARE * min(1.0, self.count / self.rate / 1.536)
        lively = there & (self._share >= enough)
        voiced = self._voiced / np.maximum(1, self._heard)
        alike = self._share * voiced
        voiced = lively & (voiced >= _VOICED_SHARE) & (alike >= _LIKE_BEST * alike.max())
        sound = next((s for s in (voiced & ~low, lively & ~low, there & ~low, there) if s.any()), None)
        if sound is None:
            return Choice(tuple(range(self.channels)), 0.0, -np.inf, ())
        energy = np.diag(self._wave)
        best = int(np.argmax(np.where(sound, np.maximum(level, -200) + energy / energy.max(), -np.inf)))
        sound &= energy >= energy[best] * 10 ** (_FAINT_DB / 10)
        sound[best] = True
        clashing = sound & self._clashes(best)
        chosen = np.flatnonzero(sound & ~clashing)
        said = self._say(chosen.tolist(), clashing, names)
        return Choice(tuple(chosen.tolist()), self._gain_db(chosen, best), float(level[best]), said)

    def _gain_db(self, chosen: np.ndarray, best: int) -> float | None:
        """What the mean of channels that differ in level only lacks of the loudest one."""
        part, energy = self._wave[np.ix_(chosen, chosen)], np.diag(self._wave)[chosen]
        alike = self._wave[best, chosen] >= _EQUAL * np.sqrt(energy * self._wave[best, best])
        return float(10 * np.log10(self._wave[best, best] / part.mean())) if alike.all() else None

    def _clashes(self, best: int) -> np.ndarray:
        """Which channels would take away from, or colour, the loudest one."""
        energy = np.diag(self._wave)
        wave = self._wave[best] / np.sqrt(np.maximum(energy * energy[best], 1e-30))
        mean = self._shape_sum / max(1, self._shape_count)
        shape = self._shape / max(1, self._shape_count) - np.outer(mean, mean)
        spread = np.sqrt(np.maximum(np.diag(shape), 1e-30))
        alike = shape[best] / (spread * spread[best])
        clash = (wave < _OPPOSITE) | ((alike > _SAME_SHAPE) & (wave < _SAME_WAVE))
        clash[best] = False
        return clash

    def _say(self, chosen: Sequence[int], clashing: np.ndarray, names: Sequence[str]) -> tuple[str, ...]:
        if len(chosen) == self.channels:
            return ()
        listed = lambda which: ", ".join(shown(names, i) for i in list(which)[:8]) + (", ..." if len(which) > 8 else "")
        out = [i for i in range(self.channels) if i not in chosen and not clashing[i]]
        why = []
        if out:
            why.append(f"{listed(out)} {'holds' if len(out) == 1 else 'hold'} noise, bass effects or nothing")
        if clashing.any():
            clash = np.flatnonzero(clashing).tolist()
            why.append(f"{listed(clash)} would cancel {'it' if len(chosen) == 1 else 'them'}")
        used = f"channel {listed(chosen)} is used" if len(chosen) == 1 else f"channels {listed(chosen)} are mixed"
        return (f"{used}; {'; '.join(why)} (--channel chooses another)",)
