from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.encoding import decode, not_text
from prosody_transfer.text.transcript import find_transcript, read_transcript


def test_sidecars_are_found_in_order(tmp_path):
    audio = tmp_path / "take.one.wav"
    assert find_transcript(audio) is None
    for name in ("take.one.TEXTGRID", "take.one.Lab", "take.one.txt"):
        (tmp_path / name).write_text("hello")
        assert find_transcript(audio) == tmp_path / name
    (tmp_path / "take.txt").write_text("another")
    assert find_transcript(tmp_path / "missing" / "a.wav") is None


def test_a_folder_is_no_transcript(tmp_path):
    (tmp_path / "a.txt").mkdir()
    assert find_transcript(tmp_path / "a.wav") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("Café au lait,\r\nplease.\n".encode(encoding))
    assert read_transcript(path) == "Café au lait, please."


@pytest.mark.parametrize("data", [b"", b"  \n", b"\xef\xbb\xbf", b"...", b"a\0b\0\0\0\xff\xd8 jpeg" * 3])
def test_empty_or_no_text(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(TranscriptError, match="a.txt"):
        read_transcript(path)


def test_missing(tmp_path):
    with pytest.raises(TranscriptError, match="No such file"):
        read_transcript(tmp_path / "none.txt")


@given(st.binary(max_size=300))
def test_decoding_never_fails(data):
    assert isinstance(decode(data), str)


@given(st.text(max_size=50).filter(lambda t: "\r" not in t and "\ufeff" not in t and "\0" not in t))
def test_utf8_round_trip(text):
    assert decode(text.encode("utf-8-sig")) == text


PROSE = "Café — “don’t”, she said: €5 it is.\nAnd more."


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le",
                                      "utf-32-be", "cp1252", "mac-roman"])  # fmt: skip
def test_what_people_write_in_is_read(encoding, ends):
    data = PROSE.replace("\n", ends).encode(encoding)
    assert decode(data) == PROSE and not not_text(data)


def test_the_unused_bytes_of_windows_1252_are_no_words(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"don\x92t\x81\x8d\x8f\x90\x9d go")
    assert read_transcript(path) == "don’t go"


def test_single_wrong_bytes_do_not_spoil_the_others():
    assert decode("don’t ".encode() + b"stop \x97 caf\xe9 " + "“now”".encode()) == "don’t stop — café “now”"


def test_zeros_at_the_end_are_padding():
    assert decode(b"hello\n\0\0\0") == "hello\n" and not not_text(b"hello\n\0\0\0")


@pytest.mark.parametrize(("data", "what"), [
    (b"{\\rtf1\\ansi Hello}", "RTF"), (b"%PDF-1.4 hello", "PDF"), (b"PK\x03\x04\x14\0\0\0word/document.xml", "docx"),
    (b"RIFF$\0\0\0WAVEfmt ", "recording"), (b"\x89PNG\r\n\x1a\n\0\0", "picture"),
    (bytes(range(256)) * 4, "no text file"), (b"he\0llo", "no text file"),
])  # fmt: skip
def test_files_that_are_no_text_are_named(tmp_path, data, what):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(TranscriptError, match=what) as caught:
        read_transcript(path)
    assert "plain text" in caught.value.remedy and "\n" not in str(caught.value)


def test_a_transcript_is_found_as_soon_as_it_is_there_in_a_folder_that_was_listed_before(tmp_path: Path):
    take = tmp_path / "take.wav"
    for age in (0, 100):
        os.utime(tmp_path, (1e9 + age, 1e9 + age))
        assert find_transcript(take) is None
        for name in ("take.ssa", "take.LAB", "take.lab", "take.TXT", "take.txt"):
            (tmp_path / name).write_text("words")
            found = find_transcript(take)
            assert found is not None and found.name.lower() == name.lower()
        for name in ("take.ssa", "take.LAB", "take.lab", "take.TXT", "take.txt"):
            (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "take.txt").mkdir()
    (tmp_path / "take.b.txt").write_text("of another")
    assert find_transcript(take) is None


def test_a_name_too_long_for_any_transcript_beside_it_has_none(tmp_path: Path):
    (tmp_path / ("x" * 251 + ".wav")).touch()
    assert find_transcript(tmp_path / ("x" * 251 + ".wav")) is None
    assert find_transcript(tmp_path / ("x" * 300 + ".wav")) is None
