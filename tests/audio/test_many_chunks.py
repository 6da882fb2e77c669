"""Files of many small parts: a decoder goes through all of them, so they are counted first."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.audio import containers
from prosody_transfer.audio.containers import MOST_CHUNKS, MOST_LINKS, what_is_missing
from prosody_transfer.audio.io import probe, read_audio
from prosody_transfer.core.errors import AudioError


def sound(kind: str, subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    wave = 0.1 * np.sin(np.arange(8000) / 9)
    soundfile.write(buffer, wave, 16_000, format=kind, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("before", [True, False], ids=["before-the-sound", "after-it"])
def test_a_wav_of_many_chunks(tmp_path: Path, before) -> None:
    plain, many = sound("WAV"), struct.pack("<4sI", b"junk", 0) * (MOST_CHUNKS + 1)
    at = plain.index(b"data")
    data = plain[:at] + many + plain[at:] if before else plain + many
    path = tmp_path / "x.wav"
    path.write_bytes(data)
    for read in (probe, read_audio):
        with pytest.raises(AudioError, match="has more than 10,000 chunks, which no recorder writes") as caught:
            read(path)
        assert caught.value.exit_code == 3


@pytest.mark.parametrize("kind", ["AIFF", "CAF"])
def test_aiff_and_caf_of_many_chunks(tmp_path: Path, kind) -> None:
    empty = struct.pack(">4sI", b"ANNO", 0) if kind == "AIFF" else struct.pack(">4sq", b"free", 0)
    path = tmp_path / "x.aiff"
    path.write_bytes(sound(kind) + empty * (MOST_CHUNKS + 1))
    with pytest.raises(AudioError, match="has more than 10,000 chunks"):
        probe(path)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "CAF"])
def test_some_chunks_are_fine(tmp_path: Path, kind) -> None:
    empty = {"WAV": struct.pack("<4sI", b"junk", 0), "AIFF": struct.pack(">4sI", b"ANNO", 0),
             "CAF": struct.pack(">4sq", b"free", 0)}[kind]  # fmt: skip
    path = tmp_path / "x"
    path.write_bytes(sound(kind) + empty * 100)
    assert len(read_audio(path).waveform) == 8000


def test_a_chunk_that_ends_beyond_all_files(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(sound("CAF") + struct.pack(">4sq", b"free", (1 << 63) - 1))
    assert len(read_audio(path).waveform) == 8000


def test_a_recording_that_was_never_finished_is_not_counted_as_chunks(tmp_path: Path) -> None:
    """Its header says that there is no sound, and silence looks like chunks without names."""
    plain = bytearray(sound("WAV"))
    at = plain.index(b"data")
    plain[at + 4 : at + 8] = bytes(4)
    path = tmp_path / "x.wav"
    path.write_bytes(bytes(plain[: at + 8]) + bytes(400_000))
    with pytest.raises(AudioError, match="was never finished"):
        read_audio(path)


def test_a_chain_of_many_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.ogg"
    path.write_bytes(sound("OGG", "VORBIS") * 4)
    assert len(read_audio(path).waveform) == 32_000
    monkeypatch.setattr("prosody_transfer.audio.opening.MOST_LINKS", 3)
    with pytest.raises(AudioError, match="is a chain of more than 3 streams"):
        read_audio(path)
    assert MOST_LINKS > 100


def test_many_tags_before_an_mp3_are_not_all_looked_at() -> None:
    class Counted(io.BytesIO):
        reads = 0

        def read(self, *args: int) -> bytes:
            self.reads += 1
            return super().read(*args)

    file = Counted(b"ID3\x03\0\0\0\0\0\0" * 50_000)
    containers._after_id3(file)
    assert file.reads <= containers.MOST_TAGS + 1 and what_is_missing(file) == ""
