"""The live recogniser on a recording: blocks of any size, strictly causal, soon, and through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.alignment.match import align_sequences
from prosody_transfer.analysis.live import LiveListener
from prosody_transfer.audio.io import read_audio
from prosody_transfer.text.lexicon import pronounce

LINE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"
RUN = "import sys; sys.modules['torch'] = None; from prosody_transfer.cli import main; main()"


@pytest.fixture(scope="module")
def line() -> np.ndarray:
    return read_audio(LINE, 24000).waveform


def listen(sound: np.ndarray, size: int, rate: int = 24000) -> list[tuple]:
    listener = LiveListener(rate)
    found = [p for i in range(0, len(sound), size) for p in listener.push(sound[i : i + size])]
    return [(p.phone, round(p.start, 3), round(p.end, 3)) for p in found + listener.finish()]


def test_blocks_of_any_size_are_heard_alike(line: np.ndarray) -> None:
    whole = listen(line, len(line))
    assert len(whole) > 20
    assert listen(line, 777) == whole == listen(line, 24000)


def test_what_comes_later_changes_nothing(line: np.ndarray) -> None:
    """All that was known after 1.5 s stands, whatever is said then."""
    rng, half = np.random.default_rng(0), 36_000
    told = []
    for rest in (line[half:], rng.normal(0, 0.1, 30_000).astype(np.float32), np.zeros(10, np.float32)):
        listener = LiveListener(24000)
        told.append(listener.push(line[:half]))
        listener.push(rest)
    assert told[0] == told[1] == told[2] and len(told[0]) > 8
    assert told[0][-1].end > 1.5 - LiveListener(24000).delay - 0.2


def test_most_of_the_phones_are_right_at_any_level_and_rate(line: np.ndarray) -> None:
    words = LINE.with_suffix(".txt").read_text().split()
    said = [p.rstrip("012") for word in words for p in pronounce(word.strip(".,?!").lower())[0]]
    for sound, rate in ((line, 24000), (0.1 * line, 24000), (read_audio(LINE, 16000).waveform, 16000)):
        heard = [name for name, _, _ in listen(sound, 4000, rate) if name != "SIL"]
        right = sum(i is not None and j is not None and said[i] == heard[j] for i, j in align_sequences(said, heard))
        assert right / len(said) > 0.6, f"{right} of {len(said)}"


def test_a_phone_is_known_within_150_ms(line: np.ndarray) -> None:
    listener = LiveListener(24000)
    found = [p for i in range(0, len(line), 240) for p in listener.push(line[i : i + 240])]
    waited = np.array([p.known - p.end for p in found]) + listener.config.n_fft / 2 / 24000
    assert listener.delay < 0.12 and np.quantile(waited, 0.9) < 0.15, waited.max()


def run(*arguments: str, sent: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", RUN, "align", *arguments]
    return subprocess.run(command, input=sent, capture_output=True, timeout=120)


def test_a_file_and_a_pipe_give_the_same_lines(line: np.ndarray) -> None:
    done = run(str(LINE), "--recognise", "phones", "--live")
    assert done.returncode == 0, done.stderr
    first = [json.loads(row) for row in done.stdout.splitlines()]
    assert len(first) > 20 and set(first[0]) == {"phone", "start", "end", "confidence", "known"}
    sent = np.rint(line * 32767).astype("<i2").tobytes()
    done = run("-", "--live", "--input-rate", "24000", sent=sent + b"x")
    assert done.returncode == 6 and b"ends inside a sample" in done.stderr, "all others were heard before"
    second = [json.loads(row) for row in done.stdout.splitlines()]
    assert np.mean([a["phone"] == b["phone"] for a, b in zip(first, second, strict=False)]) > 0.9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-",), "--live"), ((str(LINE), "--live", "--text", "shall"), "--text: does not go with --live"),
        ((str(LINE), "--live", "-o", "x.TextGrid"), "--output"), (("none.wav", "--live"), "none.wav"),
        (("-", "--live", "--input-rate", "12"), "--input-rate"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_in_a_line(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    error = done.stderr.decode()
    assert done.returncode in (2, 3) and said in error and error.count("\n") == 1 and not done.stdout, error
