"""Which word of a transcript is wrong: heard by the recogniser that ships, on speech that comes with the project."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import prosody_transfer.evaluation
from prosody_transfer.analysis.pieces import cut
from prosody_transfer.analysis.settings import AnalysisSettings
from prosody_transfer.analysis.source import SourceAligner
from prosody_transfer.analysis.transcript import Transcript
from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.core.config import MelConfig
from prosody_transfer.store.weights import load_network

RATE = 24000
SET = Path(prosody_transfer.evaluation.__file__).parent / "benchmark_set"
RIGHT = "When the rain finally stopped, the whole street smelled of pepper."


class Ear:
    """A word recogniser that always hears the same, and counts how often it was asked."""

    def __init__(self, said):
        self.said, self.asked = said, 0

    def text(self, waveform, sample_rate):
        self.asked += 1
        return self.said


def recording(name):
    row = next(r for r in json.loads((SET / "manifest.json").read_text()) if r["id"] == name)
    waveform = normalise_level(read_audio(SET / row["source"], RATE).waveform, RATE)[0]
    return waveform, row["text"]


@pytest.fixture(scope="module")
def listener():
    return SourceAligner(load_network("recogniser")[0])


def listen(listener, waveform, text, said):
    listener._words = Ear(said)
    heard = listener.align(
        waveform, cut(waveform, MelConfig()), Transcript(text, None, "text"), AnalysisSettings()
    )
    return heard, listener._words.asked


@pytest.mark.parametrize(("text", "note"), [
    (RIGHT.replace("finally ", ""), '"finally" at 0.8 s is probably said, but not in the transcript'),
    (RIGHT.replace("pepper", "cinnamon"), '"cinnamon" at 2.9 s is probably not what is said: "pepper" is heard'),
    (RIGHT.replace("the whole", "the large whole"), '"large" at 1.9 s is in the transcript, but probably not said'),
])  # fmt: skip
def test_a_wrong_word_is_named_with_its_time(listener, text, note):
    waveform, right = recording("complex_1")
    assert right == RIGHT
    heard, asked = listen(listener, waveform, text, RIGHT)
    assert asked == 1 and len(heard.warnings) == 1
    words, _, time = heard.warnings[0].partition(" at ")
    assert (words, time.split(" s ")[1]) == (note.partition(" at ")[0], note.split(" s ")[1])
    assert float(time.split(" ")[0]) == pytest.approx(float(note.partition(" at ")[2].split(" ")[0]), abs=0.4)


@pytest.mark.parametrize("name", ["complex_1", "wh_2", "or_3", "exclaim_3", "plain_4", "compound_1"])
def test_right_words_are_sure_and_nobody_is_asked(listener, name):
    waveform, text = recording(name)
    heard, asked = listen(listener, waveform, text, "something else entirely")
    assert (heard.warnings, asked) == ([], 0)
    assert len(heard.confidence) == len(heard.alignment.words)
    assert min(heard.confidence) > 0.5 and np.mean(heard.confidence) > 0.9


def test_a_word_that_is_not_said_is_not_sure(listener):
    waveform, text = recording("plain_4")
    heard, _ = listen(listener, waveform, text.replace("small museum", "small yellow museum"), text)
    words = [w.word for w in heard.alignment.words]
    sure = dict(zip(words, heard.confidence, strict=True))
    assert sure["yellow"] < 0.5 and sure["yellow"] == min(heard.confidence) and sure["railway"] > 0.9


def test_a_suspicion_that_is_heard_as_written_is_cleared(listener):
    """And what sounds alike is the same, however it is written."""
    waveform, right = recording("complex_1")
    wrong = right.replace("pepper", "cinnamon")
    assert listen(listener, waveform, wrong, wrong)[0].warnings == []
    alike = wrong.replace("whole", "hole").replace("rain", "reign")
    assert listen(listener, waveform, wrong, alike)[0].warnings == []
    assert listen(listener, waveform, wrong, "")[0].warnings == []


def test_in_noise_a_right_transcript_is_left_alone(listener):
    """Even where the word recogniser mishears it too."""
    waveform, right = recording("complex_1")
    for share in (0.2, 0.5, 0.8):
        noise = np.random.default_rng(1).normal(0, share * waveform.std(), len(waveform)).astype(np.float32)
        heard, _ = listen(listener, waveform + noise, right, "When Lorraine finally stopped, the whole street held off")
        assert all("too noisy" in w for w in heard.warnings)


def test_no_check_asks_nobody(listener):
    waveform, right = recording("complex_1")
    listener._words = ear = Ear(right)
    wrong, unchecked = Transcript(right.replace("finally ", ""), None, "text"), AnalysisSettings(check_transcript=False)
    heard = listener.align(waveform, cut(waveform, MelConfig()), wrong, unchecked)
    assert (ear.asked, heard.warnings) == (0, []) and len(heard.confidence) == len(heard.alignment.words)
