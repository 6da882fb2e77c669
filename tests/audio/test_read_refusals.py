"""What cannot be used is refused in one line that says what and where."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.audio import decode
from prosody_transfer.audio.io import probe, read_audio
from prosody_transfer.core.errors import AudioError

RATE = 16000


def tone(seconds: float = 4.0, rate: int = RATE) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 300 * t) * (1 + np.sin(2 * np.pi * 3 * t)) / 2).astype(np.float32)


def make(path: Path, data: np.ndarray | None = None, rate: int = RATE, subtype: str | None = None) -> Path:
    kind = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".opus": "OGG", ".mp3": "MP3", ".aiff": "AIFF"}[path.suffix]
    if path.suffix == ".opus":
        subtype = "OPUS"
    soundfile.write(path, tone() if data is None else data, rate, format=kind, subtype=subtype)
    return path


def refusal(path: Path, capfd: pytest.CaptureFixture[str] | None = None) -> str:
    with pytest.raises(AudioError) as caught:
        read_audio(path, 24000)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(str(path)) and "; " in message
    assert caught.value.exit_code == 3 and caught.value.__suppress_context__ == (caught.value.__context__ is not None)
    if capfd:
        assert capfd.readouterr() == ("", "")
    return message


def test_missing_file_with_the_nearest_names(tmp_path: Path) -> None:
    make(tmp_path / "interview.wav")
    make(tmp_path / "other.flac")
    assert "no such file; did you mean interview.wav?" in refusal(tmp_path / "intervew.wav")
    assert "did you mean other.flac?" in refusal(tmp_path / "other.mp3")
    assert "check the name" in refusal(tmp_path / "zzzzzz.q")
    assert "there is no folder" in refusal(tmp_path / "nowhere" / "a.wav")
    assert "no such file" in refusal(tmp_path / "other.flac" / "a.wav")


def test_a_folder_and_other_things(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "not a regular file" in refusal(Path(os.devnull))
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not a regular file" in refusal(tmp_path / "pipe.wav")
    assert "cannot be read" in refusal(tmp_path / "a\0b.wav")
    assert "cannot be read (File name too long)" in refusal(tmp_path / ("a" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    make(tmp_path / "a.wav").chmod(0)
    assert "Permission denied" in refusal(tmp_path / "a.wav")


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert "empty file (0 bytes)" in refusal(tmp_path / "a.wav")
    assert "0 samples" in refusal(make(tmp_path / "b.wav", np.zeros(0)))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello, I am text\n" * 50, "is not a sound file"),
        (("hello, I am text\n" * 50).encode("utf-16"), "is a text file"),
        (bytes(5000), "is not a sound file"),
        (np.random.default_rng(0).bytes(5000), "is not a sound file"),
        (b"\xff\xfb" + np.random.default_rng(1).bytes(5000), "is not a sound file"),
        (b"x", "is not a sound file"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(500), "is an MP4 or M4A file, but damaged or cut off"),
        (b"\x1aE\xdf\xa3" + bytes(500), "is a Matroska or WebM file"),
        (b"RIFF\0\0\0\0WAVE", "is damaged"),
        (b"fLaC" + bytes(40), "is damaged"),
        (b"OggS\0" + bytes(100), "is damaged"),
        (b"ID3\x03\0\0\0\0\0\0" + bytes(300), "is damaged"),
    ],
)
def test_not_audio(tmp_path: Path, content: bytes, says: str, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a.wav", "a.mp3", "a.raw", "a.gsm", "a"):
        (tmp_path / name).write_bytes(content)
        assert says in refusal(tmp_path / name, capfd)


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac", ".ogg", ".opus", ".mp3"])
@pytest.mark.parametrize("share", [0.4, 0.7, 0.97])
def test_cut_off(tmp_path: Path, suffix: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path / f"a{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "cut off" in refusal(path, capfd)


def test_a_cut_off_wav_says_how_much_is_there(tmp_path: Path) -> None:
    path = make(tmp_path / "a.wav", subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: 44 + 50_000])
    assert "50000 of the 128000 bytes of sound are there" in refusal(path)
    with pytest.raises(AudioError, match="50000 of the 128000"):
        probe(path)


def test_a_wav_that_was_never_finished(tmp_path: Path) -> None:
    path = make(tmp_path / "a.wav", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[40:44] = bytes(4)
    path.write_bytes(content)
    assert "never finished: its header says 0 bytes of sound, but 128000 follow" in refusal(path)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus", ".mp3"])
def test_damaged_in_the_middle(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path / f"a{suffix}", 0.2 * np.random.default_rng(0).standard_normal(20 * RATE))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = np.random.default_rng(1).bytes(4000)
    path.write_bytes(content)
    assert "s of 20.00 s" in refusal(path, capfd)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path: Path, value: float) -> None:
    data = tone()
    data[40_000] = value
    assert "holds NaN or infinite samples, first at 2.500 s" in refusal(make(tmp_path / "a.wav", data, subtype="FLOAT"))


def test_absurd_samples(tmp_path: Path) -> None:
    assert "full scale is 1.0" in refusal(make(tmp_path / "a.wav", 1e30 * tone(), subtype="FLOAT"))


@pytest.mark.parametrize("offset", [0.0, 0.25])
def test_silence(tmp_path: Path, offset: float) -> None:
    assert "is digital silence" in refusal(make(tmp_path / "a.wav", np.full(RATE, offset)))
    assert "above -70 dBFS" in refusal(make(tmp_path / "b.wav", offset + tone() * 1e-3 * 0.9, subtype="FLOAT"))


def test_faint_is_not_silent(tmp_path: Path) -> None:
    assert read_audio(make(tmp_path / "a.wav", tone() * 2e-3, subtype="FLOAT")).waveform.any()


def test_opposite_silent_channels_are_silence(tmp_path: Path) -> None:
    assert "is digital silence" in refusal(make(tmp_path / "a.wav", np.zeros((RATE, 2))))


def test_too_short(tmp_path: Path) -> None:
    assert "is too short: 0.299 s, the least is 0.3 s" in refusal(make(tmp_path / "a.wav", tone(0.299)))
    assert read_audio(make(tmp_path / "b.wav", tone(0.3))).original_samples == 4800


@pytest.mark.parametrize("rate", [4000, 7999, 192_001, 384_000])
def test_rates_out_of_reach(tmp_path: Path, rate: int) -> None:
    message = refusal(make(tmp_path / "a.wav", tone(1, rate), rate))
    assert f"{rate} samples a second" in message and "8000 to 192000 Hz" in message and "resample it first" in message


def test_too_long_is_refused_from_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.wav", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    with open(path, "wb") as file:  # sparse: more than 3 hours that take no disk
        content[40:44] = (2 * RATE * 10_801).to_bytes(4, "little")
        file.write(content[:44])
        file.truncate(44 + 2 * RATE * 10_801)
    monkeypatch.setattr(decode, "_blocks", lambda *a: pytest.fail("decoded"))
    assert "lasts 3.00 hours, the limit is 3" in refusal(path)


def test_too_long_without_a_header_is_refused_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    monkeypatch.setattr(decode, "MAX_SECONDS", 2.0)
    assert "the limit is" in refusal(path)
