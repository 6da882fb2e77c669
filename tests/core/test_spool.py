"""What lies in a temporary file is what lies in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.audio.follow import follow_loudness
from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.levelling import level_source
from prosody_transfer.audio.limiter import limit, limit_in_place
from prosody_transfer.audio.loudness import frame_power, normalise_level, speech_level_db
from prosody_transfer.audio.resample import resample, resample_sound
from prosody_transfer.audio.segment import cut_at_pauses, speech_regions
from prosody_transfer.audio.silence import Silence, keep_silent, silences
from prosody_transfer.core.errors import OutputError
from prosody_transfer.core.spool import Samples, Shelf, SpoolFile, blocks

RATE = 24000


def filed(array: np.ndarray) -> Samples:
    """The same in a file, whatever its size."""
    samples = Samples(most=0)
    samples.append(array)
    assert samples.settled() is samples, "it lies in a file"
    return samples


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """40 s of buzzing words of two levels with pauses, some of them digital silence."""
    rng, at = np.random.default_rng(1), np.arange(40 * RATE) / RATE
    sound = np.sign(np.sin(2 * np.pi * 130 * at)) * np.clip(np.sin(2 * np.pi * 0.4 * at), 0, 1) * 0.2
    sound[: 15 * RATE] *= 0.02
    sound += rng.normal(0, 1e-4, len(sound))
    sound[8 * RATE : 9 * RATE] = 0.0
    return (sound + 0.01).astype(np.float32)


@given(st.lists(st.lists(st.floats(-1, 1, width=32), max_size=9), max_size=6), st.integers(0, 12), st.data())
def test_samples_are_sliced_as_an_array_is(parts: list[list[float]], most: int, data: st.DataObject) -> None:
    samples = Samples(most=most)
    for part in parts:
        samples.append(np.array(part, np.float32))
    array = np.array([value for part in parts for value in part], np.float32)
    assert len(samples) == len(array) and samples.shape == array.shape
    bound = st.one_of(st.none(), st.integers(-40, 40))
    part = slice(data.draw(bound), data.draw(bound))
    np.testing.assert_array_equal(samples[part], array[part])
    samples[part], array[part] = 0.5, 0.5
    np.testing.assert_array_equal(np.asarray(samples), array)
    np.testing.assert_array_equal(np.asarray(samples.settled()), array)


def test_every_step_of_a_long_recording_gives_the_samples_of_a_short_one(speech: np.ndarray) -> None:
    for step in (
        lambda s: high_pass(s, RATE), lambda s: normalise_level(s, RATE)[0], lambda s: level_source(s, RATE).waveform,
        lambda s: follow_loudness(s, frame_power(speech * 0.5, RATE), RATE),
        lambda s: level_source(speech, RATE).level.give_back(s)[0],
        lambda s: keep_silent(s, [Silence(5 * RATE, 6 * RATE, 1e-5)], RATE, RATE),
        lambda s: resample_sound(s, RATE, 44100),
    ):  # fmt: skip
        np.testing.assert_array_equal(np.asarray(step(filed(speech))), np.asarray(step(speech.copy())))
    np.testing.assert_allclose(np.asarray(resample_sound(filed(speech), RATE, 16000)), resample(speech, RATE, 16000))


def test_what_is_measured_is_the_same(speech: np.ndarray) -> None:
    long = filed(speech)
    assert speech_level_db(long, RATE) == speech_level_db(speech, RATE)
    assert speech_regions(long, RATE) == speech_regions(speech, RATE)
    assert cut_at_pauses(long, RATE) == cut_at_pauses(speech, RATE)
    assert silences(long, RATE) == silences(speech, RATE) != []


def test_what_would_clip_is_limited_in_its_file(speech: np.ndarray) -> None:
    loud = speech * 8
    wanted, moments = limit(loud, RATE)
    long = filed(loud)
    assert limit_in_place(long, RATE) == moments != []
    np.testing.assert_array_equal(np.asarray(long), wanted)


def test_a_shelf_keeps_what_does_not_fit_in_a_file() -> None:
    shelf = Shelf(most=100)
    arrays = [np.full((3, k), k, np.float32) for k in range(12)]
    kept = [shelf.put(array) for array in arrays]
    assert [k.file is None for k in kept].count(True) < 6
    for k, array in zip(kept, arrays, strict=True):
        np.testing.assert_array_equal(k.load(), array)


def test_blocks_cover_everything_once() -> None:
    assert sum(len(range(5000)[part]) for part in blocks(5000, 77)) == 5000 and blocks(0) == []


def test_no_room_for_what_is_temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(**options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match="the disk is full; set TMPDIR"):
        SpoolFile().append(b"12")
