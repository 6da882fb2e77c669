"""`ptx stream`: samples through pipes, what is refused, and how it ends."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.audio.io import read_audio
from prosody_transfer.streaming.pipes import say_pipe, wav_header

LINE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"
RUN = """
import sys
sys.argv = ["ptx", "stream", "-s", "alice", "--recognise", "phones", "--latency", "1", *sys.argv[1:]]
from prosody_transfer.cli import main
try:
    main()
finally:
    assert "torch" not in sys.modules
"""


def start(*arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", RUN, *arguments], stdin=pipe, stdout=pipe, stderr=pipe)


def samples(seconds: float) -> bytes:
    sound = read_audio(LINE, 16000).waveform[: round(16000 * seconds)]
    return np.rint(sound * 32767).astype("<i2").tobytes()


def test_half_a_sample_at_the_end_is_told_after_all_others_were_said(tmp_path: Path) -> None:
    sent = samples(1.5)
    out, err = start("--output-wav", "-").communicate(sent + b"x", timeout=120)
    told = err.decode().splitlines()
    assert told[-1].startswith("ptx: stdin: the stream ends inside a sample") and "Traceback" not in err.decode()
    assert "delay 2." in told[0] and "1 s latency" in told[0] and "ffplay" in told[1]
    (tmp_path / "out.wav").write_bytes(out)
    sound, rate = soundfile.read(tmp_path / "out.wav")
    assert (rate, sound.ndim, len(sound)) == (24000, 1, len(sent) // 2 * 3 // 2)
    assert np.abs(sound).max() > 0.05


def test_a_reader_that_goes_ends_it_and_without_a_word() -> None:
    process = start()
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(samples(3.0))
    process.stdin.flush()
    assert len(process.stdout.read(2000)) == 2000
    process.stdout.close()
    process.stdin.write(samples(3.0))
    process.stdin.close()
    assert process.wait(timeout=120) == 141
    assert process.stderr.read().count(b"\n") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-s", "nobody"], 2, "nobody"),
        (["-s", "alice", "--input-rate", "400"], 2, "--input-rate"),
        (["-s", "alice", "--latency", "0.1"], 2, "--latency"),
        (["-s", "alice", "--keep", "rythm"], 2, "--keep"),
        (["-s", "alice", "--output-wav", "out.wav"], 2, "> out.wav"),
        (["-s", "alice", "--text-lines", "gone.txt"], 4, "gone.txt"),
        (["-s", "alice", "--text-lines", "empty.txt"], 4, "holds no words"),
    ],
)
def test_refusals(ptx, tmp_path: Path, monkeypatch, arguments, code, says) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n \n")
    monkeypatch.setattr("prosody_transfer.synthesis.transferer.Transferer.__init__", _never)
    result = ptx("stream", *arguments)
    assert result.exit_code == code and says in result.stderr and result.stderr.count("\n") == 1


def _never(*_: object, **__: object) -> None:
    raise AssertionError("a network was loaded")


def test_the_header_of_a_stream_without_a_known_length() -> None:
    head = wav_header(24000, "Synthetic speech.")
    assert head[:4] == b"RIFF" and head[8:16] == b"WAVEfmt " and struct.unpack("<I", head[-4:])[0] == 0xFFFFFFFF
    data = head + np.arange(-50, 50, dtype="<i2").tobytes()
    sound, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == 24000 and sound.tolist() == list(range(-50, 50))
    assert b"Synthetic speech." in head and len(wav_header(24000)) == 44


def test_bytes_that_come_one_by_one_are_whole_samples() -> None:
    class Echo:
        sample_rate, phrases, delay = 16000, 0, 0.0

        def push(self, sound: np.ndarray) -> np.ndarray:
            return sound

        def finish(self) -> np.ndarray:
            return np.full(1, 2.0, np.float32)

    class OneByOne(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return self.read(1)

    sent, got = np.array([-32768, -1, 0, 258, 32767], "<i2"), io.BytesIO()
    report = say_pipe(Echo(), OneByOne(sent.tobytes()), got)  # type: ignore[arg-type]
    assert np.frombuffer(got.getvalue(), "<i2").tolist() == [*sent.tolist(), 32767]
    assert report["seconds"] == round(5 / 16000, 4)
