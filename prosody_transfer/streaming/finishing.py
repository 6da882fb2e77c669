"""What is done to a stream's sound after the vocoder: loudness followed, peaks limited, silence kept."""

from __future__ import annotations

import numpy as np

from prosody_transfer.audio import follow
from prosody_transfer.audio.limiter import BLOCK_SECONDS, LOOK_AHEAD_SECONDS, RELEASE_DB_PER_SECOND
from prosody_transfer.audio.loudness import PEAK
from prosody_transfer.audio.resample import Resampler
from prosody_transfer.streaming.timeline import Timeline

LOUD_SECONDS, QUIET_SECONDS, LIMIT_DB = 0.12, 0.01, 12.0  # as `audio.follow.follow_loudness`
AHEAD_SECONDS = 0.3  # the loudest moment around is looked for within 1 s before and this long after
FADE_SECONDS = 0.004  # before and behind silence
USUAL_PEAK_DB = -17.0  # of speech at -26 dBFS, under a triangle of 10 to 120 ms


class LoudnessFollower:
    """`audio.follow.follow_loudness` as the sound comes.

    Differs from it in: the loudest moment, below which a floor lies, is the loudest so far (at least what is usual);
    the loudest moment around is within a second before and 0.3 s after instead of a second after.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.size = round(follow.FRAME_SECONDS * sample_rate)
        self.halves = [max(1, round(s / follow.FRAME_SECONDS)) for s in (LOUD_SECONDS, QUIET_SECONDS)]
        self.past = round(follow.AROUND_SECONDS / follow.FRAME_SECONDS)
        self.ahead = round(AHEAD_SECONDS / follow.FRAME_SECONDS)
        self.model, self._own = Timeline(np.float64), Timeline(np.float64)
        self._gain, self._sound = Timeline(np.float64), Timeline()
        self._down = Resampler(sample_rate, follow.COMPARED_RATE)
        self._low = np.zeros(0, np.float32)
        self._tops = np.full((2, 2), USUAL_PEAK_DB)  # of model and own, slow and fast
        self._given = 0

    def push(self, waveform: np.ndarray, last: bool = False) -> np.ndarray:
        """The next samples; what is final comes back. What they are to follow, `model`, is known further ahead."""
        self._sound.append(waveform)
        self._measure(waveform, last)
        if last and (lacking := self._own.stop - self.model.stop) > 0:  # off by a rounding
            self.model.append(self.model.held(self.model.stop, self.model.stop + lacking))
        slow, fast = self.halves
        known = self._own.stop if last else self._own.stop - fast
        if known > self._gain.stop:
            self._gain.append(self._gains(self._gain.stop, known, known if last else self._own.stop - slow))
        stop = self._sound.stop if last else max(self._given, int((self._gain.stop - 0.5) * self.size))
        at = (np.arange(self._given, stop, dtype=np.float64) + 0.5) / self.size - 0.5
        low, high = self._given // self.size - 1, stop // self.size + 2
        gain = np.interp(at, np.arange(low, high), self._gain.held(low, high))
        out = self._sound.part(self._given, stop) * 10 ** (gain / 20)
        self._given = stop
        self._forget()
        return out.astype(np.float32)

    def _measure(self, waveform: np.ndarray, last: bool) -> None:
        self._low = np.concatenate([self._low, self._down.push(waveform, last)])
        size = round(follow.FRAME_SECONDS * follow.COMPARED_RATE)
        if last:
            self._low = np.pad(self._low, (0, -len(self._low) % size))
        count = len(self._low) // size
        self._own.append(np.square(self._low[: count * size].reshape(-1, size), dtype=np.float64).mean(1))
        self._low = self._low[count * size :]

    def _gains(self, start: int, stop: int, sure: int) -> np.ndarray:
        """dB on frames from `start` on: to `sure`, and further, at most to `stop`, where the model is quiet.

        There only the fast level counts, which is known sooner.
        """
        before = float(self._tops[0, 1])
        fast = self._level(self.model, (0, 1), start, stop)
        wide = self._smooth(self.model, self.halves[1], start - self.past, stop + self.ahead)
        wide = np.maximum(wide, self._tops[0, 1] + follow.FLOOR_DB)
        loudest = np.lib.stride_tricks.sliding_window_view(wide, self.past + self.ahead + 1).max(1)
        loud = np.clip((fast - loudest - follow.QUIET_DB) / (follow.LOUD_DB - follow.QUIET_DB), 0, 1)
        late = np.flatnonzero((loud > 0) & (np.arange(start, stop) >= sure))
        size = int(late[0]) if len(late) else stop - start
        self._tops[0, 1] = max(before, fast[:size].max(initial=before))
        if not size:
            return np.zeros(0)
        fast, loud, stop = fast[:size], loud[:size], start + size
        counts = loud > 0
        slow, own_slow = (self._level(p, (k, 0), start, stop, counts) for k, p in enumerate((self.model, self._own)))
        gain = loud * (slow - own_slow) + (1 - loud) * (fast - self._level(self._own, (1, 1), start, stop))
        return np.clip(gain, -LIMIT_DB, LIMIT_DB)

    def _level(
        self, power: Timeline, which: tuple[int, int], start: int, stop: int, counts: np.ndarray | bool = True
    ) -> np.ndarray:  # fmt: skip
        """Of frames [start, stop), dB, above a floor that the loudest of those so far that count sets."""
        level = self._smooth(power, self.halves[which[1]], start, stop)
        tops = np.maximum(np.maximum.accumulate(np.where(counts, level, -np.inf)), self._tops[which])
        self._tops[which] = tops[-1]
        return np.maximum(level, tops + follow.FLOOR_DB)

    @staticmethod
    def _smooth(power: Timeline, half: int, start: int, stop: int) -> np.ndarray:
        """Level of frames [start, stop) under a triangle, dB; nothing is there before the first and after the last."""
        index = np.arange(start - half, stop + half)
        values = power.held(start - half, stop + half) * ((index >= 0) & (index < power.stop))
        triangle = np.bartlett(2 * half + 1)
        return 10 * np.log10(np.maximum(np.convolve(values, triangle / triangle.sum(), "valid"), 1e-12))

    def _forget(self) -> None:
        frame = self._given // self.size
        self._sound.forget(self._given)
        self._gain.forget(frame - 2)
        self._own.forget(frame - self.halves[0] - 2)
        self.model.forget(self._gain.stop - self.past - self.halves[0] - 2)


class StreamLimiter:
    """`audio.limiter.limit` as the sound comes: peaks are turned down from 5 ms before them.

    Args:
        sample_rate: Hz.
        peak: No sample is above.
    """

    def __init__(self, sample_rate: int, peak: float = PEAK) -> None:
        self.size, self.peak = max(1, round(BLOCK_SECONDS * sample_rate)), peak
        self.ahead = round(LOOK_AHEAD_SECONDS / BLOCK_SECONDS)
        self._fall = RELEASE_DB_PER_SECOND * BLOCK_SECONDS
        self._sound, self._held, self._depth = Timeline(), Timeline(np.float64), Timeline(np.float64)
        self._last = 0.0
        self._given = 0

    def push(self, waveform: np.ndarray, last: bool = False) -> np.ndarray:
        """The next samples; those whose gain is known come back."""
        self._sound.append(waveform)
        total = self._sound.stop
        blocks = -(-total // self.size) if last else total // self.size
        self._hold(blocks)
        known = blocks if last else blocks - self.ahead - 1
        self._find_depth(known, blocks)
        stop = total if last else max(self._given, int((self._depth.stop - 0.5) * self.size))
        out = self._sound.part(self._given, stop)
        low, high = self._given // self.size - 1, stop // self.size + 2
        depth = self._depth.held(low, high)
        if depth.any():
            at = (np.arange(self._given, stop) + 0.5) / self.size - 0.5
            out = np.clip(out * 10 ** (-np.interp(at, np.arange(low, high), depth) / 20), -self.peak, self.peak)
        self._given = stop
        self._sound.forget(min(stop, blocks * self.size))
        self._held.forget(self._depth.stop - self.ahead - 4)
        self._depth.forget(stop // self.size - 2)
        return out.astype(np.float32)

    def _hold(self, blocks: int) -> None:
        """How far each block is above the peak, dB, falling slowly after it."""
        start = self._held.stop
        if blocks <= start:
            return
        sound = self._sound.part(start * self.size, blocks * self.size)
        tops = np.abs(np.pad(sound, (0, (blocks - start) * self.size - len(sound)))).reshape(-1, self.size).max(1)
        needed = 20 * np.log10(np.maximum(tops / self.peak, 1.0))
        if self._last or needed.any():
            for k, value in enumerate(needed.tolist()):
                self._last = max(value, self._last - self._fall, 0.0)
                needed[k] = self._last
        self._held.append(needed)

    def _find_depth(self, known: int, blocks: int) -> None:
        """dB that blocks are turned down by: a maximum over those ahead, then a ramp, see `audio.limiter`."""
        start = self._depth.stop
        if known <= start:
            return
        index = np.arange(start - self.ahead - 1, known + self.ahead + 1)
        values = self._held.held(index[0], index[-1] + 1) * ((index >= 0) & (index < blocks))
        wide = np.lib.stride_tricks.sliding_window_view(values, self.ahead + 3).max(1)  # blocks start - ahead on
        if start < self.ahead:  # before the first block its own value is held
            wide[: self.ahead - start] = wide[self.ahead - start]
        self._depth.append(np.convolve(wide, np.full(self.ahead + 1, 1 / (self.ahead + 1)), "valid"))


class SilenceKeeper:
    """`audio.silence.keep_silent` as the sound comes: where the source is silent for good there is digital silence."""

    def __init__(self, sample_rate: int) -> None:
        fade = round(FADE_SECONDS * sample_rate)
        self._up = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
        self.stretches: list[tuple[int, int]] = []
        self._given = 0

    def push(self, waveform: np.ndarray) -> np.ndarray:
        """The next samples, all of them back; silences that begin within 4 ms after them are known already."""
        start, stop, fade = self._given, self._given + len(waveform), len(self._up)
        self._given = stop
        near = [(a, b) for a, b in self.stretches if a - fade < stop and b + fade > start]
        self.stretches = [(a, b) for a, b in self.stretches if b + fade > stop]
        if not near:
            return waveform
        gain = np.ones(stop - start + 2 * fade, np.float32)  # from start - fade on
        for a, b in near:
            at = lambda sample: int(np.clip(sample - start + fade, 0, len(gain)))
            for k, value in enumerate(self._up):
                for place in (a - 1 - k, b + k):
                    if start <= place < stop:
                        gain[at(place)] *= value
            gain[at(a) : at(b)] = 0
        return waveform * gain[fade : len(gain) - fade]
