"""A text that no recording of that length can hold is refused before anything is measured or recognised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.alignment.base import Heard
from prosody_transfer.analysis.analyse import analyse
from prosody_transfer.analysis.settings import AnalysisSettings
from prosody_transfer.analysis.transcript import Transcript
from prosody_transfer.core.errors import MismatchError, TranscriptError
from prosody_transfer.corpus.transcripts import Rejected, _align_text
from prosody_transfer.text.cleaning import clean
from prosody_transfer.text.rate import MOST_PHONES, least_phones, require_time
from prosody_transfer.text.transcript import LONGEST_TEXT, read_words


class Untouched:
    """An aligner that nobody may ask."""

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"{name} was asked for")


def test_a_hundred_thousand_words_for_three_seconds() -> None:
    waveform = np.zeros(3 * 24_000, np.float32)
    words = Transcript.of(clean("hello there " * 50_000), "text")
    with pytest.raises(MismatchError, match=r"does not match the audio: [0-9]+ phones or more for 3.0 s") as caught:
        analyse(waveform, words, Untouched(), AnalysisSettings())  # type: ignore[arg-type]
    assert caught.value.exit_code == 4 and caught.value.remedy


def test_what_is_only_perhaps_said_does_not_count() -> None:
    """A long note in parentheses may be a direction: only the recording tells."""
    note = "he looks at the sea and thinks of all the ships that have come and gone since then"
    text = clean(" ".join(f"Well ({note})." for _ in range(20)))
    assert len(text.doubts) == 20 and least_phones(text.marked) > MOST_PHONES * 6
    Transcript.of(text, "text").require_time(5.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1234567890 " * 4, 12.0), ("WWW.BBC.CO.UK", 0.8), ("Supercalifragilisticexpialidocious!", 1.2),
        ("peter piper picked a peck of pickled peppers " * 2, 3.0), ("Hi.", 0.3), ("ha" * 30, 0.5),
    ],
)  # fmt: skip
def test_what_fast_speakers_say_is_not_refused(text, seconds) -> None:
    require_time(text, seconds)


def test_a_row_of_a_corpus_is_rejected_too() -> None:
    with pytest.raises(Rejected) as caught:
        heard = Heard(np.zeros((1, 40)), 0.01)
        _align_text(np.zeros(16_000, np.float32), 16_000, "hello there " * 5000, "no aligner is asked", heard)
    assert caught.value.finding.reason == "mismatch"


def test_a_text_longer_than_any_recording(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("hello there " * (LONGEST_TEXT // 12 + 1))
    with pytest.raises(TranscriptError, match="is too long: 600,[0-9]+ characters; 600,000 are the most"):
        read_words(path)
    path.write_bytes(b"a" * 9_000_000)
    with pytest.raises(TranscriptError, match="is too large: 9 MB, and 8 MB are the most that is read"):
        read_words(path)


def test_labels_one_after_the_other_are_not_taken_off_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from prosody_transfer.text import cleaning

    rounds, once = [], cleaning._once
    monkeypatch.setattr(cleaning, "_once", lambda text: rounds.append(len(text)) or once(text))
    cleaning.clean("a: " * 100_000)
    assert sum(rounds) < 3_000_000


def test_a_command_refuses_them_before_a_network_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prosody_transfer.audio.io import write_audio
    from prosody_transfer.cli._single import check_single
    from prosody_transfer.store import weights
    from prosody_transfer.synthesis.transfer import TransferSettings

    monkeypatch.setattr(weights, "load_network", Untouched())
    source = tmp_path / "a.wav"
    write_audio(source, np.full(24_000, 0.5, np.float32), 24_000)
    with pytest.raises(MismatchError, match="phones or more for 1.0 s"):
        check_single(
            source, "alice", None, None, ".wav", "hello there " * 5000, None, None, False, "PCM_24", TransferSettings()
        )
