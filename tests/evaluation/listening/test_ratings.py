"""Files from strangers: whatever is wrong with one is a line, and the rest is used."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.panel import read_panel
from prosody_transfer.evaluation.listening.ratings import Problems, printable

STIMULI = {"aa": {"system": "reference", "role": "reference"}, "bb": {"system": "ptx", "role": "system"}}
KEY = {
    "format": "ptx-listening-1", "test": "t1", "kind": "prosody", "title": "T", "aspects": ["melody"], "seed": 0,
    "reference": True, "scale": ["Bad"],
    "pages": [
        {"page": "p1", "item": "i1", "repeat_of": None, "stimuli": STIMULI},
        {"page": "p2", "item": "i1", "repeat_of": "p1", "stimuli": STIMULI},
    ],
}  # fmt: skip


def entry(**more: Any) -> dict[str, Any]:
    return {"page": "p1", "aspect": "melody", "stimulus": "bb", "score": 50, "seconds": 2.5, **more}


def session(name: str = "s1", listener: str = "anna", ratings: Any = None, **more: Any) -> dict[str, Any]:
    facts = {"format": "ptx-ratings-1", "test": "t1", "session": name, "listener": listener, "comments": {}}
    times = {"started": "2025-01-01T10:00:00Z", "finished": "2025-01-01T10:30:00Z"}
    return {**facts, **times, "ratings": [entry()] if ratings is None else ratings, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A listening folder with one good session."""
    (tmp_path / "results").mkdir()
    (tmp_path / "key.json").write_text(json.dumps(KEY))
    save(tmp_path, "good.json", session("good", "zoe"))
    return tmp_path


def save(folder: Path, name: str, what: Any) -> None:
    data = what if isinstance(what, bytes) else json.dumps(what).encode()
    (folder / "results" / name).write_bytes(data)


def test_a_rating_is_looked_up_in_the_key(folder: Path) -> None:
    save(folder, "good.json", session("good", "zoe", [entry(), entry(page="p2", stimulus="aa", score=99)]))
    for path in (folder, folder / "results", folder / "results" / "good.json"):
        panel = read_panel(path)
        first, second = panel.ratings
        assert (first.listener, first.item, first.system, first.role, first.score) == ("zoe", "i1", "ptx", "system", 50)
        assert (first.seconds, first.repeat, first.aspect) == (2.5, False, "melody")
        assert (second.system, second.role, second.repeat, second.page) == ("reference", "reference", True, "p2")
        assert (panel.test, panel.kind, panel.title, panel.aspects) == ("t1", "prosody", "T", ("melody",))
        assert panel.reference and panel.problems == () and panel.failed == ()


WHOLE = {
    "json": (b'{"format": "ptx', "is not JSON"),
    "utf8": (b"\xff\xfe\x00", "is not JSON"),
    "deep": (b"[" * 100_000, "is not JSON"),
    "list": ([], "is not a session's ratings"),
    "null": (None, "is not a session's ratings"),
    "version": (session(format="ptx-ratings-9"), "is not a session's ratings"),
    "test": (session(test="t2"), "belongs to another test ('t2', not 't1')"),
    "session": (session(name=""), "names no session"),
    "ratings": (session(ratings="none"), "holds no list of ratings"),
    "empty": (b"", "is not JSON"),
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_file_that_can_not_be_used_is_one_line_and_the_rest_is_read(folder: Path, case: str) -> None:
    what, problem = WHOLE[case]
    save(folder, "bad.json", what if isinstance(what, bytes) else json.dumps(what).encode())
    panel = read_panel(folder)
    assert len(panel.ratings) == 1 and panel.failed == ("bad.json",)
    (line,) = panel.problems
    assert line.startswith("bad.json: ") and problem in line and line.endswith("left out")


SINGLE = {
    "high": (entry(score=101), "not a number from 0 to 100, first 101"),
    "low": (entry(score=-1), "not a number from 0 to 100, first -1"),
    "text": (entry(score="50"), "not a number from 0 to 100, first '50'"),
    "true": (entry(score=True), "not a number from 0 to 100"),
    "none": (entry(score=None), "not a number from 0 to 100"),
    "nan": (entry(score=math.nan), "not a number from 0 to 100"),
    "stimulus": (entry(stimulus="zz"), "of an unknown stimulus, first 'zz'"),
    "list": (entry(stimulus=["bb"]), "of an unknown stimulus"),
    "page": (entry(page="p9"), "of an unknown page, first 'p9'"),
    "aspect": (entry(aspect="colour"), "of an unknown aspect, first 'colour'"),
    "form": ("bb 50", "not in the form of one"),
}


@pytest.mark.parametrize("case", SINGLE)
def test_a_rating_that_can_not_be_used_costs_only_itself(folder: Path, case: str) -> None:
    wrong, problem = SINGLE[case]
    save(folder, "mixed.json", session("s2", "bob", [wrong, wrong, entry(score=70)]))
    panel = read_panel(folder)
    assert [r.score for r in panel.ratings if r.listener == "bob"] == [70]
    (line,) = panel.problems
    assert line.startswith("mixed.json: 2 ratings ") and problem in line and panel.failed == ()


def test_a_time_that_is_none_costs_nothing(folder: Path) -> None:
    save(folder, "good.json", session("good", "zoe", [entry(seconds="long")]))
    assert math.isnan(read_panel(folder).ratings[0].seconds)


HOSTILE = [
    "a\nb.json", "\x1b[2J.json", "<img src=x onerror=alert(1)>.json",
    "$(reboot).json", "a|b.csv", "x" * 240 + ".json",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_one_line(folder: Path, name: str) -> None:
    save(folder, name, session("s2", "bob"))
    panel = read_panel(folder)
    assert {r.listener for r in panel.ratings} == {"zoe"}
    (line,) = panel.problems
    assert "is not a name that a session is saved under" in line and line.isprintable() and len(line) < 300


def test_other_names_are_fine(folder: Path) -> None:
    for i, name in enumerate(("anna (1).json", "ratings-ann\u00e9.JSON", "2025-01-01 10.30.json")):
        save(folder, name, session(f"s{i}", f"l{i}"))
    save(folder, ".hidden.json", b"{")
    save(folder, "notes.txt", b"{")
    panel = read_panel(folder)
    assert len(panel.ratings) == 4 and panel.problems == ()


def test_what_is_not_a_file_is_one_line(folder: Path) -> None:
    (folder / "results" / "folder.json").mkdir()
    (folder / "results" / "gone.json").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "results" / "pipe.json")
    panel = read_panel(folder)
    assert len(panel.problems) == 3 and all("is not a file" in line for line in panel.problems)
    assert len(panel.ratings) == 1


def test_listeners_are_printed_safely_and_named_somehow(folder: Path) -> None:
    save(folder, "a.json", session("s1", "<b>\n\x1b[2J\ud800"))
    save(folder, "b.json", session("s2", "  "))
    assert {r.listener for r in read_panel(folder).ratings} == {"zoe", "<b>\\n\\x1b[2J\\ud800", "s2"}


def test_a_copy_of_a_session_counts_once_and_the_fuller_one(folder: Path) -> None:
    save(folder, "good (1).json", session("good", "zoe", [entry(score=60), entry(stimulus="aa")]))
    panel = read_panel(folder)
    assert sorted(r.score for r in panel.ratings) == [50, 60]
    (line,) = panel.problems
    assert line == "good.json: holds the session 'good' of good (1).json again; the fuller one is used"


def test_who_comes_twice_counts_as_last_said(folder: Path) -> None:
    save(folder, "again.json", session("s2", "zoe", [entry(score=80)], started="2025-01-02T10:00:00Z"))
    save(folder, "before.json", session("s3", "zoe", [entry(score=20)], started="2024-01-02T10:00:00Z"))
    panel = read_panel(folder)
    assert [r.score for r in panel.ratings] == [80]
    assert panel.problems == ("listener 'zoe': rated 1 stimulus in more than one session; the latest counts",)


def test_a_session_that_was_broken_off_is_used_and_named(folder: Path) -> None:
    save(folder, "half.json", session("s2", "bob", finished=None))
    save(folder, "none.json", session("s3", "carl", [], finished=None))
    panel = read_panel(folder)
    assert {r.listener for r in panel.ratings} == {"zoe", "bob"}
    assert panel.problems == (
        "half.json: the session of 'bob' was not finished (1 rating, used)",
        "none.json: the session of 'carl' was not finished (0 ratings)",
    )


def test_comments_are_kept(folder: Path) -> None:
    said = {"p1": "clicks\nloudly", "p9": "unknown page", "p2": " "}
    save(folder, "good.json", session("good", "zoe", comments=said))
    assert read_panel(folder).comments == (("zoe", "p1", "clicks\\nloudly"),)


def test_what_can_not_be_analysed_at_all_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file or folder"):
        read_panel(tmp_path / "nowhere")
    save(folder, "good.json", b"{")
    with pytest.raises(UsageError, match=r"no ratings that can be used in 1 file \(good.json: is not JSON"):
        read_panel(folder)
    (folder / "results" / "good.json").unlink()
    with pytest.raises(UsageError, match="no ratings that can be used in 0 files"):
        read_panel(folder)
    (folder / "key.json").write_text("{}")
    with pytest.raises(UsageError, match=r"key.json: is damaged"):
        read_panel(folder)
    save(folder, "good.json", session())
    (folder / "key.json").unlink()
    with pytest.raises(UsageError, match="there is no key.json beside it"):
        read_panel(folder / "results")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["page", "score"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
FIELDS = ("format", "test", "session", "listener", "started", "finished", "ratings", "comments")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.lists(st.dictionaries(st.sampled_from(list(entry())), JSON)))
def test_nothing_in_a_file_makes_reading_fail(tmp_path_factory: pytest.TempPathFactory, fields, ratings) -> None:
    folder = tmp_path_factory.mktemp("listening")
    (folder / "results").mkdir()
    (folder / "key.json").write_text(json.dumps(KEY))
    save(folder, "good.json", session("good", "zoe"))
    save(folder, "wild.json", {**session(ratings=[{**entry(), **r} for r in ratings]), **fields})
    panel = read_panel(folder)
    assert any(r.session == "good" for r in panel.ratings)
    assert all(0 <= r.score <= 100 and r.system in ("ptx", "reference") for r in panel.ratings)
    assert all(line.isprintable() for line in panel.problems)


@given(st.text())
def test_printable_text_is_printable_and_short(text: str) -> None:
    shown = printable(text, 50)
    assert shown.isprintable() and len(shown) <= 50
    shown.encode()  # no lone surrogates


def test_trouble_of_one_kind_is_one_line() -> None:
    problems = Problems()
    for i in range(1000):
        problems.count("x.csv", "of an unknown page", f"page {i}")
    problems.count("x.csv", "of another test", "t")
    assert problems.lines() == [
        "x.csv: 1000 ratings of an unknown page, first 'page 0'; left out",
        "x.csv: 1 rating of another test, first 't'; left out",
    ]
