"""Round trips through webMUSHRA's files, and what it really writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.build import build
from prosody_transfer.evaluation.listening.design import Key, Page, Stimulus
from prosody_transfer.evaluation.listening.panel import read_panel
from prosody_transfer.evaluation.listening.ratings import Problems, Rating, make_rating
from prosody_transfer.evaluation.listening.webmushra import (
    Design,
    Trial,
    design_to_yaml,
    write_config,
    yaml_to_design,
)
from prosody_transfer.evaluation.listening.webmushra_results import read_results, write_results

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)
TRIALS = st.builds(Trial, NAMES, NAMES, NAMES, NAMES, st.dictionaries(NAMES, NAMES, max_size=2))
DESIGNS = st.builds(Design, NAMES, NAMES, st.lists(TRIALS, min_size=1, max_size=2).map(tuple))


@settings(max_examples=40, deadline=None)
@given(DESIGNS)
def test_a_design_goes_through_yaml_unchanged(design: Design) -> None:
    assert yaml_to_design(design_to_yaml(design)) == design


def test_a_configuration_of_webmushras_own_form_is_read() -> None:
    text = """
testname: Example
testId: default_example
bufferSize: 2048
pages:
    - {type: generic, id: first, content: Welcome}
    - type: mushra
      id: trial1
      name: MUSHRA
      content: Rate.
      reference: configs/resources/audio/mono_ref.wav
      stimuli: {C1: configs/resources/audio/mono_c1.wav, 2: c2.wav}
    -
        - random
        - {type: mushra, id: trial2, name: B, content: null, reference: r.wav, stimuli: {C1: c1.wav}}
    - {type: finish, name: Thank you}
"""
    found = yaml_to_design(text)
    assert (found.test, found.title) == ("default_example", "Example")
    assert [trial.trial for trial in found.trials] == ["trial1", "trial2"]
    assert found.trials[0].stimuli == {"C1": "configs/resources/audio/mono_c1.wav", "2": "c2.wav"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a: [", "is not YAML"), ("- 1", "has no testId"), ("testId: x", "has no MUSHRA pages"),
     ("!!python/object/apply:os.system ['true']", "is not YAML"), ("\x00", "is not YAML")],
)  # fmt: skip
def test_what_is_no_configuration_is_refused_in_one_line(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as raised:
        yaml_to_design(text)
    assert "\n" not in str(raised.value)


NATURAL = 'natural = "natural/{item}.wav"'


@pytest.mark.parametrize("kind", ["prosody", "naturalness", "similarity"])
def test_a_built_test_becomes_a_configuration(tmp_path: Path, make_test, kind: str) -> None:
    more = 'similarity_anchor = "source"\nrepeats = 1\n' + (NATURAL if kind == "similarity" else "")
    folder = tmp_path / "listening"
    build(make_test(tmp_path, kind=kind, items=2, more=more), folder)
    text = write_config(folder, "configs/x")
    whole = yaml.safe_load(text)
    (mixed, finish), key = whole["pages"], json.loads((folder / "key.json").read_text())
    assert whole["testId"] == "t1" and whole["testname"] == "A &lt;test&gt;" and mixed[0] == "random"
    assert finish["writeResults"] and finish["questionnaire"][0]["name"] == "listener"
    assert len(mixed) - 1 == len(key["pages"]) * len(key["aspects"]) == 3 * (5 if kind == "prosody" else 1)
    pages = {page["page"]: page["stimuli"] for page in key["pages"]}
    for trial in mixed[1:]:
        stimuli = pages[trial["id"].partition(".")[0]]
        paths = [trial["reference"], *trial["stimuli"].values()]
        names = [path.removeprefix("configs/x/").removesuffix(".wav") for path in paths]
        assert sorted(names) == sorted(stimuli)  # the hidden reference is not listed: webMUSHRA adds it itself
        assert stimuli[names[0]]["role"] == ("reference" if kind == "prosody" else "natural")
        assert len({soundfile.info(folder / "audio" / f"{name}.wav").frames for name in names}) == 1
    for system in ("ours", "theirs", "anchor", "natural/"):
        assert system not in text  # nothing that a listener could read gives a system away


def test_a_test_that_webmushra_can_not_run_is_refused(tmp_path: Path, make_test) -> None:
    more = 'similarity_anchor = "source"'
    build(make_test(tmp_path, kind="similarity", items=1, more=more), tmp_path / "listening")
    with pytest.raises(UsageError, match=r"page-01 has nothing that webMUSHRA could play as the reference"):
        write_config(tmp_path / "listening")


def a_key(kind: str = "prosody", top: str = "reference", aspects: tuple[str, ...] = ("overall",)) -> Key:
    def stimuli(page: int) -> dict[str, Stimulus]:
        roles = {top: top, "ptx": "system", "other": "system"}
        return {f"{name[0]}{page}": Stimulus(system=name, role=role) for name, role in roles.items()}

    pages = tuple(Page(page=f"page-{i}", item=f"item{i}", stimuli=stimuli(i)) for i in range(2))
    return Key(
        test="t1", kind=kind, title="T", aspects=aspects, reference=top == "reference", pages=pages, seed=0
    )  # type: ignore[arg-type]


WHO = st.text(st.characters(categories=("L", "N", "P"), codec="utf-8"), min_size=1, max_size=8)
PLACES = st.tuples(st.integers(0, 1), st.sampled_from(["melody", "rhythm"]), st.sampled_from("rpo"))
GIVEN = st.dictionaries(PLACES, st.integers(0, 100), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WHO, GIVEN, min_size=1, max_size=3))
def test_results_go_through_csv_unchanged(given_ratings) -> None:
    key = a_key(aspects=("melody", "rhythm"))
    ratings = [
        make_rating(who, f"{who}-1", key.pages[page], aspect, f"{letter}{page}", float(score), score / 8)
        for who, scores in given_ratings.items()
        for (page, aspect, letter), score in scores.items()
    ]
    comments = [(who, next(iter(scores)), "a,\"b\"; 'c'") for who, scores in given_ratings.items()]
    comments = [(who, f"page-{place[0]}", text) for who, place, text in comments]
    problems = Problems()
    sessions = read_results(write_results("t1", ratings, comments).encode(), key, "mushra.csv", problems)
    assert problems.lines() == []
    assert [r for s in sessions for r in s.ratings] == ratings
    assert [(s.listener, *said) for s in sessions for said in s.comments.items()] == comments


HEAD = "session_test_id,email,age,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,rating_comment\n"


def read(text: str | bytes, key: Key | None = None) -> tuple[list[Rating], list[str]]:
    problems = Problems()
    data = text.encode() if isinstance(text, str) else text
    sessions = read_results(data, key, "mushra.csv", problems)
    return [r for s in sessions for r in s.ratings], problems.lines()


def test_what_webmushra_writes_is_read_without_a_key() -> None:
    rows = 'x,a@b.c,30,u1,trial1,C1,40,1500,""\nx,a@b.c,30,u1,trial1,reference,100,1500,"fine, ""really"""\n'
    ratings, problems = read(HEAD + rows + "x,a@b.c,30,u1,trial1,anchor70,20,,\n")
    assert problems == []
    facts = [(r.listener, r.session, r.item, r.system, r.role, r.score) for r in ratings]
    assert facts[0] == ("a@b.c", "u1", "trial1", "C1", "system", 40.0)
    assert facts[1][3:] == ("reference", "reference", 100.0) and facts[2][3:] == ("anchor70", "anchor", 20.0)
    assert ratings[0].seconds == 1.5 and ratings[2].seconds != ratings[2].seconds


def test_with_a_key_its_own_names_and_the_hidden_reference_are_known() -> None:
    rows = "t1,a,1,u,page-0,p0,40,1,\nt1,a,1,u,page-0,reference,95,1,\nt1,a,1,u,page-1,other,30,1,\n"
    ratings, problems = read(HEAD + rows, a_key())
    assert [(r.item, r.stimulus, r.system) for r in ratings] == [
        ("item0", "p0", "ptx"), ("item0", "r0", "reference"), ("item1", "o1", "other"),
    ]  # fmt: skip
    assert problems == []
    ratings, _ = read(HEAD + rows, a_key("naturalness", "natural"))
    assert [r.system for r in ratings] == ["ptx", "natural", "other"]


BROKEN = {
    "few": ("t1,a,1,u,page-0,p0\n", "with more or fewer than 9 columns, first 'line 3'"),
    "many": ("t1,a,1,u,page-0,p0,40,1,,,,\n", "with more or fewer than 9 columns"),
    "quote": ('t1,a,1,u,page-0,p0,40,1,"never closed\n' + "x,y\n" * 3, "with more or fewer"),
    "text": ("t1,a,1,u,page-0,o0,much,1,\n", "not a number from 0 to 100, first 'much'"),
    "nan": ("t1,a,1,u,page-0,o0,nan,1,\n", "not a number from 0 to 100, first 'nan'"),
    "high": ("t1,a,1,u,page-0,o0,1e9,1,\n", "not a number from 0 to 100, first '1e9'"),
    "test": ("t2,a,1,u,page-0,o0,4,1,\n", "of another test, first 't2'"),
    "page": ("t1,a,1,u,page-9,o0,4,1,\n", "of an unknown page, first 'page-9'"),
    "stimulus": ("t1,a,1,u,page-0,zz,4,1,\n", "of an unknown stimulus, first 'zz'"),
    "nobody": ("t1,,1,,page-0,o0,4,1,\n", "of nobody"),
    "long": ("t1,a,1,u,page-0,o0,4,1," + "x" * 200_000 + "\n", "is broken from line 3 on"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_row_costs_only_itself(case: str) -> None:
    row, problem = BROKEN[case]
    ratings, problems = read(HEAD + "t1,a,1,u,page-0,p0,40,1,\n" + row, a_key())
    assert ratings[0].score == 40
    if case != "quote":  # an open quote may swallow what follows: one cell that never ends is still one row
        assert len(ratings) == 1 and len(problems) == 1 and problem in problems[0], problems


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"", "is empty"), (b"\xff\xfe", "is empty"), (b"\xe9\xff\0\0", "is not webMUSHRA's results"),
     (b"a,b\n1,2\n", "is not webMUSHRA's results"),
     (b'"', "is not webMUSHRA's results"), (HEAD.replace("age", "email").encode(), "is not webMUSHRA's results"),
     (b"session_test_id,trial_id,rating_stimulus,rating_score,rating_time\n", "is not webMUSHRA's results")],
)  # fmt: skip
def test_what_is_no_table_of_results_is_one_line(data: bytes, problem: str) -> None:
    ratings, problems = read(data)
    assert ratings == [] and len(problems) == 1 and problem in problems[0] and problems[0].endswith("left out")


def test_tables_from_spreadsheets_and_older_versions() -> None:
    rows = HEAD + "t1,a,1,u,page-0,p0,40,1,\n"
    expected, _ = read(rows, a_key())
    for text in ("\ufeff" + rows, rows.replace(",", ";"), rows.replace("\n", "\r\n"), rows + HEAD + rows[len(HEAD) :]):
        ratings, problems = read(text, a_key())
        assert ratings == expected and problems == []
    old = "session_test_id,email,age,trial_id,rating_stimulus,rating_score,rating_time\nx,a@b.c,3,t,C1,4,5\n"
    ((rating,), problems) = read(old)
    assert (rating.listener, rating.session) == ("a@b.c", "a@b.c") and problems == []
    unnamed = old.replace("email,age", "gender,age").replace("a@b.c", "f")
    assert read(unnamed)[0][0].listener == "f 3"  # all that was asked stands for the listener


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=80), st.text(max_size=80))
def test_no_table_makes_reading_fail(data: bytes, text: str) -> None:
    for given_data in (data, HEAD.encode() + data, (HEAD + text).encode("utf8", "ignore")):
        for key in (None, a_key()):
            _, problems = read(given_data, key)
            assert all(line.isprintable() for line in problems)


def test_a_table_beside_the_sessions_is_part_of_the_panel(tmp_path: Path) -> None:
    path = tmp_path / "mushra.csv"
    path.write_text(HEAD + "x,a,30,u1,t1,C1,40,1500,\nx,a,30,u1,t1,reference,100,1500,\n")
    panel = read_panel(path)
    assert (panel.reference, panel.aspects, len(panel.ratings)) == (True, ("overall",), 2)
