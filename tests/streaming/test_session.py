"""Streams said again while they are being said: the same however they come, on time, and near to a transfer."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.analysis.tracking import get_tracker
from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import speech_level_db
from prosody_transfer.audio.resample import resample, resampled_length
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.features.extract import extract
from prosody_transfer.streaming.session import Session
from prosody_transfer.streaming.settings import StreamSettings
from prosody_transfer.streaming.words import PhraseWords
from prosody_transfer.synthesis.transferer import Transferer

LINE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"
SHORT = StreamSettings(recognise="phones", latency=1.0)


def said(session: Session, sound: np.ndarray, size: int) -> np.ndarray:
    """All of a stream that comes in chunks of one size; what is given is what is due, each time."""
    parts, taken, given = [], 0, 0
    for start in range(0, len(sound), size):
        parts.append(session.push(sound[start : start + size]))
        taken, given = min(len(sound), start + size), given + len(parts[-1])
        late = Fraction(taken, session.sample_rate) - Fraction(session.delay)
        assert given == max(0, int(late * session.output_rate))
    return np.concatenate([*parts, session.finish()])


@pytest.fixture(scope="module")
def line(line: np.ndarray) -> np.ndarray:
    """Its first 2.2 s, cut in three phrases."""
    return line[:35200]


@pytest.fixture(scope="module")
def whole(transferer: Transferer, line: np.ndarray) -> np.ndarray:
    return said(Session(transferer, "alice", 16000, settings=SHORT), line, len(line))


@pytest.mark.parametrize("size", [1, 7, 200, 5000])
def test_chunks_of_any_size_give_the_same_with_a_constant_delay(
    transferer: Transferer, line: np.ndarray, whole: np.ndarray, size: int
) -> None:
    session = Session(transferer, "alice", 16000, settings=SHORT)
    found = said(session, line, size)
    assert np.abs(whole).max() > 0.05 and session.phrases >= 3
    assert len(found) == resampled_length(len(line), 16000, 24000)
    assert np.array_equal(found, whole)


def test_two_streams_at_once_do_not_touch_each_other(
    transferer: Transferer, line: np.ndarray, whole: np.ndarray
) -> None:
    first = Session(transferer, "alice", 16000, settings=SHORT)
    other = Session(transferer, "george", 16000, settings=SHORT)
    mine = []
    for start in range(0, len(line), 4000):
        mine.append(first.push(line[start : start + 4000]))
        other.push(line[::-1][start : start + 4000])
    mine.append(first.finish())
    assert np.array_equal(np.concatenate(mine), whole)


@pytest.mark.parametrize("samples", [0, 1, 171, 1600])
def test_nothing_and_next_to_nothing(transferer: Transferer, samples: int) -> None:
    session = Session(transferer, "alice", 16000, settings=SHORT)
    found = said(session, np.zeros(samples, np.float32) + 1e-3, max(1, samples))
    assert len(found) == resampled_length(samples, 16000, 24000)
    assert np.isfinite(found).all() and np.abs(found).max(initial=0) < 0.01


def test_near_to_a_transfer_of_the_whole(transferer: Transferer, line: np.ndarray) -> None:
    sound = np.concatenate([line, line])
    session = Session(transferer, "alice", 16000, settings=StreamSettings(recognise="phones"))
    mine = said(session, sound, 1600)
    theirs = transferer.from_audio(
        sound, 16000, "alice", settings=StreamSettings(recognise="phones"), measure_output=False
    ).waveform
    tracker, config = get_tracker(), transferer.config
    one, two = extract(mine, config, tracker), extract(theirs, config, tracker)
    both = one.voiced & two.voiced
    assert both.mean() > 0.4
    assert np.corrcoef(one.log_f0[both], two.log_f0[both])[0, 1] > 0.98
    assert abs(np.median(one.log_f0[both] - two.log_f0[both])) < 0.2 * np.log(2) / 12
    assert abs(speech_level_db(mine[48000:], 24000) - speech_level_db(theirs[48000:], 24000)) < 1


def test_the_rate_of_the_input_does_not_matter(transferer: Transferer, line: np.ndarray, whole: np.ndarray) -> None:
    found = said(Session(transferer, "alice", 48000, settings=SHORT), resample(line, 16000, 48000), 4800)
    assert abs(len(found) - len(whole)) <= 1
    power = [np.add.reduceat(np.square(x[:52000]), np.arange(0, 52000, 1200)) for x in (found, whole)]
    assert np.corrcoef(*np.log(np.array(power) + 1e-6))[0, 1] > 0.98


def test_no_click_at_the_start_the_end_and_between_phrases(
    transferer: Transferer, line: np.ndarray, whole: np.ndarray
) -> None:
    """A line that begins and ends in the middle of a vowel, cut where there is no pause."""
    vowel = line[9000:26000]
    found = said(Session(transferer, "alice", 16000, settings=SHORT), vowel, 1600)
    assert np.abs(found[[0, -1]]).max() < 1e-3
    assert np.abs(np.diff(found)).max() < 1.5 * np.abs(np.diff(whole)).max()


def test_digital_silence_stays_silent(transferer: Transferer, line: np.ndarray) -> None:
    line = line[:16000]
    sound = np.concatenate([line, np.zeros(16000, np.float32), line])
    found = said(Session(transferer, "alice", 16000, settings=SHORT), sound, 1600)
    start = round(1.5 * len(line))
    assert not found[start + 1200 : start + 24000 - 1200].any()
    assert np.abs(found[start + 24000 :]).max() > 0.05


def test_known_words_are_given_to_the_phrases_in_which_they_are_said(transferer: Transferer) -> None:
    line = read_audio(LINE, 16000).waveform
    words = PhraseWords(["Shall we take the train,", "", "or would you prefer to drive?"])
    session = Session(transferer, "alice", 16000, settings=StreamSettings(latency=2.0), words=words)
    texts = []
    align = session.analyser.aligner.align
    session.analyser.aligner = type("Told", (), {
        "recogniser": session.analyser.aligner.recogniser,
        "align": lambda self, *args: texts.append(args[2].text) or align(*args),
    })()  # fmt: skip
    said(session, np.concatenate([line, line[:8000]]), 1600)
    assert words.left == 0
    assert " ".join(" ".join(texts).split()) == "Shall we take the train or would you prefer to drive"
    assert all(len(a.split()) > 1 for a, _ in pairwise(texts) if a)


@pytest.mark.parametrize(
    ("change", "flag"), [({"latency": 0.2}, "--latency"), ({"duration_scale": 1.5}, "--duration-scale")]
)
def test_what_no_stream_can_do_is_refused(transferer: Transferer, change: dict[str, float], flag: str) -> None:
    with pytest.raises(UsageError, match=flag):
        Session(transferer, "alice", 16000, settings=StreamSettings(**change))
    with pytest.raises(UsageError, match="--input-rate"):
        Session(transferer, "alice", 400)


def test_networks_of_torch_s_own_do_not_stream(transferer: Transferer) -> None:
    class Torch:
        config, vocoder, network = transferer.config, None, None

        def voice(self, name: str) -> None:
            return None

    with pytest.raises(ModelError, match="addon"):
        Session(Torch(), "alice", 16000)  # type: ignore[arg-type]
