"""Where speech is and where it pauses, from energy alone; cutting long recordings there, and joining the pieces."""

from __future__ import annotations

import numpy as np

from prosody_transfer.audio.loudness import FLOOR_DB, frame_power
from prosody_transfer.core.errors import AudioError, ShapeError
from prosody_transfer.core.runs import runs
from prosody_transfer.core.spool import Sound

STEP_SECONDS = 0.010
_SMOOTH_STEPS = 5  # 50 ms: bridges the closure of a stop
_FLOOR_SECONDS = 10.0
_MARGIN_DB = 9.0  # speech is this far above the noise floor
_RANGE_DB = (18.0, 38.0)  # but its threshold is always this far below the strong frames
_MIN_ACTIVE_STEPS = 4
_MIN_PAUSE_STEPS = 12
_GOOD_PAUSE_STEPS = 60  # longer pauses are no better to cut at
_LEAD_STEPS = 4

_FRAME_SECONDS = 0.032
_BAND_HZ = (200.0, 4000.0)
_DROWNED_DB = -30.0
_LIVELY_DB = 3.0
_LIVELY_LAG = 3
_LIVELY_FRAMES = 48
LIVELY_SHARE = 0.2


def _to_db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Centred moving average of odd width, (n,) -> (n,)."""
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")


def _noise_floor(level: np.ndarray) -> np.ndarray:
    """10th percentile of the level within 10 s around each step: it follows a fan that is switched on."""
    half = round(_FLOOR_SECONDS / STEP_SECONDS / 2)
    centres = list(range(0, len(level) + half // 5, half // 5))
    floors = [np.percentile(level[max(0, min(c, len(level)) - half) : c + half], 10) for c in centres]
    return np.interp(np.arange(len(level)), centres, floors)


def _activity(waveform: Sound, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Level in dB and speech or not, per 10 ms: (n,) float64 and (n,) bool."""
    power = frame_power(waveform, sample_rate, STEP_SECONDS)
    if not power.size:
        return np.zeros(0), np.zeros(0, bool)
    level = _to_db(_smooth(power, _SMOOTH_STEPS))
    loudest = float(level.max())
    strong = float(np.percentile(level[level >= loudest - 30], 90))
    near, far = _RANGE_DB
    threshold = np.clip(_noise_floor(level) + _MARGIN_DB, strong - far, strong - near)
    active = (level > threshold) & (level > FLOOR_DB + 1)
    for start, stop in runs(active):
        if stop - start < _MIN_ACTIVE_STEPS:
            active[start:stop] = False
    return level, active


def speech_regions(
    waveform: Sound, sample_rate: int, *, hangover_seconds: float = 0.150
) -> list[tuple[float, float]]:
    """Stretches that are louder than the noise around them, by an adaptive energy threshold.

    Args:
        waveform: (N,), [-1, 1].
        sample_rate: Hz.
        hangover_seconds: Each region is kept up this long after its last loud step, and shorter gaps are closed.

    Returns:
        (start, end) in seconds, in order, without overlap, within [0, N / sample_rate]. Steady noise may come back as
        one region: whether it is speech is for `has_speech` to say.
    """
    _, active = _activity(waveform, sample_rate)
    hang = round(hangover_seconds / STEP_SECONDS)
    held = active.copy()
    for start, stop in runs(active):
        held[max(0, start - _LEAD_STEPS) : stop + hang] = True
    step = max(1, round(STEP_SECONDS * sample_rate)) / sample_rate
    end = len(waveform) / sample_rate
    return [(start * step, min(stop * step, end)) for start, stop in runs(held)]


def _band_levels(waveform: Sound, sample_rate: int) -> np.ndarray:
    """Level in dB of 200 to 4000 Hz per 32 ms, (n,), -120 where what is below the band drowns it.

    Taken from the difference of neighbouring samples, so that rumble, however strong, does not leak into the band.
    Half of its 6 dB per octave is taken back: all of it would let hiss hide the speech, none would let rumble do so.
    """
    size = round(_FRAME_SECONDS * sample_rate)
    count = len(waveform) // size
    low, high = (round(f * size / sample_rate) for f in _BAND_HZ)
    window = np.hanning(size - 1)
    tilt = 1 / np.maximum(1, np.arange(size // 2))
    levels = np.empty(count)
    for at in range(0, count, 1024):  # in blocks, so that hours need no more memory than a minute
        frames = waveform[at * size : min(count, at + 1024) * size].reshape(-1, size)
        power = np.abs(np.fft.rfft(np.diff(frames, axis=1) * window)) ** 2 * tilt
        band, below = power[:, low : high + 1].sum(axis=1), power[:, :low].sum(axis=1)
        levels[at : at + len(frames)] = np.where(band > below * 10 ** (_DROWNED_DB / 10), band, 0.0)
    return _to_db(levels / (window.sum() ** 2 / 2))


def liveliness(waveform: Sound, sample_rate: int) -> float:
    """How much the level between 200 and 4000 Hz moves, as syllables make it move.

    Args:
        waveform: (N,).
        sample_rate: Hz.

    Returns:
        0 to 1: in the liveliest 1.5 s, the share of frames whose level changes by more than 3 dB within 96 ms.
    """
    return lively_share(_band_levels(waveform, sample_rate))


def lively_share(level: np.ndarray) -> float:
    """The same from levels in dB, one per 32 ms, (n,)."""
    if len(level) <= _LIVELY_LAG or level.max() <= -100:
        return 0.0
    heard = level >= np.percentile(level, 95) - 35
    lively = np.abs(level[_LIVELY_LAG:] - level[:-_LIVELY_LAG]) > _LIVELY_DB
    lively &= heard[_LIVELY_LAG:] & heard[:-_LIVELY_LAG]
    width = min(_LIVELY_FRAMES, len(lively))
    return float(np.convolve(lively, np.full(width, 1 / width), mode="valid").max())


def has_speech(waveform: Sound, sample_rate: int) -> bool:
    """Whether there can be speech: False for silence, steady tones, hum and steady noise.

    It errs on the side of letting through: whispers, music and applause pass.

    Args:
        waveform: (N,), [-1, 1].
        sample_rate: Hz.
    """
    # In a clip of a word or less, a vowel may take up nearly all: one change is enough.
    share = LIVELY_SHARE * min(1.0, len(waveform) / sample_rate / (_LIVELY_FRAMES * _FRAME_SECONDS))
    return liveliness(waveform, sample_rate) >= share


def require_speech(waveform: Sound, sample_rate: int, place: str = "") -> None:
    """Refuse what cannot be speech.

    Raises:
        AudioError: `has_speech` is False.
    """
    if not has_speech(waveform, sample_rate):
        problem = "no speech found (steady sound or silence only)"
        raise AudioError(problem, place=place, remedy="check that it is the right file and track")


def cut_at_pauses(
    waveform: Sound, sample_rate: int, *, max_seconds: float = 20.0, min_seconds: float = 3.0
) -> list[tuple[int, int]]:
    """Cut a recording into pieces, in its pauses where there are any.

    Of the pauses in reach, long ones and then late ones are preferred. Where there is none, the cut is at the quietest
    20 ms near the limit.

    Args:
        waveform: (N,), [-1, 1].
        sample_rate: Hz.
        max_seconds: No piece is longer.
        min_seconds: No piece is shorter, unless the recording is.

    Returns:
        (start, stop) in samples; the first starts at 0, each starts where the one before stops, the last stops at N.

    Raises:
        ShapeError: `max_seconds` is less than twice `min_seconds`, or `waveform` is not (N,).
    """
    if waveform.ndim != 1:
        raise ShapeError(f"a waveform is (N,) here, not {waveform.shape}")
    if not 0 < 2 * min_seconds <= max_seconds:
        raise ShapeError(f"pieces of {min_seconds} to {max_seconds} s: the most must be at least twice the least")
    longest, shortest = int(max_seconds * sample_rate), int(min_seconds * sample_rate)
    total = len(waveform)
    if total <= longest:
        return [(0, total)]
    level, active = _activity(waveform, sample_rate)
    step = max(1, round(STEP_SECONDS * sample_rate))
    pauses = [run for run in runs(~active) if run[1] - run[0] >= _MIN_PAUSE_STEPS]
    cuts = [0]
    while total - cuts[-1] > longest:
        low, high = cuts[-1] + shortest, min(cuts[-1] + longest, total - shortest)
        cut = _best_cut(level, pauses, -(-low // step), high // step, longest / step) * step
        cuts.append(min(max(cut, low), high))
    cuts.append(total)
    return list(zip(cuts[:-1], cuts[1:], strict=True))


def _best_cut(level: np.ndarray, pauses: list[tuple[int, int]], low: int, high: int, longest: float) -> int:
    """The step to cut at, within [low, high]."""
    best, best_score = -1, -1.0
    for start, stop in pauses:
        a, b = max(start, low), min(stop, high)
        if b - a >= _MIN_PAUSE_STEPS // 2:
            score = min(stop - start, _GOOD_PAUSE_STEPS) / _GOOD_PAUSE_STEPS + 0.5 * (a - low) / longest
            if score > best_score:
                # The quietest place, but drawn to the middle: 6 dB at the pause's ends.
                away = np.abs(np.arange(a, b) - (start + stop) / 2) / ((stop - start) / 2)
                best, best_score = a + int(np.argmin(level[a:b] + 6 * away)), score
    if best >= 0:
        return best
    near = max(low, high - int(0.3 * longest))
    pair = level[near:high] + level[near + 1 : high + 1] if high + 1 <= len(level) else level[near:high]
    return near + 1 + int(np.argmin(pair)) if len(pair) else high


def crossfade_join(pieces: list[np.ndarray], overlap: int) -> np.ndarray:
    """Join pieces that share `overlap` samples with their neighbours, by straight crossfades: no click at the seams.

    Where both sides agree in the overlap the result equals them exactly.

    Args:
        pieces: (N_i,) each; those in the middle hold at least 2 * `overlap` samples, the first and last `overlap`.
        overlap: Samples shared at each seam; 0 puts the pieces end to end. 5 to 10 ms is inaudible.

    Returns:
        float32, (sum of N_i - overlap * (pieces - 1),).

    Raises:
        ShapeError: There is no piece, or one is shorter than its overlaps.
    """
    if not pieces or overlap < 0:
        raise ShapeError(f"cannot join {len(pieces)} pieces with an overlap of {overlap}")
    for i, piece in enumerate(pieces):
        needed = overlap * ((i > 0) + (i < len(pieces) - 1))
        if piece.ndim != 1 or len(piece) < needed:
            raise ShapeError(f"piece {i} is {piece.shape}, but shares {needed} samples with its neighbours")
    out = np.empty(sum(len(p) for p in pieces) - overlap * (len(pieces) - 1), np.float32)
    fade = ((np.arange(overlap) + 0.5) / max(overlap, 1)).astype(np.float32)
    at = 0
    for i, piece in enumerate(pieces):
        shared = overlap if i else 0
        before = out[at : at + shared].copy()
        out[at : at + len(piece)] = piece
        out[at : at + shared] = before + (piece[:shared] - before) * fade[:shared]
        at += len(piece) - overlap
    return out
