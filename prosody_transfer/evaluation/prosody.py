"""How much of a melody and of a loudness contour arrived: frame by frame, without warping time.

Both sides are on one timeline (an output has its source's), so warping would only hide errors of timing. Any two
recordings of the same length can be compared: source and output, exact answer and output, source and exact answer.
"""

from __future__ import annotations

import numpy as np

from prosody_transfer.evaluation.figures import Figure, Values
from prosody_transfer.evaluation.trackers import Contour

CENTS, SEMITONES = 1200 / np.log(2), 12 / np.log(2)  # in a nat
LEAST_FRAMES = 30  # voiced in both, for all figures of F0 but the voicing's
LEAST_PHRASE_FRAMES = 20
PAUSE_FRAMES = 25  # without voice in the reference: 250 ms is longer than consonants are silent, shorter than pauses
GROSS = 0.2
FLAT = 1e-5  # nats, dB: contours are float32, so less is rounding
ENERGY_WINDOW, ENERGY_HOP = 400, 160  # samples at 16 kHz: 25 and 10 ms
ENERGY_RANGE_DB = 40.0
ENERGY_FLOOR = 1e-7  # of the loudest frame's power: -70 dB

_BOTH = "frames of 10 ms that are voiced in both, none below 30 of them"
_LEVELLED = (
    "the reference moved to the judged recording's level by the median difference of ln F0 over these frames, "
    "its range kept because ptx keeps it"
)

FIGURES = (
    Figure("f0_correlation", "F0 correlation", "", "high", f"Pearson's r of ln F0 over {_BOTH}."),
    Figure(
        "f0_correlation_detrended", "F0 correlation, detrended", "", "high",
        f"The same after each contour's straight line of least squares is taken out, over {_BOTH}: without the slow "
        "fall that all sentences share.",
    ),
    Figure(
        "f0_correlation_phrases", "F0 correlation in phrases", "", "high",
        "Median over phrases of Pearson's r of ln F0; phrases are parted by 250 ms or more without a voiced frame in "
        "the reference, and those with at least 20 frames voiced in both count.",
    ),
    Figure("f0_correlation_rank", "F0 rank correlation", "", "high", f"Spearman's rho of F0 over {_BOTH}."),
    Figure("f0_rmse_cents", "F0 error (RMS)", "cents", "zero", f"Root mean square over {_BOTH}; {_LEVELLED}."),
    Figure("f0_mad_cents", "F0 error (median)", "cents", "zero", f"Median absolute error over {_BOTH}; {_LEVELLED}."),
    Figure(
        "gpe", "Gross pitch errors", "", "zero", f"Share off by more than 20 % of F0 among {_BOTH}; {_LEVELLED}."
    ),
    Figure("vde", "Voicing errors", "", "zero", "Share of all frames of 10 ms that are voiced in one of the two only."),
    Figure(
        "ffe", "F0 frame errors", "", "zero",
        "Share of all frames of 10 ms with a voicing error or a gross pitch error, those of the two figures above "
        "(Chu and Alwan 2009).",
    ),
    Figure(
        "f0_range_ratio", "F0 range ratio", "", "one",
        f"Standard deviation of ln F0, judged over reference, over {_BOTH}.",
    ),
    Figure(
        "f0_level_semitones", "F0 level", "semitones", "zero",
        "Median of ln F0 over the judged recording's voiced frames less the target speaker's own, in semitones; the "
        "side of F0 that belongs to the voice.",
    ),
    Figure("f0_frames", "Frames voiced in both", "", "", "Number of frames of 10 ms that are voiced in both."),
    Figure(
        "energy_correlation", "Energy correlation", "", "high",
        "Pearson's r of the power in dB, windows of 25 ms every 10 ms, all frequencies to 8 kHz alike (no A-weighting) "
        "and over frames within 40 dB of the reference's loudest.",
    ),
    Figure(
        "energy_rmse_db", "Energy error (RMS)", "dB", "zero",
        "Root mean square of the difference of the same powers over the same frames, each side's mean taken out.",
    ),
)  # fmt: skip


def pitch_figures(reference: Contour, judged: Contour, target_level: float | None = None) -> Values:
    """All figures of F0 and voicing; neither side's F0 level matters, but for `f0_level_semitones`.

    Args:
        reference: Whose melody it should be, T frames.
        judged: Its frames beyond the shorter of the two are left out.
        target_level: Median ln F0 (ln Hz) of the speaker that `judged` should sound like.

    Returns:
        The keys of `FIGURES` from "f0_correlation" to "f0_frames". None: too few frames, or a contour without any
        variation.
    """
    size = min(len(reference.voiced), len(judged.voiced))
    in_reference, in_judged = reference.voiced[:size], judged.voiced[:size]
    both = in_reference & in_judged
    a = reference.log_f0[:size][both].astype(np.float64)
    b = judged.log_f0[:size][both].astype(np.float64)
    apart = b - a - np.median(b - a) if len(a) else a
    gross = np.abs(np.expm1(apart)) > GROSS
    disputed = in_reference != in_judged
    values: Values = dict.fromkeys((f.key for f in FIGURES if f.key.startswith(("f0", "gpe", "vde", "ffe"))), None)
    values["f0_frames"] = float(both.sum())
    if size:
        values["vde"] = float(disputed.mean())
        values["ffe"] = float((gross.sum() + disputed.sum()) / size)
    if target_level is not None and judged.voiced.any():
        level = np.median(judged.log_f0[judged.voiced].astype(np.float64))
        values["f0_level_semitones"] = float(SEMITONES * (level - target_level))
    if len(a) < LEAST_FRAMES:
        return values
    at = np.flatnonzero(both).astype(float)
    return values | {
        "f0_correlation": pearson(a, b),
        "f0_correlation_detrended": pearson(_without_trend(a, at), _without_trend(b, at)),
        "f0_correlation_phrases": _phrases_correlation(in_reference, both, a, b),
        "f0_correlation_rank": pearson(ranks(a), ranks(b)),
        "f0_rmse_cents": float(CENTS * np.sqrt(np.mean(apart**2))),
        "f0_mad_cents": float(CENTS * np.median(np.abs(apart))),
        "gpe": float(gross.mean()),
        "f0_range_ratio": float(b.std() / a.std()) if np.ptp(a) >= FLAT else None,
    }


def energy_figures(reference: np.ndarray, judged: np.ndarray) -> Values:
    """Correlation and error of the energy contours; neither side's gain matters.

    Args:
        reference: (N,) at 16 kHz.
        judged: (M,); frames beyond the shorter of the two are left out.

    Returns:
        "energy_correlation" and "energy_rmse_db"; None with fewer than 10 frames within 40 dB of the loudest.
    """
    a, b = energy_db(reference), energy_db(judged)
    size = min(len(a), len(b))
    heard = a[:size] > a[:size].max(initial=-np.inf) - ENERGY_RANGE_DB
    if heard.sum() < 10:
        return {"energy_correlation": None, "energy_rmse_db": None}
    a, b = a[:size][heard], b[:size][heard]
    apart = (b - b.mean()) - (a - a.mean())
    return {"energy_correlation": pearson(a, b), "energy_rmse_db": float(np.sqrt(np.mean(apart**2)))}


def energy_db(waveform: np.ndarray) -> np.ndarray:
    """Power of 25 ms every 10 ms, (N,) -> (1 + (N - 400) // 160,) dB, floored 70 dB below the loudest frame.

    Empty where the recording is shorter than a window, or silent.
    """
    signal = np.asarray(waveform, np.float64)
    if len(signal) < ENERGY_WINDOW or not signal.any():
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(signal, ENERGY_WINDOW)[::ENERGY_HOP]
    power = np.einsum("tn,tn->t", frames, frames) / ENERGY_WINDOW
    if not power.any():
        return np.zeros(0)
    return 10 * np.log10(power + ENERGY_FLOOR * power.max())


def pearson(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's r, (n,) and (n,), n > 0; None where one side does not vary by 1e-5 at least.

    >>> pearson(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    1.0
    """
    if min(np.ptp(a), np.ptp(b)) < FLAT:
        return None
    x, y = a - a.mean(), b - b.mean()
    return float(np.clip(np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)), -1.0, 1.0))


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean rank, (n,).

    >>> ranks(np.array([10.0, 30.0, 20.0, 30.0])).tolist()
    [1.0, 3.5, 2.0, 3.5]
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[group]


def _without_trend(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    x = at - at.mean()
    y = values - values.mean()
    return y - x * (np.sum(x * y) / np.sum(x * x))


def _phrases_correlation(in_reference: np.ndarray, both: np.ndarray, a: np.ndarray, b: np.ndarray) -> float | None:
    """Median of r over phrases; a, b are the values of the frames in `both`."""
    voiced = np.flatnonzero(in_reference)
    begins = np.zeros(len(in_reference), int)
    begins[voiced[1:][np.diff(voiced) > PAUSE_FRAMES]] = 1
    phrase = np.cumsum(begins)[both]
    inside = [phrase == i for i in range(phrase.max() + 1)]
    found = [pearson(a[i], b[i]) for i in inside if i.sum() >= LEAST_PHRASE_FRAMES]
    known = [r for r in found if r is not None]
    return float(np.median(known)) if known else None
