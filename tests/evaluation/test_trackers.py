"""The judging tracker on signals whose F0 is known, and against Praat's on the shipped example."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.evaluation import trackers
from prosody_transfer.evaluation.figures import load
from prosody_transfer.evaluation.trackers import autocorrelation_f0, best_path, track
from prosody_transfer.features.pitch import DEFAULT_F0_HZ

RATE = 16000
HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "audio" / "source.flac"


def voice(f0: np.ndarray, sounding: np.ndarray | None = None, noise: float = 0.002, rate: int = RATE) -> np.ndarray:
    """A vowel-like tone with this F0 on every sample, harmonics up to 4 kHz, silent where `sounding` is False."""
    phase = 2 * np.pi * np.cumsum(f0) / rate
    tone = sum(np.where(k * f0 < 4000, np.sin(k * phase), 0) / k for k in range(1, 40))
    gate = 1.0 if sounding is None else np.convolve(sounding, np.hanning(160) / np.hanning(160).sum(), "same")
    return 0.1 * tone * gate + noise * np.random.default_rng(0).standard_normal(len(f0))


def cents(contour: trackers.Contour, f0: np.ndarray, rate: int = RATE) -> np.ndarray:
    true = f0[np.minimum(np.arange(len(contour.voiced)) * rate // 100, len(f0) - 1)]
    return 1200 * (contour.log_f0 / np.log(2) - np.log2(true))[contour.voiced]


@pytest.mark.parametrize(("low", "high"), [(70, 120), (110, 180), (170, 300), (250, 420)])
def test_glides(low, high):
    f0 = low * (high / low) ** (0.5 - 0.5 * np.cos(2 * np.pi * 1.5 * np.arange(2 * RATE) / RATE))
    contour = track(voice(f0))
    assert contour.log_f0.shape == contour.voiced.shape == (201,)
    assert contour.log_f0.dtype == np.float32 and contour.voiced.dtype == bool
    assert contour.voiced.mean() > 0.9
    error = cents(contour, f0)
    assert abs(np.median(error)) < 3 and np.percentile(np.abs(error), 95) < 30


@pytest.mark.parametrize("rate", [16000, 24000, 44100])
def test_frames_are_centred_on_their_times(rate):
    """A glide of an octave a second, tracked late or early by a frame, would be off by 12 cents all along."""
    f0 = 120 * 2 ** (np.arange(rate) / rate)
    assert abs(np.median(cents(track(voice(f0, rate=rate), rate), f0, rate))) < 2


def test_a_rate_that_has_no_frames_of_10_ms_is_refused():
    with pytest.raises(ValueError, match="22050 Hz.*multiple of 100"):
        track(np.zeros(22050), 22050)


def test_voicing_follows_the_gate():
    sounding = np.zeros(2 * RATE)
    for start, end in ((0.2, 0.7), (0.9, 1.1), (1.3, 1.9)):
        sounding[int(start * RATE) : int(end * RATE)] = 1
    contour = track(voice(np.full(2 * RATE, 150.0), sounding))
    true = sounding[np.minimum(np.arange(201) * 160, 2 * RATE - 1)] > 0
    from_edge = np.abs(np.arange(201)[:, None] - np.flatnonzero(np.diff(true))[None]).min(1)
    assert contour.voiced[true & (from_edge > 3)].all(), "no gap within a tone"
    assert not contour.voiced[~true & (from_edge > 3)].any(), "nothing in the pauses, which hold faint noise"


def test_noise_and_silence_are_unvoiced():
    assert track(0.1 * np.random.default_rng(0).standard_normal(RATE)).voiced.mean() < 0.05
    contour = track(np.zeros(RATE))
    assert not contour.voiced.any() and np.allclose(contour.log_f0, np.log(DEFAULT_F0_HZ))


@pytest.mark.parametrize("size", [0, 1, 159, 160, 800, 1599, 1600, 1700, 2400, 4001])
def test_any_length_has_its_frames(size):
    contour = track(voice(np.full(size, 150.0)))
    assert len(contour.log_f0) == len(contour.voiced) == 1 + size // 160 and np.isfinite(contour.log_f0).all()


@pytest.mark.parametrize("gain", [1e-3, 0.25, 3.7])
def test_gain_does_not_matter(gain):
    signal = voice(150 * 2 ** (0.3 * np.sin(2 * np.pi * np.arange(RATE) / RATE)))
    plain, scaled = track(signal), track(gain * signal)
    assert (plain.voiced == scaled.voiced).all() and np.allclose(plain.log_f0, scaled.log_f0, atol=1e-5)


def test_octave_errors_of_one_tracker_do_not_pass(monkeypatch):
    """Half the frames of the first tracker are an octave up: they count as unvoiced, the others stand."""
    f0 = np.full(RATE, 140.0)
    coarse = trackers.coarse_f0
    doubled = lambda signal, rate: coarse(signal, rate) * np.where(np.arange(1 + len(signal) // 160) % 2, 2.0, 1.0)
    monkeypatch.setattr(trackers, "coarse_f0", doubled)
    contour = track(voice(f0))
    assert not contour.voiced[1::2].any() and contour.voiced[4:-4:2].all()
    assert np.abs(cents(contour, f0)).max() < 10


def test_mains_hum_is_not_the_voice():
    """A female LibriSpeech voice with hum: a tracker without the rule follows 60 Hz and reports half of it."""
    sounding = (np.arange(2 * RATE) // 6400 % 2).astype(float)
    f0 = 205 * 2 ** (0.2 * np.sin(2 * np.pi * 1.5 * np.arange(2 * RATE) / RATE))
    speech = voice(f0, sounding)
    hum = 10 ** (-10 / 20) * np.sqrt(2 * np.mean(speech**2)) * np.sin(2 * np.pi * 60 * np.arange(2 * RATE) / RATE)
    contour = track(speech + hum)
    assert abs(np.exp(np.median(contour.log_f0[contour.voiced])) - 205) < 15 and contour.voiced.mean() < 0.7


def test_correlations_equal_the_definition():
    """Boersma's r(lag) = correlation of the windowed frame / correlation of the window, lag by lag."""
    frames = np.random.default_rng(0).standard_normal((2, 240))
    window = np.hanning(242)[1:-1]
    fast = trackers._normalised_autocorrelation(frames, 2 * 80 + 1)[:, ::2]  # every second lag is a whole sample
    for t, lag in itertools.product(range(2), range(81)):
        x = frames[t] * window
        r = x[: 240 - lag] @ x[lag:] / (x @ x)
        own = window[: 240 - lag] @ window[lag:] / (window @ window)
        assert fast[t, lag] == pytest.approx(r / own, abs=1e-9)


def test_blocks_make_no_difference(monkeypatch):
    signal = voice(np.linspace(110, 170, RATE))
    whole = autocorrelation_f0(signal, RATE, 70, 300)
    monkeypatch.setattr(trackers, "BLOCK", 17)
    for a, b in zip(whole, autocorrelation_f0(signal, RATE, 70, 300), strict=True):
        assert np.array_equal(a, b)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_path_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    f0 = np.concatenate([np.zeros((5, 1)), 100 * 2 ** random.uniform(-1, 1, (5, 2))], 1)
    strength = random.uniform(0, 1, (5, 3))

    def worth(path: tuple[int, ...]) -> float:
        total = sum(strength[t, k] for t, k in enumerate(path))
        for t in range(1, 5):
            a, b = f0[t - 1, path[t - 1]], f0[t, path[t]]
            if a > 0 and b > 0:
                total -= trackers.OCTAVE_JUMP_COST * abs(np.log2(b / a))
            elif (a > 0) != (b > 0):
                total -= trackers.VOICING_COST
        return total

    best = max(worth(path) for path in itertools.product(range(3), repeat=5))
    assert worth(tuple(best_path(f0, strength))) == pytest.approx(best)


def test_near_praat_on_the_shipped_example():
    """Stored: DIO and Praat's autocorrelation in agreement, on the same grid (0 = unvoiced)."""
    stored = np.load(HERE / "praat_source.npz", allow_pickle=False)["f0_hz"]
    contour = track(load(EXAMPLE))
    assert len(stored) == len(contour.voiced)
    assert (contour.voiced != (stored > 0)).mean() < 0.05
    both = contour.voiced & (stored > 0)
    apart = 1200 / np.log(2) * np.abs(contour.log_f0[both] - np.log(stored[both]))
    assert np.median(apart) < 8 and (apart > 300).mean() < 0.01
