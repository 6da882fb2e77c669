"""Prominence and boundary of words in the sound: an example worked by hand, and recordings that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ShapeError
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.features.extract import Features
from prosody_transfer.features.prominence import LAST, WordProsody, measure_words, words_in
from prosody_transfer.features.wavelets import C_DELTA, PERIOD, PSI_0

SECOND = 24000 / 256  # frames
OCTAVE = 0.25


def hat(scale: float, width: float, away: float) -> float:
    """The transform of a Gaussian bump, by hand (see test_wavelets)."""
    both = width**2 + scale**2
    height = 2 / (np.sqrt(3) * np.pi**0.25) * np.sqrt(2 * np.pi) * width * scale**2 / both**1.5
    return OCTAVE / (C_DELTA * PSI_0) * height * (1 - away**2 / both) * np.exp(-(away**2) / both / 2)


def test_one_bump_by_hand() -> None:
    """Words of 20 frames: half a wave is a word long at scale 2 * 20 / PERIOD = 10.07. The bump's line goes from two
    octaves below to one above, 12 scales, and is as strong as the closed form summed over them."""
    signal = np.exp(-0.5 * ((np.arange(200) - 100) / 5.0) ** 2)
    found = words_in(signal, [(70, 90), (90, 110), (110, 130)])
    scales = [2 * 20 / PERIOD * 2 ** (k / 4) for k in range(-8, 4)]
    by_hand = sum(hat(scale, 5.0, 0) for scale in scales)
    assert by_hand == pytest.approx(0.6611, abs=1e-4)
    assert found.prominence[1] == pytest.approx(by_hand, abs=1e-3)
    assert found.prominence[[0, 2]] == pytest.approx(0, abs=0.01) and found.prominences == [0, 1, 0]


def test_the_valley_between_two_bumps_by_hand() -> None:
    """Bumps 30 frames apart, words of 30: at the middle, 15 from both, the closed form twice; the line of minima goes
    on as long as the middle is one, which is while the hat curves upwards there."""
    time, width, words = np.arange(300), 6.0, [(120, 150), (150, 180)]
    signal = sum(np.exp(-0.5 * ((time - at) / width) ** 2) for at in (135, 165))
    strength = 0.0
    for k in range(-4, 8):
        scale = 2 * 30 / PERIOD * 2 ** (k / 4)
        step = hat(scale, width, 14) + hat(scale, width, 16) - 2 * hat(scale, width, 15)
        if step <= 0:  # the bumps have become one
            break
        strength -= 2 * hat(scale, width, 15)
    found = words_in(signal - signal.mean(), words)
    assert found.boundary[1] == LAST
    assert strength > 0.1 and found.boundary[0] == pytest.approx(strength, abs=0.01)


def drawn(words: list[tuple[str, float, float]], seconds: float, f0: dict[str, float], loud: dict[str, float]):
    """Features and alignment of words with a hump of F0 (semitones) and of level (dB) on some of them."""
    frames = int(seconds * SECOND)
    time = np.arange(frames) / SECOND
    log_f0, energy = np.full(frames, np.log(120.0)), np.full(frames, -60.0)
    phones, at = [], 0.0
    for word, start, end in words:
        shape = np.exp(-0.5 * ((time - (start + end) / 2) / ((end - start) / 4)) ** 2)
        log_f0 += f0.get(word, 0.5) * np.log(2) / 12 * shape
        inside = (time >= start) & (time < end)
        energy[inside] = -25 + loud.get(word, 0.0)
        if start > at + 1e-6:
            phones.append(PhoneInterval("SIL", at, start))
        middle = (start + end) / 2
        phones += [PhoneInterval("K", start, middle), PhoneInterval("AH1", middle, end)]
        at = end
    phones += [PhoneInterval("SIL", at, seconds)] if at < seconds else []
    features = Features(np.zeros((100, frames), np.float32), log_f0.astype(np.float32), energy > -50,
                        energy.astype(np.float32), frames * 256, MelConfig())  # fmt: skip
    return features, Alignment(tuple(phones), tuple(WordInterval(*w) for w in words), seconds)


WORDS = [("he", 0.2, 0.35), ("sold", 0.35, 0.65), ("the", 0.65, 0.75), ("boat", 0.75, 1.1), ("to", 1.5, 1.6),
         ("my", 1.6, 1.75), ("uncle", 1.75, 2.2)]  # fmt: skip


@pytest.mark.parametrize("word", ["sold", "boat", "uncle"])
def test_the_word_with_a_hump_is_the_most_prominent(word: str) -> None:
    found = measure_words(*drawn(WORDS, 2.4, {word: 6.0}, {word: 4.0}))
    assert WORDS[int(found.prominence.argmax())][0] == word
    assert found.prominence[[0, 2, 4]].max() < 0.5 * found.prominence.max(), "short words that nothing marks"


def test_a_pause_is_the_strongest_boundary() -> None:
    """Or the gap after the next word, where that is short and weak: the valley is one with the pause, as in the corpus,
    where "of | the tourist" is frequent."""
    found = measure_words(*drawn(WORDS, 2.4, {"boat": 3.0, "uncle": 3.0, "sold": 3.0}, {}))
    assert int(found.boundary[:-1].argmax()) in (3, 4) and found.boundary[-1] == LAST


def test_level_and_voice_do_not_matter() -> None:
    features, alignment = drawn(WORDS, 2.4, {"boat": 4.0}, {"boat": 3.0})
    higher = Features(features.mel, features.log_f0 + 0.7, features.voiced, features.energy_db + 6, features.n_samples,
                      features.config)  # fmt: skip
    one, other = measure_words(features, alignment), measure_words(higher, alignment)
    np.testing.assert_allclose(one.prominence, other.prominence, atol=1e-4)
    np.testing.assert_allclose(one.boundary, other.boundary, atol=1e-4)


def test_classes_are_cut_as_the_corpus_cuts_them() -> None:
    found = WordProsody(np.array([0.39, 0.41, 1.19, 1.21]), np.array([0.79, 0.81, 1.12, 1.14]))
    assert found.prominences == [0, 1, 1, 2] and found.boundaries == [0, 1, 1, 2]


def test_a_single_word_and_silence_are_measured() -> None:
    features, alignment = drawn([("yes", 0.2, 0.5)], 0.7, {}, {})
    assert measure_words(features, alignment).boundary.tolist() == [LAST]
    flat = Features(features.mel, features.log_f0 * 0, features.voiced, features.energy_db * 0, features.n_samples,
                    features.config)  # fmt: skip
    assert np.isfinite(measure_words(flat, alignment).prominence).all()
    with pytest.raises(ShapeError, match="has no words"):
        measure_words(features, Alignment(alignment.phones, (), 0.7))
