from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.transcript import decode, find_transcript, read_transcript


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
