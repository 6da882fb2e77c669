"""Reading what is to be judged: every bad line costs itself only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.pairs import Pair, one_line, pairs_from_folder, read_pairs


def sound(path: Path, samples: int = 24000, rate: int = 24000, channels: int = 1) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = 0.1 * np.sin(np.arange(samples * channels)).reshape(-1, channels)
    soundfile.write(path, values, rate)
    return path.name


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """source.wav, out.wav of one second, and files that are wrong."""
    root = tmp_path_factory.mktemp("pairs")
    for name in ("source.wav", "out.wav", "second.wav", "natural.wav"):
        sound(root / name, 24000 if name != "natural.wav" else 30000)
    sound(root / "short.wav", 23000)
    sound(root / "long.wav", 24002)
    sound(root / "nearly.wav", 24001)
    sound(root / "stereo44.wav", 44100, 44100, 2)
    sound(root / "stereo44_off.flac", 44098, 44100, 2)
    sound(root / "empty.wav", 0)
    (root / "text.wav").write_text("no sound at all")
    (root / "dir.wav").mkdir()
    return root


def write(path: Path, *lines: Any) -> Path:
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines))
    return path


GOOD = {"source": "source.wav", "speaker": "alice", "output": "out.wav", "id": "good"}


def test_a_line_is_read_whole(folder):
    row = {
        **GOOD, "text": "Hello.", "exact": "second.wav", "natural": "natural.wav", "source_speaker": "bob",
        "group": "wh", "source_enrol": ["second.wav"], "target_enrol": ["natural.wav", "out.wav"], "note": "ignored",
        "comment": None,
    }  # fmt: skip
    path = write(folder / "whole.jsonl", b"\xef\xbb\xbf" + json.dumps(row).encode(), b"", b"  ")
    pairs, excluded = read_pairs(path)
    here = lambda name: str(folder / name)
    assert excluded == []
    assert pairs == [
        Pair(
            id="good", source=here("source.wav"), speaker="alice", output=here("out.wav"), text="Hello.",
            exact=here("second.wav"), natural=here("natural.wav"), source_speaker="bob", group="wh",
            source_enrol=(here("second.wav"),), target_enrol=(here("natural.wav"), here("out.wav")),
        )
    ]  # fmt: skip


def test_the_id_may_be_left_out_and_paths_are_normal(folder):
    path = write(folder / "ids.jsonl", {"source": f"../{folder.name}/source.wav", "speaker": "emma", "id": None})
    (pair,), _ = read_pairs(path)
    assert pair.id == "source.emma" and pair.source == str(folder / "source.wav") and pair.output == ""


BAD: list[tuple[Any, str]] = [
    (b"{", "is not a JSON object"),
    (b"[1]", "is not a JSON object"),
    (b"null", "is not a JSON object"),
    (b"\xff\xfe", "is not a JSON object"),
    (b"[" * 100_000, "is not a JSON object"),
    (b'{"source": "source.wav", "speaker": "a", "text": "\\ud800"}', "is not a JSON object"),
    ({"speaker": "alice"}, 'has no "source"'),
    ({"source": "source.wav"}, 'has no "speaker"'),
    ({"source": ["source.wav"], "speaker": "alice"}, 'has no "source"'),
    ({**GOOD, "id": "x", "ouput": "out.wav"}, "did you mean 'output'?"),
    ({**GOOD, "id": "x", "text": 3}, "$.text"),
    ({**GOOD, "id": "x", "target_enrol": "out.wav"}, "$.target_enrol"),
    (GOOD, "used on an earlier line"),
    ({**GOOD, "id": 7}, "the id is no name"),
    ({**GOOD, "id": "two\nlines"}, "the id is no name"),
    ({**GOOD, "id": "x" * 1000}, "the id is no name"),
    ({**GOOD, "id": "x", "source": "sourse.wav"}, "no such file; did you mean source.wav"),
    ({**GOOD, "id": "x", "output": "gone.wav"}, "no such file"),
    ({**GOOD, "id": "x", "output": "dir.wav"}, "is a folder"),
    ({**GOOD, "id": "x", "output": "text.wav"}, "is not a sound file"),
    ({**GOOD, "id": "x", "output": "empty.wav"}, "holds no sound"),
    ({**GOOD, "id": "x", "output": "/dev/zero"}, "is not a regular file"),
    ({**GOOD, "id": "x", "output": "a\0b.wav"}, "cannot be read"),
    ({**GOOD, "id": "x", "output": "a" * 5000 + ".wav"}, "cannot be read"),
    ({**GOOD, "id": "x", "output": "../" * 50 + "etc/passwd"}, "is not a sound file"),
    ({**GOOD, "id": "x", "output": "short.wav"}, "the output is 0.958 s long, the source 1.000 s"),
    ({**GOOD, "id": "x", "output": "long.wav"}, "the output has 24002 samples, the source's length is 24000"),
    ({**GOOD, "id": "x", "output": "stereo44_off.flac"}, "the output has 44098 samples, the source's length is 44100"),
    ({**GOOD, "id": "x", "exact": "short.wav"}, "the exact answer is 0.958 s long"),
    ({**GOOD, "id": "x", "natural": "gone.wav"}, "no such file"),
    ({**GOOD, "id": "x", "source_enrol": ["out.wav", "gone.wav"]}, "no such file"),
]


def test_each_bad_line_is_named_and_the_others_go_on(folder):
    path = write(folder / "bad.jsonl", GOOD, *(line for line, _ in BAD), {**GOOD, "id": "last"})
    pairs, excluded = read_pairs(path)
    assert [p.id for p in pairs] == ["good", "last"]
    assert len(excluded) == len(BAD)
    for number, (found, (line, reason)) in enumerate(zip(excluded, BAD, strict=True), 2):
        assert reason in found.reason, (line if len(str(line)) < 200 else "", found)
        assert found.reason.isprintable() and len(found.reason) <= 500
        assert found.id in (f"line {number}", "good", "x")


@pytest.mark.parametrize("name", ["nearly.wav", "stereo44.wav"])
def test_other_rates_channels_and_a_sample_of_rounding_pass(folder, name):
    path = write(folder / "rates.jsonl", {**GOOD, "output": name}, {**GOOD, "id": "b", "source": name})
    pairs, excluded = read_pairs(path)
    assert len(pairs) == 2 and not excluded


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([b""], "holds no pair"),
        ([b"[", json.dumps(GOOD).encode(), b"]"], "is one JSON list"),
        ([{**GOOD, "source": "gone.wav"}], "none of its 1 pairs can be used; good: .*no such file"),
    ],
)
def test_nothing_to_judge(folder, lines, reason):
    with pytest.raises(UsageError, match=reason):
        read_pairs(write(folder / "nothing.jsonl", *lines))


@pytest.mark.parametrize("name", ["gone.jsonl", "dir.wav", "a\0b", "/dev/zero", "x" * 5000])
def test_files_that_cannot_be_read(folder, name):
    with pytest.raises(UsageError) as caught:
        read_pairs(folder / name)
    assert str(caught.value).isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(folder):
    path = write(folder / "secret.jsonl", GOOD)
    path.chmod(0)
    with pytest.raises(UsageError, match="Permission denied"):
        read_pairs(path)


QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from([*Pair.__annotations__, "other", "Source", "outputs"])
NAMES = st.sampled_from(["source.wav", "short.wav", "dir.wav", "text.wav", "gone.wav", "", "\0"])


@QUICK
@given(rows=st.lists(st.dictionaries(KEYS, NAMES | ANYTHING, max_size=8), max_size=4))
def test_any_object_is_a_pair_or_one_line_of_reason(folder, rows):
    path = write(folder / "any.jsonl", GOOD, *rows)
    pairs, excluded = read_pairs(path)
    assert len(pairs) + len(excluded) == 1 + len(rows)
    assert len({p.id for p in pairs}) == len(pairs)
    assert all(x.reason.isprintable() and x.id.isprintable() for x in excluded)
    assert all(Path(p.source).is_absolute() and p.speaker for p in pairs)


@QUICK
@given(junk=st.binary(max_size=200))
def test_any_bytes_leave_the_good_lines_alone(folder, junk):
    path = write(folder / "junk.jsonl", GOOD, junk, {**GOOD, "id": "last"})
    pairs, _ = read_pairs(path)
    assert {"good", "last"} <= {p.id for p in pairs}


@given(st.text())
def test_one_line_is_printable(text):
    assert one_line(text).isprintable()


def test_a_folder_of_sources(tmp_path):
    sound(tmp_path / "b.wav")
    (tmp_path / "b.txt").write_text("The words.")
    sound(tmp_path / "b.flac")
    sound(tmp_path / "sub" / "a.wav")
    sound(tmp_path / "sub" / "a.emma.wav")  # a result of an earlier run
    sound(tmp_path / "sub" / "a.custom.wav")
    sound(tmp_path / ".hidden.wav")
    (tmp_path / "broken.wav").write_text("nothing")
    (tmp_path / "notes.md").write_text("nothing")
    pairs, excluded = pairs_from_folder(tmp_path, "custom")
    assert [p.id for p in pairs] == ["b.custom", "b.wav.custom", "sub/a.custom"]
    assert [p.text for p in pairs] == ["The words.", "The words.", ""]
    assert all(p.speaker == "custom" and not p.output for p in pairs)
    assert pairs[2].source == str(tmp_path / "sub" / "a.wav")
    assert [x.id for x in excluded] == ["broken"] and "is not a sound file" in excluded[0].reason


def test_folders_without_sources(tmp_path):
    with pytest.raises(UsageError, match="holds no sound files"):
        pairs_from_folder(tmp_path, "alice")
    with pytest.raises(UsageError, match="is no folder"):
        pairs_from_folder(tmp_path / "gone", "alice")
