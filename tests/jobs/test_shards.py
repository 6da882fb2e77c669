"""Parts of a batch: each recording in one, whatever else is in the folder; together they are the whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.jobs.shards import Shard, take_shard
from prosody_transfer.jobs.tasks import Sources


@given(st.lists(st.text("abcé/ ", min_size=1), max_size=30, unique=True), st.integers(1, 8))
def test_every_recording_is_in_one_part(names: list[str], of: int) -> None:
    paths = [Path("in", name.strip("/ ") or "x") for name in names]
    sources = [Sources(paths, Path("out"), Path("in"))]
    parts = [take_shard(sources, f"{i + 1}/{of}")[0].paths for i in range(of)]
    assert sorted(path for part in parts for path in part) == sorted(paths)
    root = Path("elsewhere")
    moved = [Sources([root / path.relative_to("in") for path in paths[1:]], Path("out"), root)]
    for i, part in enumerate(parts):
        found = {path.relative_to(root) for path in take_shard(moved, f"{i + 1}/{of}")[0].paths}
        assert found == {path.relative_to("in") for path in part if path in paths[1:]}, "wherever the folder is"


def test_parts_are_about_equal() -> None:
    paths = [Path(f"take_{i:04}.wav") for i in range(2000)]
    counts = [sum(Shard(i, 10).holds(path) for path in paths) for i in range(1, 11)]
    assert sum(counts) == 2000 and min(counts) > 150 and max(counts) < 250


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1", "1/0", "-1/3", "1/3/5", "a/b", "1.5/3", "٣/٥", "1/9" * 5000])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as found:
        Shard.parse(text)
    assert found.value.place == "--shard"


def test_three_parts_merged_are_one_run(make_takes, transfer, holds, tmp_path: Path) -> None:
    paths = make_takes(*(f"scene {i % 2}/{i}.wav" for i in range(7)))
    transfer(paths, "whole")
    sources = [Sources(paths, tmp_path, tmp_path / "takes")]
    for part in (1, 2, 3):
        mine = list(take_shard(sources, f"{part}/3")[0].paths)
        assert 0 < len(mine) < 7
        transfer(mine, f"part{part}")
        transfer(mine, "together")
        shutil.copytree(tmp_path / f"part{part}", tmp_path / "merged", dirs_exist_ok=True)
    assert holds("merged") == holds("together") == holds("whole") and len(holds("whole")) == 14
    assert {done.state.kind for done in transfer(paths, "merged").values()} == {"current"}
