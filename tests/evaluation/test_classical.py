"""The classical route keeps the source's time, melody and loudness, and the target's level."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.alignment.base import align_text, get_aligner
from prosody_transfer.audio.io import read_audio
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.evaluation.benchmark import benchmark_pairs
from prosody_transfer.evaluation.classical import time_map, transplant
from prosody_transfer.features.extract import extract

RATE = 24000


def made(duration: float, *words: tuple[str, float, tuple[float, ...]]) -> Alignment:
    """Words as (word, start, ends of its phones), pauses in between."""
    phones, intervals, last = [], [], 0.0
    for word, start, ends in words:
        if start > last:
            phones.append(PhoneInterval(SILENCE, last, start))
        edges = [start, *ends]
        phones += [PhoneInterval("AH0", a, b) for a, b in zip(edges, edges[1:], strict=False)]
        intervals.append(WordInterval(word, start, ends[-1]))
        last = ends[-1]
    if last < duration:
        phones.append(PhoneInterval(SILENCE, last, duration))
    return Alignment(tuple(phones), tuple(intervals), duration)


def test_times_are_mapped_phone_by_phone():
    source = made(2.0, ("a", 0.5, (0.6, 1.0)), ("b", 1.0, (1.5,)))
    natural = made(3.0, ("A", 1.0, (1.1, 1.3)), ("b", 1.5, (2.5,)))
    at = time_map(source, natural, np.array([0.0, 0.25, 0.5, 0.55, 0.6, 0.8, 0.999999, 1.01, 1.25, 1.5, 1.75, 2.0]))
    expected = [0.0, 0.5, 1.0, 1.05, 1.1, 1.2, 1.3, 1.52, 2.0, 2.5, 2.75, 3.0]
    np.testing.assert_allclose(at, expected, atol=1e-5)


def test_a_pause_of_the_source_alone_holds_the_last_moment():
    source = made(2.0, ("a", 0.0, (0.5,)), ("b", 1.5, (2.0,)))
    natural = made(1.0, ("a", 0.0, (0.5,)), ("b", 0.5, (1.0,)))
    np.testing.assert_allclose(time_map(source, natural, np.array([0.5, 1.0, 1.5, 1.75])), [0.5, 0.5, 0.5, 0.75])


def test_a_word_said_with_other_phones_is_mapped_as_a_whole():
    source = made(1.0, ("a", 0.0, (0.2, 1.0)))
    natural = made(1.0, ("a", 0.0, (0.1, 0.6, 1.0)))
    np.testing.assert_allclose(time_map(source, natural, np.linspace(0, 1, 5)), np.linspace(0, 1, 5), atol=1e-6)


@pytest.mark.parametrize("words", [(), (("b", 0.0, (1.0,)),), (("a", 0.0, (0.5,)), ("b", 0.5, (1.0,)))])
def test_other_words_are_refused(words):
    with pytest.raises(TranscriptError, match="has other words"):
        time_map(made(1.0, ("a", 0.0, (1.0,))), made(1.0, *words), np.zeros(1))


@pytest.fixture(scope="module")
def moved():
    """One pair of the benchmark: source, natural recording, what was made of them."""
    pair = next(p for p in benchmark_pairs() if p.id.startswith("compound_2.") and p.speaker == "sky")
    aligner = get_aligner()
    read = lambda path: read_audio(path, RATE).waveform
    source, natural = read(pair.source), read(pair.natural)
    alignments = [align_text(aligner, wave, RATE, pair.text) for wave in (source, natural)]
    features = extract(source, MelConfig())
    return source, natural, features, alignments, transplant(source, features, alignments[0], natural, alignments[1])


def test_length_melody_loudness_and_level(moved):
    source, natural, features, _, made = moved
    assert made.shape == source.shape and made.dtype == np.float32 and np.abs(made).max() <= 1
    output = extract(made, MelConfig())
    both = features.voiced & output.voiced
    assert both.mean() > 0.3
    assert np.corrcoef(features.log_f0[both], output.log_f0[both])[0, 1] > 0.9
    loud = features.energy_db > features.energy_db.max() - 30
    assert np.corrcoef(features.energy_db[loud], output.energy_db[loud])[0, 1] > 0.9
    own = extract(natural, MelConfig())
    level = lambda f: np.median(f.log_f0[f.voiced])
    assert level(output) == pytest.approx(level(own), abs=0.08)
    assert abs(level(output) - level(features)) > 0.15  # it did move
    assert abs(made.std() / source.std() - 1) < 0.1


def test_it_has_the_targets_spectrum(moved):
    """Nearer to the natural recording's mean log-mel than to the source's."""
    source, natural, _, _, made = moved
    mean = lambda wave: (lambda f: f.mel[:, f.voiced].mean(1))(extract(wave, MelConfig()))
    shape = lambda wave: mean(wave) - mean(wave).mean()
    assert np.abs(shape(made) - shape(natural)).mean() < 0.6 * np.abs(shape(made) - shape(source)).mean()


def test_it_is_the_same_each_time(moved):
    source, natural, features, alignments, made = moved
    np.testing.assert_array_equal(transplant(source, features, alignments[0], natural, alignments[1]), made)


def test_a_recording_onto_itself_keeps_its_spectrum(moved):
    source, _, features, alignments, _ = moved
    output = extract(transplant(source, features, alignments[0], source, alignments[0]), MelConfig())
    difference = (output.mel - features.mel)[:80, features.voiced]
    assert np.abs(difference).mean() < 0.6  # ln magnitude; WORLD's own loss
