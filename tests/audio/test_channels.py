"""What is heard of a recording's channels: the sound in them, as loud as in the loudest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.audio.io import probe, read_audio
from prosody_transfer.audio.layouts import check_channel, file_names, find_channel, shown
from prosody_transfer.core.errors import AudioError, UsageError

RATE = 16000


def syllables(seconds: float = 4.0, f0: float = 150.0, seed: int = 0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (f0 * t + 8 * np.sin(2 * np.pi * 0.7 * t + seed))
    wave = sum(np.sin(k * phase) / k for k in range(1, 12))
    return (0.15 * wave * (0.02 + np.clip(np.sin(2 * np.pi * 5 * t + seed), 0, 1) ** 3)).astype(np.float32)


def noise(level: float, seconds: float = 4.0) -> np.ndarray:
    return (level * np.random.default_rng(3).standard_normal(round(seconds * RATE))).astype(np.float32)


def hum(level: float) -> np.ndarray:
    t = np.arange(4 * RATE) / RATE
    return (level * (np.sin(2 * np.pi * 50 * t) + 0.5 * np.sin(2 * np.pi * 150 * t))).astype(np.float32)


def level_db(waveform: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(waveform, dtype=np.float64))))


def write(path: Path, *channels: np.ndarray, kind: str = "WAV") -> Path:
    soundfile.write(path, np.stack(channels, 1), RATE, format=kind, subtype="FLOAT" if "WAV" in kind else "PCM_24")
    return path


@pytest.mark.parametrize("share", [-1.0, -0.97, -0.7, -0.3])
@pytest.mark.parametrize("order", [1, -1])
def test_of_channels_that_cancel_the_louder_is_heard(tmp_path: Path, share: float, order: int) -> None:
    voice = syllables()
    audio = read_audio(write(tmp_path / "a.wav", *(voice, np.float32(share) * voice)[::order]))
    assert abs(level_db(audio.waveform) - level_db(voice)) < 0.01
    assert "would cancel it" in audio.notes[0]


@pytest.mark.parametrize(
    "other", [np.zeros(4 * RATE, np.float32), noise(1e-4), noise(0.1), hum(0.2), np.full(4 * RATE, 0.3, np.float32)]
)
def test_a_channel_of_noise_or_nothing_is_left_out(tmp_path: Path, other: np.ndarray) -> None:
    voice = syllables()
    audio = read_audio(write(tmp_path / "a.wav", other, voice))
    np.testing.assert_array_equal(audio.waveform, voice)
    assert audio.notes[0].startswith("channel 2 (R) is used; 1 (L) holds noise")


def test_a_broken_channel_that_crackles_is_left_out(tmp_path: Path) -> None:
    rng, voice = np.random.default_rng(0), syllables()
    bursts = noise(0.2) * (rng.random(80) < 0.5).repeat(800).astype(np.float32)
    crackle = np.where(rng.random(len(voice)) < 0.001, 0.5, 0).astype(np.float32)
    for broken in (bursts, crackle, hum(0.1) + crackle):
        np.testing.assert_array_equal(read_audio(write(tmp_path / "a.wav", voice, broken)).waveform, voice)


def test_equal_channels_are_what_one_of_them_is(tmp_path: Path) -> None:
    voice = syllables() + noise(0.001)
    audio = read_audio(write(tmp_path / "a.wav", voice, voice))
    np.testing.assert_array_equal(audio.waveform, voice)
    assert audio.notes == ()


def test_a_mix_is_as_loud_as_its_loudest_channel(tmp_path: Path) -> None:
    voice = syllables()
    audio = read_audio(write(tmp_path / "a.wav", voice + noise(0.003), 0.4 * voice - noise(0.002)))
    assert abs(level_db(audio.waveform) - level_db(voice)) < 0.2


def test_two_speakers_on_two_channels_are_both_heard_at_their_level(tmp_path: Path) -> None:
    quiet = np.zeros(4 * RATE, np.float32)
    one, two = np.concatenate([syllables(), quiet]), np.concatenate([quiet, syllables(f0=210, seed=1)])
    heard = read_audio(write(tmp_path / "a.wav", one, two)).waveform
    assert abs(level_db(heard[: 4 * RATE]) - level_db(one[: 4 * RATE])) < 1
    assert abs(level_db(heard[4 * RATE :]) - level_db(two[4 * RATE :])) < 1


@pytest.mark.parametrize("at", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("kind", ["WAVEX", "FLAC"])
def test_dialogue_on_any_channel_of_six_is_heard_at_its_level(tmp_path: Path, at: int, kind: str) -> None:
    channels = [noise(2e-4) for _ in range(6)]
    channels[3] = hum(0.3)
    channels[at] = voice = syllables()
    audio = read_audio(write(tmp_path / "a", *channels, kind=kind))
    np.testing.assert_allclose(audio.waveform, voice, atol=1e-6)


def test_low_frequency_effects_are_never_heard(tmp_path: Path) -> None:
    voice, thunder = syllables(), syllables(f0=90, seed=2)
    audio = read_audio(write(tmp_path / "a", voice, voice, voice, thunder, voice, voice, kind="WAVEX"))
    np.testing.assert_allclose(audio.waveform, voice, atol=1e-6)
    assert "4 (LFE) holds noise, bass effects or nothing" in audio.notes[0]
    picked = read_audio(tmp_path / "a", channel="LFE")
    np.testing.assert_array_equal(picked.waveform, thunder)


def test_a_delayed_copy_does_not_colour_the_mix(tmp_path: Path) -> None:
    voice = syllables()
    audio = read_audio(write(tmp_path / "a.wav", voice, np.roll(voice, 40) * 0.9))
    np.testing.assert_array_equal(audio.waveform, voice)


@pytest.mark.parametrize(("channel", "index"), [(1, 0), ("1", 0), ("L", 0), ("left", 0), ("r", 1), ("FR", 1), (2, 1)])
def test_a_channel_is_chosen_by_number_or_name(tmp_path: Path, channel: str | int, index: int) -> None:
    data = syllables(), noise(0.1)
    path = write(tmp_path / "a.wav", *data)
    audio = read_audio(path, channel=channel)
    np.testing.assert_array_equal(audio.waveform, data[index])
    assert audio.notes == (f"channel {index + 1} ({'LR'[index]}) of 2 is used",)
    assert probe(path, channel=channel).samples == 4 * RATE


def test_a_channel_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", syllables(), syllables())
    for read in (read_audio, probe):
        for channel in ("C", 3):
            with pytest.raises(AudioError, match=rf"has no channel {channel}; it has 1 \(L\), 2 \(R\); choose"):
                read(path, channel=channel)
        with pytest.raises(UsageError, match="--channel: 'middle' is no channel"):
            read(path, channel="middle")


@pytest.mark.parametrize("channel", ["0", "-1", "1.5", "", "x", "L R", "²"])
def test_what_is_no_channel_is_refused_before_a_file_is_opened(channel: str) -> None:
    with pytest.raises(UsageError, match="is no channel; give a number from 1"):
        check_channel(channel)


def test_names_follow_the_layout() -> None:
    side, both = ("FL", "FR", "FC", "LFE", "SL", "SR"), file_names("FLAC", 8)
    assert [find_channel("Ls", names, len(names), "") for names in (side, both, file_names("OGG", 6))] == [4, 6, 3]
    assert find_channel("Lb", both, 8, "") == 4 and shown(both, 4) == "5 (Lb)" and shown(both, 6) == "7 (Ls)"
    assert file_names("WAVEX", 6, 0x60F) == side and file_names("WAVEX", 5, 0x60F) == ()
    assert file_names("WAV", 6) == () and find_channel("C", (), 6, "") == 2
