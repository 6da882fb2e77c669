"""The tracker of the melody is chosen by name, everywhere the same; the learned one needs no fundamental."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.analysis import tracking
from prosody_transfer.analysis.pieces import cut, join_features
from prosody_transfer.analysis.settings import AnalysisSettings
from prosody_transfer.analysis.tracking import TRACKERS, get_tracker
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import UsageError
from prosody_transfer.corpus.examine import Examination
from prosody_transfer.corpus.prepare import prepare_corpus
from prosody_transfer.features.extract import extract

RATE, CONFIG = 24000, MelConfig()


def line(f0_hz: float = 130.0, seconds: float = 1.5, low_hz: float = 0.0, noise_db: float = -60.0) -> np.ndarray:
    """A vowel of a moving melody between pauses, with nothing below `low_hz` or above 3400 Hz."""
    at = np.arange(int(seconds * RATE)) / RATE
    melody = f0_hz * 2 ** (0.3 * np.sin(2 * np.pi * 0.7 * at))
    phase = 2 * np.pi * np.cumsum(melody) / RATE
    tone = sum(np.sin(k * phase + k) / (1 + (k * f0_hz / 900 - 1) ** 2) for k in range(1, 25))
    tone *= (at > 0.25) & (at < seconds - 0.25)
    spectrum = np.fft.rfft(tone)
    hertz = np.fft.rfftfreq(len(tone), 1 / RATE)
    tone = np.fft.irfft(spectrum * ((hertz >= low_hz) & (hertz < 3400)), len(tone))
    tone *= 0.07 / np.sqrt(np.mean(tone**2))
    hiss = np.random.default_rng(5).standard_normal(len(tone)) * 0.07 * 10 ** (noise_db / 20)
    return (tone + hiss).astype(np.float32)


def cents_off(waveform: np.ndarray, tracker: str, f0_hz: float = 130.0) -> tuple[float, float]:
    """Median error of the inner frames that are voiced, in cents, and what share of them is."""
    features = extract(waveform, CONFIG, get_tracker(tracker))
    at = np.arange(features.n_frames) * CONFIG.hop_length / RATE
    true = np.log(f0_hz * 2 ** (0.3 * np.sin(2 * np.pi * 0.7 * at)))
    inside = (at > 0.35) & (at < len(waveform) / RATE - 0.35)
    heard = inside & features.voiced
    off = np.abs(features.log_f0 - true)[heard] * 1200 / np.log(2)
    return float(np.median(off)) if heard.any() else 1e4, float(heard.sum() / inside.sum())


@pytest.mark.parametrize("f0_hz", [95.0, 130.0, 210.0])
def test_a_telephone_keeps_the_melody(f0_hz):
    off, found = cents_off(line(f0_hz, low_hz=300.0, noise_db=-30), "learned", f0_hz)
    assert off < 25 and found > 0.8


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_clean_line_is_heard_by_either(tracker):
    off, found = cents_off(line(), tracker)
    assert off < 20 and found > 0.85


def test_hum_and_hiss_have_no_melody():
    at = np.arange(2 * RATE) / RATE
    for sound in (0.05 * np.sin(2 * np.pi * 50 * at), 0.05 * np.random.default_rng(1).standard_normal(2 * RATE)):
        heard = extract(sound.astype(np.float32), CONFIG, get_tracker("learned"))
        assert heard.voiced.mean() < 0.2


def test_doubt_is_known_where_the_tracker_says_it_and_is_cut_with_the_rest():
    waveform = np.concatenate([line(120.0, 12.0), np.zeros(RATE, np.float32), line(120.0, 12.0)])
    learned = get_tracker("learned")
    pieces = cut(waveform, CONFIG, learned)
    assert len(pieces) > 1
    joined, whole = join_features(pieces), extract(waveform, CONFIG, learned)
    assert joined.doubt is not None and len(joined.doubt) == joined.n_frames
    assert (joined.voiced == whole.voiced).mean() > 0.995
    both = joined.voiced & whole.voiced
    assert np.abs(joined.log_f0 - whole.log_f0)[both].max() < 0.01
    assert extract(waveform[:RATE], CONFIG).doubt is None


def test_an_unknown_tracker_is_refused_before_any_work(tmp_path):
    with pytest.raises(UsageError, match="'crepe' is unknown.*learned or dio"):
        AnalysisSettings(tracker="crepe").check()
    with pytest.raises(UsageError, match="'crepe' is unknown"):
        prepare_corpus(tmp_path / "nothing", tmp_path / "out", tracker="crepe")


def test_a_prepared_folder_knows_its_tracker(monkeypatch):
    dio, learned = (Examination(out="x", tracker=name).key() for name in ("dio", "learned"))
    assert dio != learned
    monkeypatch.setattr("prosody_transfer.corpus.examine.weights_fingerprint", lambda name: "others")
    assert Examination(out="x", tracker="learned").key() != learned, "other weights measure otherwise"
    assert Examination(out="x", tracker="dio").key() == dio


def test_the_network_is_loaded_once():
    assert get_tracker("learned") is get_tracker("learned") and get_tracker("dio") is None
    assert set(TRACKERS) == {"learned", "dio"} and tracking.DEFAULT_TRACKER in TRACKERS
