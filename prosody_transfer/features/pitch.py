"""F0 with a separate voicing mask, on the mel's frames."""

from __future__ import annotations

import numpy as np

from prosody_transfer.features.background import MAINS_HZ, recurs, voice_frames

F0_MINIMUM_HZ, F0_MAXIMUM_HZ = 60.0, 600.0
HUM_BELOW_HZ = 66.0  # a first pass with a lower median has followed 50 or 60 Hz hum, or a very low voice
HUM_SHARE = 0.15  # of all frames within 2 Hz of mains: with hum .21 to .73, without .07 at most (583 recordings)
NOTCH_Q = 3.0
EDGE_HZ = 100.0  # below, what the high-pass leaves of noise can look like a voice
LINE_HZ = 4.0  # width of the notch for a harmonic
REGISTER_RATE = 6000  # Hz, of the first pass: ten times its highest F0
DEFAULT_F0_HZ = 150.0  # stands in the contour of a recording without any voiced frame


def track_f0(waveform: np.ndarray, sample_rate: int, hop_length: int, n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Log F0 and voicing, one value a frame, frame t centred on sample t * hop_length.

    WORLD's DIO in two passes: a wide, coarse one finds the speaker's register, a second one, with StoneMask, searches
    within 0.6 to 2.2 times its median, which removes most octave errors (a single wide pass correlates .86 with a known
    contour, this .96). The register is that of frames that carry the voice, and nothing else is voiced: in the pauses
    DIO follows the faintest hum. A contour that has followed stronger hum is made again from the signal without it.

    Args:
        waveform: (N,) float, mono.
        n_frames: T.

    Returns:
        log_f0: (T,) float32, ln Hz, continuous: straight lines in ln Hz through unvoiced stretches, held at the ends.
        voiced: (T,) bool.

    Source:
        Morise et al. 2009 (DIO), the register rule after Hirst 2011.
    """
    signal = np.ascontiguousarray(waveform, dtype=np.float64)
    step_ms = 500.0 * hop_length / sample_rate  # tracked twice as densely: DIO's continuity rule is per step
    signal, carried = find_voice(signal, sample_rate, hop_length / 2, 2 * n_frames)
    middle, f0 = _two_passes(signal, sample_rate, step_ms, carried)
    if 0 < middle < HUM_BELOW_HZ or _hums(f0):
        _, f0 = _two_passes(without_hum(signal, sample_rate), sample_rate, step_ms, carried)
    f0 = f0[::2]
    f0 = np.pad(f0, (0, max(0, n_frames - len(f0))))[:n_frames]
    return continuous_log_f0(f0)


def find_voice(
    signal: np.ndarray, sample_rate: int, hop_length: float, n_frames: int
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The signal (N,) without the hum that is heard in its pauses, and the frames that carry the voice, (T,) bool."""
    carried, background, lines = voice_frames(signal, sample_rate, hop_length, n_frames)
    if lines:
        signal = _without_lines(signal, sample_rate, [(f, f / LINE_HZ) for f in lines])
        carried = voice_frames(signal, sample_rate, hop_length, n_frames)[0] & ~background
    return signal, carried


def _two_passes(
    signal: np.ndarray, sample_rate: int, step_ms: float, carried: np.ndarray
) -> tuple[float, np.ndarray]:  # fmt: skip
    """The first pass's median F0 in Hz, and the second's F0, 0 where unvoiced; 0 and empty where nothing is voiced.

    Args:
        carried: (T',) bool, frames that may be voiced, one a step; of no frames beyond them.
    """
    f0 = _without_noise(_first_pass(signal, sample_rate, step_ms), signal, sample_rate, step_ms)
    carried = np.pad(carried, (0, max(0, len(f0) - len(carried))))[: len(f0)]
    if not (f0[carried] > 0).any():
        return 0.0, np.zeros(0)
    middle = float(np.median(f0[carried & (f0 > 0)]))
    f0 = _one_pass(signal, sample_rate, step_ms, max(50.0, 0.6 * middle), min(700.0, 2.2 * middle))
    f0[(f0 < 0.5 * middle) | (f0 > 2.4 * middle)] = 0.0  # StoneMask may leave the range
    f0[: len(carried)][~carried[: len(f0)]] = 0.0
    return middle, _without_noise(f0, signal, sample_rate, step_ms)


def _without_noise(f0: np.ndarray, signal: np.ndarray, sample_rate: int, step_ms: float) -> np.ndarray:
    """F0 in Hz, 0 where it is low and no period shows: where the high-pass ends, DIO hears a voice in noise."""
    low = (f0 > 0) & (f0 < EDGE_HZ)
    if not low.any():
        return f0
    period = recurs(signal, sample_rate, step_ms * sample_rate / 1000, np.where(low, f0, 0.0))
    return np.where(low & ~period, 0.0, f0)


def _first_pass(signal: np.ndarray, sample_rate: int, step_ms: float) -> np.ndarray:
    """F0 in Hz over the whole range, 0 where unvoiced; from the signal at about 6 kHz, a tenth of the work of 24."""
    import pyworld

    span = {"f0_floor": F0_MINIMUM_HZ, "f0_ceil": F0_MAXIMUM_HZ, "frame_period": step_ms}
    speed = min(12, max(1, round(sample_rate / REGISTER_RATE)))
    return pyworld.dio(signal, sample_rate, **span, speed=speed)[0]  # type: ignore[no-any-return]


def _hums(f0_hz: np.ndarray) -> bool:
    """Whether a contour, with 0 where unvoiced, has followed mains hum."""
    near = [int(np.sum(np.abs(f0_hz - mains_hz) < 2)) for mains_hz in MAINS_HZ]
    return max(near) > HUM_SHARE * len(f0_hz)


def _one_pass(signal: np.ndarray, sample_rate: int, step_ms: float, floor: float, ceiling: float) -> np.ndarray:
    import pyworld

    f0, times = pyworld.dio(signal, sample_rate, f0_floor=floor, f0_ceil=ceiling, frame_period=step_ms)
    return pyworld.stonemask(signal, f0, times, sample_rate)


def without_hum(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mains hum taken out: zero-phase notches at 50 and 60 Hz, (N,) -> (N,).

    A steady hum is a clearer tone than any voice, and DIO follows it where it is strong.
    """
    return _without_lines(signal, sample_rate, [(f, NOTCH_Q) for f in MAINS_HZ])


def _without_lines(signal: np.ndarray, sample_rate: int, notches: list[tuple[float, float]]) -> np.ndarray:
    """Zero-phase notches at (Hz, Q), (N,) -> (N,)."""
    spectrum = np.fft.rfft(signal)
    frequency = np.fft.rfftfreq(len(signal), 1 / sample_rate)
    for centre, q in notches:
        distance = (frequency**2 - centre**2) ** 2
        spectrum *= distance / (distance + (frequency * centre / q) ** 2)
    return np.fft.irfft(spectrum, len(signal))


def continuous_log_f0(f0_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split a contour with zeros for unvoiced into a continuous log contour and a mask.

    >>> log_f0, voiced = continuous_log_f0(np.array([0.0, 100.0, 0.0, 100.0]))
    >>> np.exp(log_f0).round().tolist(), voiced.tolist()
    ([100.0, 100.0, 100.0, 100.0], [False, True, False, True])
    """
    voiced = f0_hz > 0
    if not voiced.any():
        return np.full(len(f0_hz), np.log(DEFAULT_F0_HZ), np.float32), voiced
    grid = np.arange(len(f0_hz))
    log_f0 = np.interp(grid, grid[voiced], np.log(f0_hz[voiced]))
    return log_f0.astype(np.float32), voiced
