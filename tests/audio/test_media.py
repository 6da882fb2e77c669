"""Films and compressed sound are read to their true end, whatever their headers say."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from prosody_transfer.audio.containers import mp3_header, ogg_links
from prosody_transfer.audio.io import UNKNOWN_LENGTH, probe, read_audio
from prosody_transfer.core.errors import AudioError

RATE = 48000
EXACT = {
    "a.m4a": "aac", "a.mp4": "aac", "a.mov": "aac", "b.mov": "pcm_s16le", "b.m4a": "alac", "a.webm": "libopus",
    "a.mka": "flac", "a.opus": "libopus", "a.mp3": "libmp3lame",
}  # fmt: skip
NEAR = {"a.mkv": "aac", "a.avi": "libmp3lame", "a.aac": "aac", "a.ac3": "ac3", "a.ts": "aac", "a.mpg": "mp2"}


LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def syllables(seconds: float, rate: int, f0: float = 150.0, pace: float = 4.0) -> np.ndarray:
    """Something like speech, (N,) float32: a moving harmonic tone in syllables."""
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (f0 * t + 8 * np.sin(2 * np.pi * 0.7 * t))
    wave = sum(np.sin(k * phase) / k for k in range(1, 20))
    return (0.15 * wave * np.clip(np.sin(2 * np.pi * pace * t), 0, 1)).astype(np.float32)


def make_media(
    path: Path, tracks: Sequence[np.ndarray], rate: int, codec: str, *, video: float = 0.0, kind: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:  # fmt: skip
    """Write tracks of sound, (N,) or (C, N) each, after `video` seconds of pictures."""
    with av.open(str(path), "w", format=kind) as container:
        container.metadata.update(metadata or {})
        pictures = _add_pictures(container) if video else None
        streams = [container.add_stream(codec, rate=rate, layout=LAYOUTS[len(np.atleast_2d(t))]) for t in tracks]
        if pictures:
            for i in range(round(25 * video)):
                frame = av.VideoFrame.from_ndarray(np.full((96, 64), 5 * i % 256, np.uint8), "yuv420p")
                frame.pts = i
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode(None))
        for stream, track in zip(streams, tracks, strict=True):
            _encode(container, stream, np.atleast_2d(track), rate)
    return path


def _add_pictures(container: Any) -> Any:
    stream = container.add_stream("mpeg4", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    return stream


def _encode(container: Any, stream: Any, track: np.ndarray, rate: int) -> None:
    layout = LAYOUTS[len(track)]
    resampler = av.AudioResampler(stream.codec_context.format.name, layout, rate)
    for at in range(0, track.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(track[:, at : at + 1024]), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        for part in resampler.resample(frame):
            container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def mp3(folder: Path, seconds: float = 4.0, rate: int = RATE, f0: float = 150.0) -> bytes:
    return make_media(folder / "made.mp3", [syllables(seconds, rate, f0)], rate, "libmp3lame").read_bytes()


def without_header(data: bytes) -> bytes:
    """An mp3 without tags and without the frame that counts the others."""
    starts = [data.find(b"\xff\xfb")]
    starts.append(data.find(b"\xff\xfb", starts[0] + 4))
    return data[starts[1] :]


def picture(size: int = 150_000) -> bytes:
    """An ID3 tag with a cover in it, of bytes that look like anything."""
    body = b"APIC" + struct.pack(">I", size) + b"\0\0" + np.random.default_rng(1).bytes(size)
    length = len(body)
    return b"ID3\x03\0\0" + bytes(length >> s & 127 for s in (21, 14, 7, 0)) + body


@pytest.mark.parametrize("name", EXACT)
def test_where_the_file_tells_its_padding_the_length_is_exact(tmp_path: Path, name: str) -> None:
    sound = syllables(3.217, RATE)
    audio = read_audio(make_media(tmp_path / name, [sound], RATE, EXACT[name]))
    assert audio.original_samples == len(sound) and audio.sample_rate == RATE and audio.notes == ()
    shift = np.argmax(np.correlate(audio.waveform[20000:60000], sound[20500:59500], "valid")) - 500
    assert abs(shift) <= 1


@pytest.mark.parametrize("name", NEAR)
def test_elsewhere_all_that_was_decoded_is_the_length(tmp_path: Path, name: str) -> None:
    sound = syllables(3.217, RATE)
    path = make_media(tmp_path / name, [sound], RATE, NEAR[name], video=0 if name in ("a.aac", "a.ac3") else 3.2)
    audio = read_audio(path, 24000)
    assert 0 <= audio.original_samples - len(sound) <= 2560 and len(audio.waveform) == -(-audio.original_samples // 2)
    assert probe(path).samples == UNKNOWN_LENGTH and probe(path)[::2] == (RATE, 1)


def test_an_mp3_without_a_header_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    loud, soft = mp3(tmp_path, 6), mp3(tmp_path, 6, f0=300)
    path.write_bytes(without_header(loud)[:-200])
    assert abs(read_audio(path).seconds - 6) < 0.08 and probe(path).samples == UNKNOWN_LENGTH
    path.write_bytes(without_header(loud) + without_header(soft))
    assert abs(read_audio(path).seconds - 12) < 0.15


def test_an_mp3_that_is_shorter_than_its_header_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(mp3(tmp_path)[:-3000])
    with pytest.raises(AudioError, match=r"cut off: it decodes only to 3\.\d\d s of 4.00 s"):
        read_audio(path)
    assert probe(path).samples == UNKNOWN_LENGTH


@pytest.mark.parametrize("tag", [b"", picture()])
def test_mp3s_end_to_end_are_read_to_the_last(tmp_path: Path, tag: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(2 * (tag + mp3(tmp_path)))
    assert abs(read_audio(path).seconds - 8) < 0.06 and probe(path).samples == UNKNOWN_LENGTH


def test_tags_around_an_mp3_do_not_change_its_length(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    data = mp3(tmp_path)
    for content in (picture() + data, data + b"TAG" + bytes(125), picture() + picture(300) + data):
        path.write_bytes(content)
        assert read_audio(path).original_samples == 4 * RATE and probe(path).samples == 4 * RATE


@pytest.mark.parametrize("junk", [bytes(10_000), np.random.default_rng(0).bytes(3000), b"HTTP/1.1 200 OK\r\n\r\n"])
def test_junk_before_an_mp3_is_passed_over(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(junk + mp3(tmp_path))
    assert abs(read_audio(path).seconds - 4) < 0.1


def test_an_mp3_whose_rate_changes_goes_on_at_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(mp3(tmp_path) + mp3(tmp_path, 2, 24000))
    audio = read_audio(path)
    assert abs(audio.seconds - 6) < 0.1 and np.abs(audio.waveform[-RATE:]).max() > 0.1


def test_aac_that_goes_from_one_channel_to_two_is_read(tmp_path: Path) -> None:
    one = make_media(tmp_path / "1.aac", [syllables(2, RATE)], RATE, "aac").read_bytes()
    two = make_media(tmp_path / "2.aac", [np.stack([syllables(2, RATE)] * 2)], RATE, "aac").read_bytes()
    (tmp_path / "a.aac").write_bytes(one + two)
    assert abs(read_audio(tmp_path / "a.aac").seconds - 4) < 0.1


def test_an_mp3_in_a_wav_is_read(tmp_path: Path) -> None:
    body = mp3(tmp_path)
    body = body[body.find(b"\xff\xfb") :]
    kind = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 8000, 1, 0, 12, 1, 2, 1152, 1, 1393)
    chunks = b"fmt " + struct.pack("<I", len(kind)) + kind + b"data" + struct.pack("<I", len(body)) + body
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks)
    assert read_audio(tmp_path / "a.wav").original_samples == 4 * RATE


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_chained_ogg_is_the_sum_of_its_links(tmp_path: Path, subtype: str) -> None:
    parts = []
    for i, (seconds, rate) in enumerate([(2.0, 24000), (3.217, 48000), (1.5, 24000)]):
        soundfile.write(tmp_path / f"{i}", syllables(seconds, rate), rate, format="OGG", subtype=subtype)
        parts.append((tmp_path / f"{i}").read_bytes())
    path = tmp_path / "a.ogg"
    path.write_bytes(b"".join(parts))
    with open(path, "rb") as file:
        assert ogg_links(file) == [[0], [len(parts[0])], [len(parts[0]) + len(parts[1])]]
    audio = read_audio(path)
    assert audio.original_samples == probe(path).samples == round(6.717 * audio.sample_rate)
    assert np.abs(audio.waveform[-24000:]).max() > 0.1


def test_a_film_is_heard_by_its_first_track_and_others_by_number(tmp_path: Path) -> None:
    music = 0.1 * np.sin(np.arange(3 * RATE) / 17).astype(np.float32)
    path = make_media(tmp_path / "a.mp4", [music, syllables(2, RATE)], RATE, "aac", video=3)
    first, second = read_audio(path), read_audio(path, track=2)
    assert first.seconds == 3 and second.seconds == 2
    assert first.notes == ("audio track 1 is used of 1 (aac, mono), 2 (aac, mono) (--track chooses another)",)
    assert second.notes == ("audio track 2 is used of 1 (aac, mono), 2 (aac, mono)",)
    for read in (read_audio, probe):
        with pytest.raises(AudioError, match=r"has no audio track 3; it has 1 \(aac, mono\), 2 \(aac, mono\); choose"):
            read(path, track=3)


def test_a_silent_track_points_to_the_others(tmp_path: Path) -> None:
    path = make_media(tmp_path / "a.mkv", [np.zeros(RATE, np.float32), syllables(1, RATE)], RATE, "flac")
    with pytest.raises(AudioError, match="is digital silence; choose another track with --track: 1 .*, 2 "):
        read_audio(path)


def test_films_without_sound_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="has no sound: its tracks are 1 video"):
        read_audio(make_media(tmp_path / "a.mp4", [], RATE, "aac", video=1))
    with pytest.raises(AudioError, match=r"holds no sound \(0 samples\)"):
        read_audio(make_media(tmp_path / "b.mkv", [np.zeros(0, np.float32)], RATE, "aac", video=1))


def test_a_wav_has_one_track(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", syllables(1, RATE), RATE)
    assert read_audio(tmp_path / "a.wav", track=1).seconds == 1
    with pytest.raises(AudioError, match="has no audio track 2; it has one"):
        read_audio(tmp_path / "a.wav", track=2)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.webm", "libopus"), ("a.avi", "libmp3lame")]
)
def test_films_that_are_cut_off_are_refused(tmp_path: Path, name: str, codec: str) -> None:
    path = make_media(tmp_path / name, [syllables(4, RATE)], RATE, codec, video=4 if name == "a.avi" else 0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match="cut off"):
        read_audio(path)


@pytest.mark.parametrize("pictures", [1.0, 6.0])
def test_pictures_may_be_shorter_or_longer_than_the_sound(tmp_path: Path, pictures: float) -> None:
    path = make_media(tmp_path / "a.mkv", [syllables(3, RATE)], RATE, "flac", video=pictures)
    assert read_audio(path).original_samples == 3 * RATE


def test_an_iphones_tag_tells_the_length(tmp_path: Path) -> None:
    from prosody_transfer.audio.media import _gapless

    assert _gapless({"iTunSMPB": " 00000000 00000840 0000037C 0000000000025B20 00000000"}, {}, RATE) == 0x25B20
    assert _gapless({"iTunSMPB": "x y z"}, {"iTunSMPB": " 0 0 0 q"}, RATE) == 0


@pytest.mark.parametrize("content", ["#EXTM3U\n#EXTINF:3,\nmade.mp3\n", "ffconcat version 1.0\nfile made.mp3\n"])
def test_lists_of_files_are_not_followed(tmp_path: Path, content: str) -> None:
    mp3(tmp_path)
    (tmp_path / "a.m3u8").write_text(content)
    with pytest.raises(AudioError, match="is not a sound file that can be read"):
        read_audio(tmp_path / "a.m3u8")


@pytest.mark.parametrize("seed", range(24))
def test_damage_gives_sound_or_one_line(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    name, codec = [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.webm", "libopus"), ("a.mp3", "libmp3lame")][seed % 4]
    content = bytearray(make_media(tmp_path / name, [syllables(1, RATE)], RATE, codec).read_bytes())
    for at in rng.integers(0, len(content) if seed % 2 else 1500, 12):
        content[at] = rng.integers(256)
    (tmp_path / name).write_bytes(content)
    try:
        assert read_audio(tmp_path / name).original_samples > 0
    except AudioError as error:
        assert "\n" not in str(error) and str(error).startswith(str(tmp_path / name))


def test_memory_does_not_grow_with_the_length_of_a_film(tmp_path: Path) -> None:
    path = make_media(tmp_path / "a.mka", [np.tile(syllables(10, RATE), 24)], RATE, "flac")
    tracemalloc.start()
    try:
        audio = read_audio(path, 24000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert audio.original_samples == 240 * RATE
    assert peak < 1.3 * audio.waveform.nbytes + 2_000_000


def test_an_mp3s_header_is_found_behind_its_tags(tmp_path: Path) -> None:
    data = picture() + mp3(tmp_path)
    (tmp_path / "a.mp3").write_bytes(data)
    with open(tmp_path / "a.mp3", "rb") as file:
        header = mp3_header(file)
    assert header and abs(header.bytes - len(data)) < 64 and header.frames * 1152 - header.padding == 4 * RATE


@pytest.mark.parametrize("whole", [True, False])
def test_a_place_before_the_start_is_told_to_ffmpeg_and_not_raised(tmp_path: Path, whole: bool) -> None:
    """Found by fuzzing: damaged boxes lead there, and what was raised within FFmpeg came out as it was."""
    from prosody_transfer.audio.media import _Bytes
    from prosody_transfer.audio.opening import _Window

    (tmp_path / "x").write_bytes(bytes(100))
    with open(tmp_path / "x", "rb", buffering=0) as file:
        bytes_ = _Bytes(file if whole else _Window(file, 10, 90))
        assert bytes_.seek(5) == 5 and bytes_.seek(-6, 1) < 0 and bytes_.seek(-5, 1) == 0
