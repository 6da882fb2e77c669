"""test.toml: every mistake is one line that names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.design import ASPECTS, read_design, read_key

KEYS = ("title", "id", "kind", "items", "systems", "seed", "repeats")
VALUES = ('"x"', "3", "[]", '["a"]', '{a = "b"}', '"prosody"', "1979-05-27", "nan", '""')


def test_a_design_finds_its_files(tmp_path: Path, make_test) -> None:
    design = read_design(make_test(tmp_path, "prosody", 4, "repeats = 2"))
    assert [item.id for item in design.items] == ["item0", "item1", "item2", "item3"]
    assert design.recordings[1] == {
        "ours": str(tmp_path / "ours" / "item1.wav"), "theirs": str(tmp_path / "theirs" / "item1.alice.flac"),
    }  # fmt: skip
    assert design.items[2].source == str(tmp_path / "sources" / "item2.wav")
    assert design.aspects == ASPECTS and len(set(design.repeated)) == 2
    assert design.repeated == read_design(tmp_path / "test.toml").repeated


def test_the_shipped_example_is_a_design(tmp_path: Path, save_voice) -> None:
    path = tmp_path / "examples" / "listening.toml"
    path.parent.mkdir()
    path.write_bytes((Path(__file__).parents[3] / "examples" / "listening.toml").read_bytes())
    for name in ("examples/audio/source.flac", "demo/ptx/source.wav", "demo/rhythm_only/source.wav"):
        save_voice(tmp_path / name)
    design = read_design(path)
    assert design.recordings[0]["rhythm only"] == str(tmp_path / "demo" / "rhythm_only" / "source.wav")


def test_items_may_name_their_own_files(tmp_path: Path, make_test) -> None:
    path = make_test(tmp_path, "naturalness", 2)
    text = path.read_text().replace("items = ['item0', 'item1']\n", "")
    table = '\n[[items]]\nid = "item1"\nnatural = "natural/item0.wav"\ntext = "Said."\n'
    path.write_text(text + table)
    design = read_design(path)
    assert design.items[0].natural == str(tmp_path / "natural" / "item0.wav") and design.items[0].text == "Said."
    assert design.aspects == ("overall",)


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ('title = "A <test>"', "", "", "missing required field `title`"),
        ('title = "A <test>"', 'title = " "', "title", "is empty"),
        ('id = "t1"', 'id = "../t"', "id", "is not a name"),
        ('kind = "prosody"', 'kind = "beauty"', "kind", "invalid enum value 'beauty'"),
        ("seed = 3", 'seed = "three"', "seed", "expected `int`"),
        ("seed = 3", "sede = 3", "", "unknown field `sede`"),
        ("seed = 3", "seed = ", "", "is not TOML"),
        ("seed = 3", "repeats = 4", "repeats", "4 of 3 items"),
        ("seed = 3", "items_per_session = 9", "items_per_session", "9 of 3 items"),
        ("seed = 3", "items_per_session = -1", "items_per_session", "-1 of 3 items"),
        ("seed = 3", "sample_rate = 96000", "sample_rate", "96000 Hz"),
        ("seed = 3", 'aspects = ["melody", "melody"]', "aspects", "are not some of the five"),
        ("seed = 3", 'aspects = ["beauty"]', "aspects", "are not some of the five"),
        ("items = ['item0', 'item1', 'item2']", "items = []", "items", "names no item"),
        ("'item1'", "'item0'", 'items "item0"', "comes twice"),
        ("'item1'", "'../item1'", 'items "../item1"', "is not an id"),
        ("'item1'", "'item7'", 'items "item7": source', "no recording named item7"),
        ('ours = "ours"', 'ours = "nowhere"', "systems.ours", "there is no folder"),
        ('ours = "ours"', 'ours = "test.toml"', "systems.ours", "has no {item} in it"),
        ('ours = "ours"', 'ours = "ours/{item}.mp3"', "systems.ours", "no such file"),
        ('ours = "ours"', 'anchor_x = "ours"', "systems.anchor_x", "the test itself gives"),
        ('source = "sources"', "", 'items "item0"', "has no source"),
        ('source = "sources"', 'source = "sources"\nnatural = "natural"', 'items "item0"', "no use for"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, make_test, old: str, new: str, place: str, problem: str) -> None:
    path = make_test(tmp_path, "prosody", 3)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        read_design(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: {place}" if place else f"{path}: ") and problem in said and "\n" not in said


@pytest.mark.parametrize(
    ("kind", "old", "new", "problem"),
    [
        ("similarity", 'reference = "enrol/{item}.wav"', "", "has no reference"),
        ("similarity", 'source = "sources"', "", "has no source to make the anchor of"),
        ("naturalness", 'natural = "natural/{item}.wav"', "", "has no natural recording to make the anchor of"),
        ("naturalness", "seed = 3", 'reference = "enrol"', "rated without one"),
    ],
)
def test_each_kind_needs_recordings_of_its_own(tmp_path: Path, make_test, kind, old, new, problem) -> None:
    path = make_test(tmp_path, kind, 2)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UsageError, match=problem):
        read_design(path)


def test_without_anchors_less_is_needed(tmp_path: Path, make_test) -> None:
    path = make_test(tmp_path, "similarity", 2, "anchors = false")
    path.write_text(path.read_text().replace('source = "sources"', ""))
    assert not read_design(path).items[0].source


def test_two_recordings_of_one_item_are_refused(tmp_path: Path, make_test, save_voice) -> None:
    path = make_test(tmp_path, "prosody", 2)
    save_voice(tmp_path / "ours" / "item1.flac")
    with pytest.raises(UsageError, match="more than one recording named item1"):
        read_design(path)


def test_a_natural_recording_for_some_items_alone_is_refused(tmp_path: Path, make_test) -> None:
    path = make_test(tmp_path, "naturalness", 2, "anchors = false")
    text = path.read_text().replace('natural = "natural/{item}.wav"', "").replace("items = ['item0', 'item1']", "")
    path.write_text(text + '[[items]]\nid = "item0"\nnatural = "natural/item0.wav"\n[[items]]\nid = "item1"\n')
    with pytest.raises(UsageError, match='items "item1": some items have a natural recording'):
        read_design(path)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_design(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_design(tmp_path / "bad.toml")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)))
def test_whatever_it_holds_the_error_is_ours(tmp_path: Path, keys: dict[str, str]) -> None:
    path = tmp_path / "any.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in keys.items()))
    with pytest.raises(UsageError) as caught:
        read_design(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_damaged_key_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_key(tmp_path)
    (tmp_path / "key.json").write_text('{"format": "other"}')
    with pytest.raises(UsageError, match="is damaged"):
        read_key(tmp_path)


@pytest.mark.parametrize(("old", "new"), [('"sources"', '"' + "x" * 300 + '"'), ('"ours"', '"' + "x" * 300 + '"'),
                                          ('"ours"', '"{item}' + "x" * 300 + '"')])  # fmt: skip
def test_a_name_that_no_system_takes_is_no_file(tmp_path: Path, make_test, old: str, new: str) -> None:
    path = make_test(tmp_path)
    path.write_text(path.read_text().replace(f"= {old}", f"= {new}"))
    with pytest.raises(UsageError, match="there is no folder|no such file"):
        read_design(path)
