"""What is written can be read back, and appears whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_transfer.audio import io
from prosody_transfer.audio.io import check_writable, probe, read_audio, write_audio
from prosody_transfer.core.errors import OutputError, ShapeError


def wave(samples: int = 24000) -> np.ndarray:
    return (0.3 * np.random.default_rng(samples).standard_normal(samples)).clip(-0.9, 0.9).astype(np.float32)


def refusal(path: Path, **settings: object) -> str:
    with pytest.raises(OutputError) as caught:
        write_audio(path, wave(), 24000, **settings)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message and message.startswith(str(path)) and "; " in message and caught.value.exit_code == 5
    return message


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
def test_pcm_round_trip_is_within_half_a_step(tmp_path: Path, suffix: str) -> None:
    write_audio(tmp_path / f"a{suffix}", wave(), 24000)
    back = read_audio(tmp_path / f"a{suffix}")
    assert back.sample_rate == 24000
    assert np.abs(back.waveform - wave()).max() <= 0.5 / 32768
    write_audio(tmp_path / f"b{suffix}", back.waveform, 24000)  # what has been rounded once stays
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_float_round_trip_is_exact(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", wave(), 24000, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav").waveform, wave())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.integers(1, 3000), st.integers(60_000, 140_000)),
    st.sampled_from([8000, 12000, 16000, 24000, 48000]),
)
def test_opus_keeps_every_sample(tmp_path: Path, samples: int, rate: int) -> None:
    write_audio(tmp_path / "a.opus", wave(samples), rate, overwrite=True)
    assert probe(tmp_path / "a.opus") == (rate, samples, 1)
    assert len(soundfile.read(tmp_path / "a.opus")[0]) == samples


def test_opus_sounds_alike(tmp_path: Path) -> None:
    tone = (0.4 * np.sin(np.arange(24000) * 0.08)).astype(np.float32)
    write_audio(tmp_path / "a.opus", tone, 24000)
    assert np.sqrt(np.mean((read_audio(tmp_path / "a.opus").waveform - tone)[2000:-2000] ** 2)) < 0.02


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_16", "FLOAT"])
def test_clipping_is_guarded(tmp_path: Path, subtype: str) -> None:
    write_audio(tmp_path / "a.wav", np.tile([2.0, -2.0, 1.0, -1.0], 3000), 24000, subtype=subtype)
    back = read_audio(tmp_path / "a.wav").waveform
    np.testing.assert_allclose(back, np.tile([1.0, -1.0], 6000), atol=1 / 32768)


def test_the_same_waveform_gives_the_same_bytes(tmp_path: Path) -> None:
    for suffix in (".wav", ".flac"):
        write_audio(tmp_path / f"a{suffix}", wave(), 24000)
        write_audio(tmp_path / f"b{suffix}", wave(), 24000)
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a", "a.wav.txt"])
def test_unknown_suffix(tmp_path: Path, name: str) -> None:
    assert "known are .wav, .flac, .opus" in refusal(tmp_path / name)


def test_unfit_settings(tmp_path: Path) -> None:
    assert "flac holds no float" in refusal(tmp_path / "a.flac", subtype="FLOAT")
    assert "unknown subtype 'PCM_8'; known are PCM_24, PCM_16, FLOAT" in refusal(tmp_path / "a.wav", subtype="PCM_8")
    with pytest.raises(OutputError, match="opus cannot hold 22050 Hz; use one of 8000"):
        write_audio(tmp_path / "a.opus", wave(), 22050)
    assert not list(tmp_path.iterdir())


def test_existing_needs_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"mine")
    assert "exists; give another name, or --force" in refusal(path)
    assert path.read_bytes() == b"mine"
    write_audio(path, wave(), 24000, overwrite=True)
    assert probe(path).samples == 24000
    assert os.listdir(tmp_path) == ["a.wav"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.wav").touch()
    (tmp_path / "link.wav").symlink_to("real.wav")
    write_audio(tmp_path / "link.wav", wave(), 24000, overwrite=True)
    assert (tmp_path / "link.wav").is_symlink() and probe(tmp_path / "real.wav").samples == 24000


def test_a_link_to_itself_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to("a.wav")
    assert "exists" in refusal(tmp_path / "a.wav")
    write_audio(tmp_path / "a.wav", wave(), 24000, overwrite=True)
    assert probe(tmp_path / "a.wav").samples == 24000


def test_folders(tmp_path: Path) -> None:
    assert "there is no folder" in refusal(tmp_path / "no" / "a.wav")
    (tmp_path / "a.wav").mkdir()
    assert "is a folder" in refusal(tmp_path / "a.wav", overwrite=True)
    (tmp_path / "file").touch()
    assert "there is no folder" in refusal(tmp_path / "file" / "a.wav")
    (tmp_path / "dev.wav").symlink_to(os.devnull)
    assert "is a device" in refusal(tmp_path / "dev.wav", overwrite=True)
    assert "cannot be written" in refusal(tmp_path / ("a" * 300 + ".wav"))


@pytest.mark.parametrize("code", [13, 30])
def test_folder_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(io, "_temporary", refuse)  # root may write everywhere, so the system's answer is given by hand
    with pytest.raises(OutputError, match="cannot be written to; choose another"):
        check_writable(tmp_path / "a.wav")
    assert "cannot be written to" in refusal(tmp_path / "a.wav")


def test_check_writable_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.wav")
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.wav").write_bytes(b"mine")
    check_writable(tmp_path / "a.wav", overwrite=True)
    assert (tmp_path / "a.wav").read_bytes() == b"mine"
    with pytest.raises(OutputError, match="--force"):
        check_writable(tmp_path / "a.wav")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.opus"])
def test_disk_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    true_temporary = io._temporary

    def full(folder: Path) -> tuple[int, Path]:
        descriptor, path = true_temporary(folder)
        os.close(descriptor)
        return os.open("/dev/full", os.O_RDWR), path

    monkeypatch.setattr(io, "_temporary", full)
    (tmp_path / name).write_bytes(b"mine")
    assert "the disk is full; nothing was written" in refusal(tmp_path / name, overwrite=True)
    assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"mine"
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits")
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.opus"])
def test_disk_full_half_way(tmp_path: Path, name: str) -> None:
    program = (
        "import resource, sys, numpy as np\n"
        "from prosody_transfer.audio.io import write_audio\n"
        "from prosody_transfer.core.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try: write_audio(sys.argv[1], np.random.default_rng(0).standard_normal(500000) / 9, 24000)\n"
        "except OutputError as error: print(error); sys.exit(5)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], capture_output=True, text=True)
    assert done.returncode == 5 and "cannot be written (File too large)" in done.stdout and not done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    class Broken:
        def __init__(self, file: object) -> None:
            self.file, self.calls = file, 0

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

        def write(self, data: bytes) -> int:
            self.calls += 1
            if self.calls > 2:
                raise error
            return self.file.write(data)  # type: ignore[attr-defined]

    true_sink = io._Sink
    monkeypatch.setattr(io, "_Sink", lambda file: true_sink(Broken(file)))  # type: ignore[arg-type]
    with pytest.raises(error):
        write_audio(tmp_path / "a.wav", wave(), 24000)
    assert not list(tmp_path.iterdir())


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", wave(), 24000)
    (tmp_path / "plain").touch()
    assert stat.S_IMODE((tmp_path / "a.wav").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_not_finite_or_misshapen(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="NaN"):
        write_audio(tmp_path / "a.wav", np.array([0.0, np.nan]), 24000)
    for shape in ((0,), (1, 24000)):
        with pytest.raises(ShapeError):
            write_audio(tmp_path / "a.wav", np.zeros(shape), 24000)
    assert not list(tmp_path.iterdir())
