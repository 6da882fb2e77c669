"""A speaker's register: where their F0 lies and how far it ranges, also from one short clip."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from prosody_transfer.core.config import Config, MelConfig
from prosody_transfer.core.errors import ShapeError
from prosody_transfer.features.pitch import DEFAULT_F0_HZ

MAD_TO_DEVIATION = 1.4826  # a Gaussian's standard deviation over its median absolute deviation


class SpeakerStatistics(Config):
    """What was measured of a speaker.

    Attributes:
        log_f0_median: ln Hz, over voiced frames.
        log_f0_spread: ln Hz, 1.4826 times the median absolute deviation from it.
        voiced_seconds: How much voiced speech this rests on; 0 where none was found.
    """

    log_f0_median: float
    log_f0_spread: float
    voiced_seconds: float


class SpeakerPrior(Config):
    """How speakers differ, and how one speaker's clips differ.

    Attributes:
        weights, means, deviations: Of two Gaussians over speakers' ln F0 medians: a lower and a higher register. One
            Gaussian between them would pull a short clip of a man up by semitones.
        clip_deviation: Of one speaker's clip medians from their own median, ln Hz, for one voiced second; the
            variance falls with the voiced seconds.
        spread: Of ln F0 within a typical speaker.
        spread_seconds: Voiced seconds of a clip that count as much as `spread` does.

    Fitted on 162 speakers of read English (145 real people with one utterance each, one with an hour, 16 synthetic
    voices with 8 to 24 minutes), F0 by `track_f0`; five recordings in which mains hum was tracked are left out. The
    two Gaussians by expectation maximisation with each speaker's own sampling variance taken off: 117 Hz +- 3.6
    semitones (weight 0.59) and 194 Hz +- 1.9 semitones. The clip deviation from 4506 whole clips of the 17 speakers
    with many, whose variance does fall as 1 / seconds (the first second alone of a clip deviates by more, 0.13,
    because melodies begin high). `spread_seconds` predicts a speaker's spread from one clip best (error 0.126 in ln,
    0.242 without a prior).
    """

    weights: tuple[float, float] = (0.59, 0.41)
    means: tuple[float, float] = (4.758, 5.270)
    deviations: tuple[float, float] = (0.208, 0.108)
    clip_deviation: float = 0.074
    spread: float = 0.183
    spread_seconds: float = 6.0


def measure_speaker(
    recordings: Iterable[tuple[np.ndarray, np.ndarray]], config: MelConfig | None = None
) -> SpeakerStatistics:
    """Measure a speaker's F0 over all their recordings.

    Args:
        recordings: Pairs of log F0 (T,), ln Hz, and voicing (T,) bool, as in `Features`.
        config: Gives the frame rate.

    Returns:
        Raw statistics; for a single clip pass them to `shrink`. Without a voiced frame the median is that of
        `DEFAULT_F0_HZ` and `voiced_seconds` is 0, so that `shrink` replaces it.

    Raises:
        ShapeError: A contour and its mask have different lengths.
    """
    config = config or MelConfig()
    pieces = []
    for log_f0, voiced in recordings:
        if np.shape(log_f0) != np.shape(voiced):
            raise ShapeError(
                f"log F0 {np.shape(log_f0)} does not fit voicing {np.shape(voiced)}", place="measure_speaker"
            )
        pieces.append(np.asarray(log_f0, np.float64)[np.asarray(voiced, bool)])
    values = np.concatenate(pieces) if pieces else np.zeros(0)
    if not values.size:
        return SpeakerStatistics(log_f0_median=float(np.log(DEFAULT_F0_HZ)), log_f0_spread=0.0, voiced_seconds=0.0)
    median = float(np.median(values))
    spread = MAD_TO_DEVIATION * float(np.median(np.abs(values - median)))
    seconds = values.size * config.hop_length / config.sample_rate
    return SpeakerStatistics(log_f0_median=median, log_f0_spread=spread, voiced_seconds=seconds)


def shrink(statistics: SpeakerStatistics, prior: SpeakerPrior | None = None) -> SpeakerStatistics:
    """Statistics of the speaker, as far as a clip of this length can tell.

    With n voiced seconds, clip median x, clip deviation s, and the prior's modes k of weight w, mean m and deviation t:

        kappa_k = s^2 / t_k^2                                     seconds that a mode counts as much as
        mu_k    = (n x + kappa_k m_k) / (n + kappa_k)             the level, were the speaker of mode k
        r_k     ~ w_k N(x; m_k, t_k^2 + s^2 / n)                  how likely that is; they sum to 1
        median  = r_1 mu_1 + r_2 mu_2                             the posterior mean

    It tends to x for long recordings and to the prior's mean for none. The spread is shrunk with `spread_seconds`
    likewise.

    Returns:
        The same `voiced_seconds`; `log_f0_median` between the least and the greatest of x, m_1 and m_2.
    """
    prior = prior or SpeakerPrior()
    seconds, clip = statistics.voiced_seconds, statistics.log_f0_median
    weights, means, variances = np.array(prior.weights), np.array(prior.means), np.square(prior.deviations)
    if seconds > 1e-6:
        kappa = prior.clip_deviation**2 / variances
        levels = (seconds * clip + kappa * means) / (seconds + kappa)
        expected = variances + prior.clip_deviation**2 / seconds
        score = np.log(weights) - 0.5 * np.log(expected) - 0.5 * (clip - means) ** 2 / expected
        likely = np.exp(score - score.max())
    else:
        levels, likely = means, weights
    median = float((likely * levels).sum() / likely.sum())
    spread = (seconds * statistics.log_f0_spread + prior.spread_seconds * prior.spread) / (
        seconds + prior.spread_seconds
    )
    return SpeakerStatistics(log_f0_median=median, log_f0_spread=spread, voiced_seconds=seconds)
