"""Every kind of sound file is read: rates, channels, formats, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.audio.io import Audio, probe, read_audio
from prosody_transfer.audio.resample import resample, resampled_length

FORMATS = {
    "PCM_U8.wav": ("WAV", "PCM_U8", 0.01),
    "PCM_16.wav": ("WAV", "PCM_16", 1e-4),
    "PCM_24.wav": ("WAV", "PCM_24", 1e-6),
    "PCM_32.wav": ("WAV", "PCM_32", 1e-6),
    "FLOAT.wav": ("WAV", "FLOAT", 1e-7),
    "DOUBLE.wav": ("WAV", "DOUBLE", 1e-7),
    "ULAW.wav": ("WAV", "ULAW", 0.02),
    "extensible.wav": ("WAVEX", "PCM_16", 1e-4),
    "rf64.wav": ("RF64", "PCM_16", 1e-4),
    "a.aiff": ("AIFF", "PCM_16", 1e-4),
    "a.au": ("AU", "PCM_16", 1e-4),
    "a.caf": ("CAF", "PCM_16", 1e-4),
    "a.w64": ("W64", "PCM_16", 1e-4),
    "16.flac": ("FLAC", "PCM_16", 1e-4),
    "24.flac": ("FLAC", "PCM_24", 1e-6),
    "a.ogg": ("OGG", "VORBIS", 0.1),
    "a.opus": ("OGG", "OPUS", 0.1),
    "a.mp3": ("MP3", "MPEG_LAYER_III", 0.1),
}
ALL_RATES = (8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000, 192000)
RATES = {
    "a.opus": (8000, 12000, 16000, 24000, 48000),
    "a.mp3": (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000),
}


def signal(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """A moving tone, (N, C), quieter in later channels."""
    t = np.arange(int(seconds * rate)) / rate
    wave = 0.4 * np.sin(2 * np.pi * (200 * t + 30 * np.sin(2 * np.pi * t))) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
    return np.stack([wave / (1 + 0.1 * c) for c in range(channels)], axis=1).astype(np.float32)


def write(path: Path, data: np.ndarray, rate: int, kind: str, subtype: str) -> Path:
    with soundfile.SoundFile(path, "w", rate, data.shape[1], format=kind, subtype=subtype) as file:
        for at in range(0, len(data), 4096):
            file.write(data[at : at + 4096])
    return path


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_format_rate_and_channel_count(tmp_path: Path, name: str, channels: int) -> None:
    kind, subtype, tolerance = FORMATS[name]
    if kind == "MP3" and channels > 2:
        pytest.skip("mp3 has at most two channels")
    for rate in RATES.get(name, ALL_RATES):
        data = signal(0.61, rate, channels)
        path = write(tmp_path / f"{rate}{name}", data, rate, kind, subtype)
        audio = read_audio(path, 24000)
        assert (audio.sample_rate, audio.original_sample_rate, audio.channels) == (24000, rate, channels)
        assert audio.original_samples == len(data)
        assert audio.waveform.shape == (resampled_length(len(data), rate, 24000),)
        assert audio.waveform.dtype == np.float32
        assert audio.seconds == len(data) / rate
        assert probe(path) == (rate, len(data), channels)
        if channels < 6 or kind not in ("OGG",):  # six coded channels are taken for a loudspeaker set, and filtered so
            expected = resample(data[:, 0], rate, 24000)  # the others hold the same, softer
            error = np.abs(audio.waveform - expected)[600:-600]
            assert np.sqrt(np.mean(error**2)) < tolerance / 2, rate


@pytest.mark.parametrize("kind", ["a.mp3", "a.opus", "a.ogg", "16.flac"])
def test_blocks_leave_no_trace(tmp_path: Path, kind: str) -> None:
    data = signal(8, 24000) + 0.05 * np.random.default_rng(0).standard_normal((192000, 1)).astype(np.float32)
    path = write(tmp_path / kind, data, 24000, *FORMATS[kind][:2])
    whole, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(read_audio(path).waveform, whole, atol=3e-6)


def test_without_a_rate_the_files_own_is_kept(tmp_path: Path) -> None:
    data = signal(0.5, 44100)
    audio = read_audio(str(write(tmp_path / "a.wav", data, 44100, "WAV", "FLOAT")))
    assert isinstance(audio, Audio) and audio.sample_rate == 44100 and audio.path == tmp_path / "a.wav"
    np.testing.assert_array_equal(audio.waveform, data[:, 0])


def test_opposite_channels_give_the_loudest(tmp_path: Path) -> None:
    data = signal(1, 16000)
    pair = np.concatenate([0.95 * data, -data], axis=1)
    audio = read_audio(write(tmp_path / "a.wav", pair, 16000, "WAV", "FLOAT"))
    np.testing.assert_array_equal(audio.waveform, -data[:, 0])
    assert audio.channels == 2


def test_one_dead_channel_is_left_out(tmp_path: Path) -> None:
    data = signal(1, 16000)
    pair = np.concatenate([np.zeros_like(data), data], axis=1)
    audio = read_audio(write(tmp_path / "a.wav", pair, 16000, "WAV", "FLOAT"))
    np.testing.assert_array_equal(audio.waveform, data[:, 0])


def test_a_microphone_array_with_one_live_channel_is_heard(tmp_path: Path) -> None:
    data = np.zeros((16000, 256), np.float32)
    data[:, 200] = signal(1, 16000)[:, 0]
    audio = read_audio(write(tmp_path / "a.wav", data, 16000, "WAV", "FLOAT"))
    np.testing.assert_array_equal(audio.waveform, data[:, 200])


def test_channels_can_be_kept(tmp_path: Path) -> None:
    data = signal(0.5, 48000, 3)
    audio = read_audio(write(tmp_path / "a.wav", data, 48000, "WAV", "FLOAT"), 24000, mono=False)
    assert audio.waveform.shape == (3, 12000)
    np.testing.assert_allclose(audio.waveform, resample(data.T, 48000, 24000), atol=1e-5)


def test_the_content_tells_the_format_not_the_name(tmp_path: Path) -> None:
    for name in ("a.mp3", "a.raw", "a.vox", "no_suffix", "été 音.wav"):
        write(tmp_path / "a.flac", signal(0.5, 16000), 16000, "FLAC", "PCM_16").rename(tmp_path / name)
        assert read_audio(tmp_path / name).original_samples == 8000


def test_samples_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    data = 3 * signal(0.5, 16000)
    assert read_audio(write(tmp_path / "a.wav", data, 16000, "WAV", "FLOAT")).waveform.max() > 1.1


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_wav_from_a_pipe_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "a.wav", signal(0.5, 16000), 16000, "WAV", "PCM_16")
    content = bytearray(path.read_bytes())
    content[40:44] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert read_audio(path).original_samples == 8000


def test_a_flac_from_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", signal(2.5, 16000), 16000, "FLAC", "PCM_16")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # 36 bits: the number of samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    audio = read_audio(path, 24000)
    assert audio.original_samples == 40000 and audio.waveform.shape == (60000,)


def test_an_ogg_without_its_end_mark_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", signal(20, 16000), 16000, "OGG", "VORBIS")
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"OggS\0")])
    assert 5 < read_audio(path).seconds < 20


def test_chunks_after_the_sound_are_no_sound(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", signal(0.5, 16000), 16000, "WAV", "PCM_16")
    path.write_bytes(path.read_bytes() + b"LIST" + (4).to_bytes(4, "little") + b"INFO")
    assert read_audio(path).original_samples == 8000


def test_memory_does_not_grow_with_rate_and_channels(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    block = (signal(5, 48000, 2) * 32767).astype(np.int16)
    with soundfile.SoundFile(path, "w", 48000, 2, subtype="PCM_16") as file:
        for _ in range(24):
            file.write(block)
    del block
    tracemalloc.start()
    try:
        audio = read_audio(path, 24000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert audio.seconds == 120 and audio.waveform.nbytes == 120 * 24000 * 4
    assert peak < audio.waveform.nbytes + 2_000_000  # decoded whole, the file alone would take 46 MB


def test_probe_does_not_decode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.flac", signal(1, 44100, 2), 44100, "FLAC", "PCM_16")
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *a, **k: pytest.fail("decoded"))
    assert probe(path).seconds == 1.0
