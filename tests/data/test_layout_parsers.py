"""Whatever the lists of a corpus hold, reading them gives utterances and faults, and never leads outside."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.data.layouts import LAYOUTS, Entry, Fault, Source
from prosody_transfer.data.layouts.base import is_text, printable
from prosody_transfer.data.reasons import REASONS

PLACES = ["a.wav", "x/a.wav", "../a.wav", "/etc/passwd", "~/a.wav", "$(touch x)", "gone.wav", "link.wav", "a|", ""]
WORDS = st.one_of(
    st.sampled_from([*PLACES, "u1", "u2", "<script>alert(1)</script>", "1.5", "-1", "nan", "1e400", '"', "'"]),
    st.text(max_size=12),
)
FIELDS = st.lists(WORDS, max_size=5)
ODD_BYTES = st.lists(
    st.one_of(
        FIELDS.map("|".join), FIELDS.map(",".join), FIELDS.map("\t".join), FIELDS.map(" ".join),
        st.dictionaries(st.sampled_from(["audio", "text", "speaker", "id", "start", "end", "duration"]),
                        st.one_of(WORDS, st.floats(), st.integers(), st.none(), st.lists(st.none(), max_size=1)),
                        max_size=5).map(json.dumps),
    ).map(lambda text: text.encode("utf8", "surrogatepass")) | st.binary(max_size=20),
    max_size=8,
).map(b"\n".join)  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A folder with a few recordings, a link that leads out, and room for lists."""
    outer = tmp_path_factory.mktemp("fuzz")
    (outer / "a.wav").touch()
    folder = outer / "corpus"
    (folder / "x").mkdir(parents=True)
    (folder / "txt" / "x").mkdir(parents=True)
    (folder / "wav48" / "x").mkdir(parents=True)
    for name in ("a.wav", "x/a.wav", "wav48/x/a.wav"):
        (folder / name).touch()
    (folder / "link.wav").symlink_to(outer / "a.wav")
    return folder


LISTS = {
    "kaldi": ("wav.scp", "text", "utt2spk", "segments"), "ljspeech": ("metadata.csv",), "jsonl": ("m.jsonl",),
    "csv": ("m.csv",), "tsv": ("m.tsv",), "librispeech": ("x/x.trans.txt",),
}  # fmt: skip
HEADS = {"csv": b"audio,speaker,text,id\n", "tsv": b"audio\tspeaker\ttext\tid\n", "jsonl": b'{"audio": "a.wav"}\n'}


@pytest.mark.parametrize("layout", LISTS)
@settings(max_examples=60, deadline=None)
@given(data=st.lists(ODD_BYTES, min_size=4, max_size=4))
def test_no_list_breaks_a_reader_or_leads_out(root, layout, data):
    for name, content in zip(LISTS[layout], data, strict=False):
        (root / name).write_bytes(HEADS.get(layout, b"") + content)
    try:
        found = list(LAYOUTS[layout].read(Source.of(root)))
    finally:
        for name in LISTS[layout]:
            (root / name).unlink()
    for item in found:
        json.dumps(item.to_dict(), ensure_ascii=False).encode("utf8")
        if isinstance(item, Fault):
            assert item.reason in REASONS and item.detail
        else:
            assert isinstance(item, Entry) and Path(os.path.realpath(item.audio)).is_relative_to(root)
            assert os.path.exists(item.audio) and item.id and item.speaker
            assert item.start is None or item.start >= 0
            assert item.end is None or item.end > (item.start or 0)


def test_half_a_pair_that_json_can_spell_is_a_fault(root):
    """Found by fuzzing: no file name can hold it, and it can't be shown as it is."""
    path = root / "m.jsonl"
    path.write_text('{"audio": "\\ud800.wav", "id": "\\udc00"}\n{"audio": "a.wav", "speaker": "\\ud800", "id": "b"}\n')
    try:
        found = list(LAYOUTS["jsonl"].read(Source.of(root)))
    finally:
        path.unlink()
    assert [item.reason for item in found] == ["name", "name"]
    json.dumps([item.to_dict() for item in found], ensure_ascii=False).encode("utf8")


@given(st.binary(max_size=30))
def test_what_is_printable_can_be_written(data):
    shown = printable(os.fsdecode(data))
    shown.encode("utf8")
    assert is_text(shown) and (not is_text(os.fsdecode(data)) or shown == os.fsdecode(data))


SAFE = st.text(st.characters(codec="utf8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(SAFE, SAFE, st.text(max_size=20)), min_size=1, max_size=6))
def test_what_is_written_as_json_lines_is_read(root, rows):
    """A second implementation wrote it: the standard library."""
    path = root / "m.jsonl"
    path.write_text(
        "".join(json.dumps({"audio": "a.wav", "id": i, "speaker": s, "text": t}) + "\n" for i, s, t in rows)
    )
    try:
        found = list(LAYOUTS["jsonl"].read(Source.of(root)))
    finally:
        path.unlink()
    assert [(e.id, e.speaker, e.text) for e in found] == rows
