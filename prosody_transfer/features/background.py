"""Frames that carry the voice, and those that hold only what is always there: hum, hiss, silence."""

from __future__ import annotations

import numpy as np

BAND_RATE = 2000  # Hz: the band up to 1 kHz, where a voice has its energy and fricatives, which hum shows under, little
WINDOW_SECONDS = 0.04  # two periods of 50 Hz
QUIET_DB = -18.0  # below the strong frames: no background is louder
LEAST_DB = -55.0  # below the strong frames: no voice is softer
STEADY_SECONDS, STEADY_DB = 0.16, 4.0  # a background's level stays within this for so long
CLUSTER_DB = 6.0  # steady frames of one background lie within this
CLUSTER_SECONDS, CLUSTER_SHARE = 0.25, 0.04  # how many of them make a background: at least both
MARGIN_DB = 5.0  # above the background: there the voice is stronger than it
RECURS = 0.35  # correlation with a period later: voices have more, noise less
MAINS_HZ = (50.0, 60.0)
HUM_TO_HZ = 600.0  # the highest harmonic that could be taken for a voice
HUM_HALF_HZ, AROUND_HALF_HZ = 1.5, 12.0  # mains drifts; a line has half of what lies this far around it
HUM_SHARE, HUM_OF_ALL = 0.5, 0.02  # the latter of the whole background


def voice_frames(
    signal: np.ndarray, sample_rate: int, hop_length: float, n_frames: int
) -> tuple[np.ndarray, np.ndarray, list[float]]:  # fmt: skip
    """Frames louder than the background between 60 Hz and 1 kHz; all of them where there is no background.

    A background is steady and quiet: frames whose level moves by less than 4 dB within 160 ms and which are many within
    6 dB of each other. Soft speech is quiet but not steady and is left in, however soft.

    Args:
        signal: (N,), mono, without what lies below 60 Hz.
        hop_length: Samples from frame to frame, may be a fraction; frame t is centred on sample t * hop_length.
        n_frames: T.

    Returns:
        (T,) bool; those that surely hold background alone, (T,) bool; the mains harmonics that stand out of it, Hz.
    """
    low = _band(signal, sample_rate)
    carried, background = _divide(_level(low, sample_rate, hop_length, n_frames), hop_length / sample_rate)
    lines = _hum_lines(low, sample_rate / BAND_RATE / hop_length, background) if background.any() else []
    return carried, background, lines


def above_background(level: np.ndarray, seconds: float) -> np.ndarray:
    """Frames clearly louder than the recording's background, (T,) bool.

    Args:
        level: (T,) dB.
        seconds: From frame to frame.
    """
    return _divide(level, seconds)[0]


def _divide(level: np.ndarray, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Frames that carry the voice, and those that surely hold background alone; (T,) bool each."""
    power = np.sort(10 ** (level / 10))
    strong = 10 * np.log10(power[np.searchsorted(np.cumsum(power), power.sum() / 2)])  # half the energy is above
    gate = strong + LEAST_DB
    steady = _steady(level, max(1, round(STEADY_SECONDS / 2 / seconds))) & (level < strong + QUIET_DB)
    quiet = np.sort(level[steady & (level > gate)])
    needed = max(round(CLUSTER_SECONDS / seconds), round(CLUSTER_SHARE * len(level)))
    within = np.searchsorted(quiet, quiet + CLUSTER_DB, side="right") - np.arange(len(quiet))
    if not len(found := np.flatnonzero(within >= needed)):
        return level > gate, np.zeros(len(level), bool)
    top = quiet[found[-1] + within[found[-1]] - 1]  # of the loudest background
    return level > top + MARGIN_DB, steady & (level > top - CLUSTER_DB) & (level <= top)


def _hum_lines(low: np.ndarray, frames_per_sample: float, background: np.ndarray) -> list[float]:
    """Mains harmonics that stand out where nothing but background is, Hz."""
    frame = np.round(np.arange(len(low)) * frames_per_sample).astype(int)
    window = np.hanning(round(WINDOW_SECONDS * BAND_RATE) + 1)
    alone = np.convolve(background[np.minimum(frame, len(background) - 1)], window / window.sum(), "same")[: len(low)]
    power = np.abs(np.fft.rfft(low * np.maximum(2 * alone - 1, 0))) ** 2  # nothing from beyond its edges
    hertz = np.fft.rfftfreq(len(low), 1 / BAND_RATE)
    near = lambda f, half: power[
        np.searchsorted(hertz, f - half) : np.searchsorted(hertz, f + half, side="right")
    ].sum()
    harmonics = sorted({m * k for m in MAINS_HZ for k in range(1, int(HUM_TO_HZ / m) + 1)})
    return [
        f for f in harmonics
        if near(f, HUM_HALF_HZ) > max(HUM_SHARE * near(f, AROUND_HALF_HZ), HUM_OF_ALL * power.sum(), 1e-12)
    ]  # fmt: skip


def recurs(signal: np.ndarray, sample_rate: int, hop_length: float, f0_hz: np.ndarray) -> np.ndarray:
    """Whether the signal below 1 kHz comes again a period later, around each frame, (T,) bool; False where F0 is 0.

    Args:
        signal, hop_length: As for `voice_frames`.
        f0_hz: (T,).
    """
    low = _band(signal, sample_rate)
    found = np.zeros(len(f0_hz), bool)
    frames = np.flatnonzero(f0_hz > 0)
    if not len(frames) or not len(low):
        return found
    lag = np.round(BAND_RATE / f0_hz[frames]).astype(int)
    reach = round(WINDOW_SECONDS * BAND_RATE)
    padded = np.pad(low, 2 * reach + 2)
    start = np.round(frames * hop_length * BAND_RATE / sample_rate).astype(int) + 2 * reach + 2 - lag // 2 - reach // 2
    part = lambda at: padded[np.minimum(at[:, None] + np.arange(reach), len(padded) - 1)]
    here, best = part(start), np.full(len(frames), -1.0)
    for off in (-1, 0, 1):  # F0 is coarse in these samples
        there = part(start + lag + off)
        scale = np.sqrt((here**2).sum(1) * (there**2).sum(1))
        best = np.maximum(best, (here * there).sum(1) / np.maximum(scale, 1e-20))
    found[frames] = best > RECURS
    return found


def _band(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """The signal at `BAND_RATE`."""
    import soxr

    return soxr.resample(np.ascontiguousarray(signal, np.float64), sample_rate, BAND_RATE)  # type: ignore[no-any-return]


def _level(low: np.ndarray, sample_rate: int, hop_length: float, n_frames: int) -> np.ndarray:
    """Of frames, dB, (T,), at least -140."""
    if not len(low):
        return np.full(n_frames, -140.0)
    window = np.hanning(round(WINDOW_SECONDS * BAND_RATE) + 1)
    power = np.convolve(np.square(low), window / window.sum(), "same") if len(low) > len(window) else np.square(low)
    at = np.arange(n_frames) * (hop_length * BAND_RATE / sample_rate)
    return 10 * np.log10(np.interp(at, np.arange(len(power)), np.maximum(power, 1e-14)))  # type: ignore[no-any-return]


def _steady(level: np.ndarray, half: int) -> np.ndarray:
    """Whether each value lies in a stretch of 2 `half` + 1 that moves by less than `STEADY_DB`, (T,) bool."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(level, half, mode="edge"), 2 * half + 1)
    calm: np.ndarray = around.max(1) - around.min(1) < STEADY_DB
    return np.asarray(np.lib.stride_tricks.sliding_window_view(np.pad(calm, half), 2 * half + 1).any(1))
