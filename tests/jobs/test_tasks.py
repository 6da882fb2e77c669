"""What goes to workers and comes back, and how a batch is cut."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core import errors
from prosody_transfer.jobs import tasks
from prosody_transfer.jobs.tasks import Done, cut, error_from_dict, error_to_dict, seconds_of
from prosody_transfer.synthesis.records import State

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PtxError)]


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_comes_back_as_what_it_was(kind: type[errors.PtxError]) -> None:
    error = kind("is wrong", place="a.wav", remedy="mend it")
    found = error_from_dict(json.loads(json.dumps(error_to_dict(error))))
    assert (type(found), found.args, found.place, found.remedy) == (kind, error.args, "a.wav", "mend it")
    assert found.exit_code == error.exit_code


def test_what_became_of_a_recording_survives_json() -> None:
    made = [
        Done(Path("a\udcff.wav"), {"f0_correlation": 0.123456789, "warnings": ["é"]}),
        Done(Path("b"), state=State("edited", ("source", "words"))),
    ]
    for done in made:
        assert Done.from_dict(json.loads(json.dumps(done.to_dict()))) == done
        assert pickle.loads(pickle.dumps(done)) == done


@given(st.lists(st.floats(0, 200), max_size=60), st.integers(1, 20))
def test_tasks_hold_all_recordings_in_order_and_none_is_too_long(lengths: list[float], most: int) -> None:
    paths = [Path(str(i)) for i in range(len(lengths))]
    real = tasks.seconds_of
    tasks.seconds_of = lambda path: lengths[int(path.name)]  # type: ignore[assignment]
    try:
        groups = list(cut(paths, most))
    finally:
        tasks.seconds_of = real
    assert [path for group in groups for path in group] == paths
    totals = [sum(lengths[int(path.name)] for path in group) for group in groups]
    assert all(len(group) == 1 or total <= 60 for group, total in zip(groups, totals, strict=True))
    assert all(0 < len(group) <= most for group in groups)
    full = [total >= 30 or len(group) == most for group, total in zip(groups, totals, strict=True)]
    for i in range(len(groups) - 1):  # closed because it was full, or because the next would have been too much
        assert full[i] or totals[i] + lengths[int(groups[i + 1][0].name)] > 60


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_lengths_are_read_from_heads(tmp_path: Path, name: str, subtype: str) -> None:
    for channels in (1, 2):
        kind = subtype if name == "a.wav" else subtype.replace("FLOAT", "PCM_S8")
        soundfile.write(tmp_path / name, np.zeros((44100, channels)), 22050, kind)
        assert seconds_of(tmp_path / name) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF" + bytes(60), b"fLaC", b"fLaC" + bytes(60), b"\xff" * 16_000])
def test_what_says_no_length_is_guessed_by_its_size(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    assert seconds_of(tmp_path / "a.mp3") == len(content) / 16_000
    assert seconds_of(tmp_path) == seconds_of(tmp_path / "none") == 0.0
