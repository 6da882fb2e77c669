"""Figures of melody and loudness: by hand, against scipy, and as laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.evaluation.prosody import CENTS, FIGURES, energy_db, energy_figures, pitch_figures, ranks
from prosody_transfer.evaluation.trackers import Contour, track

RATE = 16000
PERFECT = {
    "f0_correlation": 1.0, "f0_correlation_detrended": 1.0, "f0_correlation_phrases": 1.0, "f0_correlation_rank": 1.0,
    "f0_rmse_cents": 0.0, "f0_mad_cents": 0.0, "gpe": 0.0, "vde": 0.0, "ffe": 0.0, "f0_range_ratio": 1.0,
}  # fmt: skip


def contour(log_f0, voiced=None) -> Contour:
    log_f0 = np.asarray(log_f0, np.float32)
    return Contour(log_f0, np.ones(len(log_f0), bool) if voiced is None else np.asarray(voiced, bool))


def random_contour(seed: int, size: int = 240) -> Contour:
    """A smooth melody with unvoiced stretches, at least 100 frames voiced."""
    random = np.random.default_rng(seed)
    melody = np.convolve(random.standard_normal(size + 20), np.hanning(21) / 8, "valid")
    voiced = np.ones(size, bool)
    for start in random.integers(0, size, 5):
        voiced[start : start + 12] = False
    return contour(5 + 0.3 * melody, voiced)


contours = st.integers(0, 10_000).map(random_contour)


def by_hand() -> tuple[Contour, Contour]:
    """100 frames. Reference unvoiced in 0-19; judged unvoiced in 10-29. Both voiced: 70, 14 of them 30 % too high."""
    reference, judged = np.full(100, np.log(200.0)), np.full(100, np.log(100.0))
    reference[30:65] += 0.1
    judged[30:65] += 0.1
    judged[86:100] += np.log(1.3)
    frames = np.arange(100)
    return contour(reference, frames >= 20), contour(judged, (frames < 10) | (frames >= 30))


def test_by_hand():
    values = pitch_figures(*by_hand(), target_level=np.log(100.0) - 1 / 12 * np.log(2))
    assert values["f0_frames"] == 70
    assert values["gpe"] == pytest.approx(14 / 70)
    assert values["vde"] == pytest.approx(20 / 100)
    assert values["ffe"] == pytest.approx(34 / 100)
    assert values["f0_mad_cents"] == pytest.approx(0, abs=1e-3), "fewer than half are wrong"
    assert values["f0_rmse_cents"] == pytest.approx(1200 * np.log2(1.3) * np.sqrt(14 / 70), rel=1e-4)
    judged = by_hand()[1]
    middle = np.median(judged.log_f0[judged.voiced])
    assert values["f0_level_semitones"] == pytest.approx(12 * (middle / np.log(2) - np.log2(100)) + 1, abs=1e-4)


def test_half_up_and_half_down_by_50_cents():
    """The level is the median difference: midway, so that all are off by 50 cents."""
    reference = contour(5 + 0.1 * np.sin(np.arange(60)))
    judged = contour(reference.log_f0 + np.where(np.arange(60) % 2, 50, -50) / CENTS + 0.7)
    values = pitch_figures(reference, judged)
    assert values["f0_rmse_cents"] == pytest.approx(50, rel=1e-4) == values["f0_mad_cents"]


def test_correlations_equal_scipy():
    from scipy.signal import detrend
    from scipy.stats import pearsonr, spearmanr

    random = np.random.default_rng(1)
    a, b = random_contour(1).log_f0, random_contour(2).log_f0
    b = np.float32(0.5) * a + np.float32(0.5) * b - np.linspace(0, 1, 240, dtype=np.float32)
    b = b.round(1)  # ties
    values = pitch_figures(contour(a), contour(b))
    assert values["f0_correlation"] == pytest.approx(pearsonr(a.astype(float), b.astype(float))[0], abs=1e-6)
    assert values["f0_correlation_rank"] == pytest.approx(spearmanr(a, b)[0], abs=1e-9)
    flat = [detrend(x.astype(float)) for x in (a, b)]
    assert values["f0_correlation_detrended"] == pytest.approx(pearsonr(*flat)[0], abs=1e-6)
    ties = random.integers(0, 9, 50).astype(float)
    from scipy.stats import rankdata

    assert np.array_equal(ranks(ties), rankdata(ties))


def test_the_trend_is_a_line_in_time_though_frames_are_missing():
    at = np.arange(200)
    voiced = (at % 7 != 0) & ~((at > 50) & (at < 70))
    rise, fall = contour(5 + 0.01 * at, voiced), contour(5 - 0.01 * at + 0.1 * np.sin(at), voiced)
    wave = contour(5 + 0.02 * at + 0.1 * np.sin(at), voiced)
    assert pitch_figures(wave, fall)["f0_correlation"] < -0.9
    assert pitch_figures(wave, fall)["f0_correlation_detrended"] == pytest.approx(1, abs=1e-3)
    assert pitch_figures(rise, fall)["f0_correlation_detrended"] is None, "nothing is left of a line"


def test_phrases_are_parted_by_silence_and_the_median_is_taken():
    """Three phrases of 60, 60 and 25 frames correlate 1, -1, 1; one of 12 counts for nothing."""
    sound = np.sin(np.arange(60) / 5)
    pause = np.zeros(25)
    parts = [sound, pause, sound, pause, sound[:25], pause, sound[:12]]
    signs = [1, 0, -1, 0, 1, 0, -1]
    voiced = np.concatenate([np.full(len(p), s != 0) for p, s in zip(parts, signs, strict=True)])
    reference = contour(5 + 0.1 * np.concatenate(parts), voiced)
    judged = contour(5 + 0.1 * np.concatenate([s * p for p, s in zip(parts, signs, strict=True)]), voiced)
    assert pitch_figures(reference, judged)["f0_correlation_phrases"] == pytest.approx(1, abs=1e-6)
    short = np.ones(len(voiced), bool)
    short[60:84] = False  # 24 frames: no pause
    joined = pitch_figures(contour(reference.log_f0, short), contour(judged.log_f0, short))
    assert joined["f0_correlation_phrases"] < 0.9


def test_too_few_frames_and_flat_contours_say_nothing():
    voiced = np.arange(100) < 29
    few = pitch_figures(contour(np.linspace(5, 6, 100), voiced), contour(np.linspace(5, 6, 100)))
    assert few["f0_correlation"] is None and few["gpe"] is None and few["f0_rmse_cents"] is None
    assert few["vde"] == pytest.approx(0.71) == few["ffe"] and few["f0_frames"] == 29
    flat = pitch_figures(contour(np.full(100, 5.0)), random_contour(0, 100))
    assert flat["f0_correlation"] is None and flat["f0_range_ratio"] is None and flat["f0_rmse_cents"] > 0
    assert pitch_figures(contour([]), contour([]))["ffe"] is None
    silent = contour(np.full(100, 5.0), np.zeros(100))
    assert pitch_figures(silent, silent, 5.0)["f0_level_semitones"] is None


@given(contours)
@settings(max_examples=25, deadline=None)
def test_the_same_contour_is_perfect(reference):
    values = pitch_figures(reference, reference)
    assert {key: values[key] for key in PERFECT} == PERFECT


@given(contours, contours, st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=25, deadline=None)
def test_the_level_of_either_side_does_not_matter(reference, judged, up, down):
    plain = pitch_figures(reference, judged)
    moved = pitch_figures(
        Contour(reference.log_f0.astype(float) + up, reference.voiced),
        Contour(judged.log_f0.astype(float) + down, judged.voiced),
    )
    for key in PERFECT:
        assert moved[key] == pytest.approx(plain[key], abs=1e-6), key


@given(contours, st.floats(0.3, 3))
@settings(max_examples=25, deadline=None)
def test_range_moves_the_range_ratio_and_no_correlation(reference, factor):
    values = pitch_figures(reference, Contour(reference.log_f0.astype(float) * factor, reference.voiced))
    assert values["f0_range_ratio"] == pytest.approx(factor)
    assert values["f0_correlation"] == pytest.approx(1) == values["f0_correlation_rank"]


@given(contours, st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_voicing_errors_are_counted_and_nothing_else_moves(reference, count):
    voiced = reference.voiced.copy()
    voiced[np.flatnonzero(voiced)[:count]] = False
    values = pitch_figures(reference, Contour(reference.log_f0, voiced))
    assert values["vde"] == pytest.approx(count / 240) == values["ffe"]
    assert values["f0_correlation"] == 1 and values["gpe"] == 0 and values["f0_rmse_cents"] == 0


@given(contours)
@settings(max_examples=25, deadline=None)
def test_a_late_melody_is_worse_and_later_is_worse_still(reference):
    late = [Contour(np.roll(reference.log_f0, by), reference.voiced) for by in (0, 2, 5)]
    found = [pitch_figures(reference, judged) for judged in late]
    assert found[0]["f0_correlation"] > found[1]["f0_correlation"] > found[2]["f0_correlation"]
    assert found[0]["f0_rmse_cents"] < found[1]["f0_rmse_cents"] < found[2]["f0_rmse_cents"]


@given(contours, contours, st.floats(-1, 1))
@settings(max_examples=25, deadline=None)
def test_the_level_figure_is_the_distance_to_the_target(reference, judged, up):
    level = float(np.median(judged.log_f0[judged.voiced].astype(float)))
    values = pitch_figures(reference, judged, level - up)
    assert values["f0_level_semitones"] == pytest.approx(12 * up / np.log(2), abs=1e-6)
    assert pitch_figures(reference, judged)["f0_level_semitones"] is None


def test_the_longer_side_is_cut():
    reference = random_contour(3)
    longer = Contour(np.append(reference.log_f0, [9.0] * 7), np.append(reference.voiced, [True] * 7))
    assert pitch_figures(reference, longer) == pitch_figures(reference, reference)


def test_definitions_belong_to_figures():
    keys = list(pitch_figures(*by_hand())) + list(energy_figures(noise(0), noise(0)))
    assert sorted(keys) == sorted(f.key for f in FIGURES) and len(set(keys)) == len(keys)
    assert all(f.title and len(f.definition) > 20 for f in FIGURES)


def noise(seed: int, seconds: float = 1.0) -> np.ndarray:
    """Noise whose loudness swings by some 20 dB."""
    random = np.random.default_rng(seed)
    size = int(seconds * RATE)
    knots = np.arange(0, size + 2000, 2000)
    swing = np.interp(np.arange(size), knots, random.uniform(-1, 0, len(knots)))
    return 0.1 * random.standard_normal(size) * 10**swing


def test_energy_by_hand():
    """The second half 6 dB softer: with the means taken out, each half is off by 3 dB."""
    first = noise(0)
    second = first * np.where(np.arange(RATE) < RATE // 2, 1.0, 10 ** (-6 / 20))
    assert energy_figures(first, second)["energy_rmse_db"] == pytest.approx(3, abs=0.1)
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert energy_db(tone) == pytest.approx(np.full(98, 10 * np.log10(0.5)), abs=1e-6)
    assert energy_db(np.append(tone, 1e-6 * tone))[-1] == pytest.approx(10 * np.log10(0.5) - 70, abs=0.01)


@given(st.integers(0, 1000), st.floats(0.01, 10), st.floats(0.01, 10))
@settings(max_examples=20, deadline=None)
def test_gain_does_not_matter_and_the_same_is_perfect(seed, one, other):
    a, b = noise(seed, 0.5), noise(seed + 1, 0.5)
    assert energy_figures(a, a) == {"energy_correlation": 1.0, "energy_rmse_db": 0.0}
    plain, scaled = energy_figures(a, b), energy_figures(one * a, other * b)
    for key, value in plain.items():
        assert scaled[key] == pytest.approx(value, abs=1e-6)


def test_energy_moves_with_what_it_measures():
    a = noise(5)
    assert energy_figures(a, noise(6))["energy_correlation"] < 0.8
    compressed = a / np.sqrt(np.convolve(a**2, np.ones(400) / 400, "same") + 1e-12) ** 0.5
    values = energy_figures(a, compressed)
    assert values["energy_correlation"] > 0.95 and values["energy_rmse_db"] > 1


@pytest.mark.parametrize("size", [0, 10, 399, 600])
def test_energy_of_too_little_says_nothing(size):
    nothing = {"energy_correlation": None, "energy_rmse_db": None}
    assert energy_figures(noise(0)[:size], noise(0)) == nothing
    assert energy_figures(noise(0), np.zeros(RATE)) == nothing


def test_a_tracked_recording_against_itself_and_a_tenth_up():
    """From samples to figures: the whole contour 6 % up moves nothing but the level."""
    time = np.arange(RATE) / RATE
    f0 = 140 * 2 ** (0.3 * np.sin(2 * np.pi * 2 * time))
    voices = [sum(np.sin(2 * np.pi * k * np.cumsum(c * f0) / RATE) / k for k in range(1, 15)) for c in (1, 1.06)]
    plain, higher = (track(x) for x in voices)
    assert pitch_figures(plain, plain)["ffe"] == 0 and pitch_figures(plain, plain)["f0_correlation"] == 1
    values = pitch_figures(plain, higher, float(np.median(plain.log_f0[plain.voiced])))
    assert values["f0_correlation"] > 0.999 and values["f0_mad_cents"] < 5
    assert values["f0_level_semitones"] == pytest.approx(12 * np.log2(1.06), abs=0.05)
