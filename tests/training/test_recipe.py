"""Recipes: the shipped one is valid, every stage of it runs, and what is wrong with one is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.models import registry
from prosody_transfer.store.header import read_header
from prosody_transfer.store.weights import shipped
from prosody_transfer.training import recipe as module
from prosody_transfer.training.recipe import read_recipe, run_recipe
from prosody_transfer.training.settings import DataConfig, LoopConfig

SHIPPED = Path(__file__).parents[2] / "recipes" / "shipped.toml"
SMALL = {
    "copycat": {"phone_channels": 8, "phone_layers": 1, "channels": 8, "layers": 2, "speaker_channels": 4,
                "reference_channels": 8, "reference_layers": 1, "source_channels": 4, "latent_channels": 2},
    "vocoder": {"channels": 8, "layers": 1}, "recogniser": {"channels": 8, "layers": 1},
}  # fmt: skip
CROPS = {"copycat": 48, "vocoder": 32, "recogniser": 48}
STAGES = [stage.name for stage in read_recipe(SHIPPED) if stage.kind in SMALL]


def test_the_shipped_recipe_is_valid_and_makes_all_that_ships() -> None:
    stages = read_recipe(SHIPPED)
    for stage in stages:
        model = registry.get(stage.kind)
        load_config(model.load("config"), stage.sections["network"])
        load_config(model.load("task").settings_class, stage.sections["task"])
        load_config(LoopConfig, stage.sections["loop"]), load_config(DataConfig, stage.sections["data"])
    ships = {stage.kind for stage in stages if stage.ships}
    assert ships == set(registry.trainable())
    assert {stage.name: stage for stage in stages}["copycat_heard"].needs == ("recogniser", "copycat_deeper")


@pytest.mark.parametrize("kind", ["copycat", "vocoder", "recogniser"])
def test_what_ships_has_the_last_stages_steps_and_rows(kind: str) -> None:
    """Where they were made otherwise, the card says so."""
    (stage,) = (s for s in read_recipe(SHIPPED) if s.kind == kind and s.ships)
    header = read_header(shipped(kind), kind)[0]
    assert header["step"] == stage.sections["loop"]["total_steps"] and header["data"]["sha256"] == stage.rows


def test_every_stage_runs_ten_steps(fake_cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped recipe with small networks on made-up recordings: each goes on from what it says."""
    rows, cache = fake_cache
    shutil.copytree(cache, tmp_path / "data" / "cache")
    lines = [json.dumps({"id": r.id, "audio": r.audio, "speaker": r.speaker, "text": r.text}) for r in rows]
    (tmp_path / "data" / "rows.jsonl").write_text("\n".join(lines))
    real, folder = module._settings, tmp_path / "data"

    def small(stage, runs):
        found, kind = dict(real(stage, runs)), stage.kind
        found["data"] = {"manifests": [str(folder / "rows.jsonl")], "cache": str(folder / "cache")}
        found["network"] = SMALL[kind] | ({"speakers": ["one", "two"]} if kind == "copycat" else {})
        if "layers" in stage.sections["network"] and kind == "copycat":
            found["network"]["layers"] = 4  # deeper than the stages before, as in the recipe
        found["task"] = found["task"] | {"batch_size": 2, "crop_frames": CROPS[kind]}
        steps = min(10, found["loop"].get("total_steps", 10))
        found["loop"] = {"total_steps": steps, "warmup_steps": 1, "validation_steps": 0, "precision": "float32"}
        return found

    monkeypatch.setattr(module, "_settings", small)
    told = []
    tell = lambda stage, remark: told.append((stage.name, remark))
    run_recipe(SHIPPED, STAGES, runs=tmp_path / "runs", on_stage=tell)
    for name in STAGES:
        kind = name.split("_")[0]
        header = read_header(tmp_path / "runs" / name / "model.safetensors", kind)[0]
        assert header["step"] == (0 if name in ("recogniser_mean", "recogniser_clean_and_noisy") else 10)
        started = header["task"].get("start_from")
        assert bool(started) == (name not in ("recogniser", "recogniser_longer", "vocoder", "copycat")), name
    assert [name for name, _ in told] == STAGES and any("not the recordings" in remark for _, remark in told)
    again = []
    run_recipe(SHIPPED, [STAGES[0]], runs=tmp_path / "runs", on_stage=lambda s, r: again.append(r),
               changes=["loop.total_steps=10"])  # fmt: skip
    assert again == ["finished"]


@pytest.mark.parametrize(("text", "says"), [
    ("", "is no recipe of format 1"), ("format = 2\n[stage.a]\n", "is no recipe of format 1"), ("[", "is not TOML"),
    ('format = 1\n[stage.a]\nkind = "x"\n[stage.a.data]\n', r"\[stage.a\]: has the unknown kind 'x'"),
    ('format = 1\n[stage.a]\nkind = "vocoder"\nfoo = 1\n[stage.a.data]\n', "foo"),
    ('format = 1\n[stage.a]\nkind = "vocoder"\n[stage.a.data]\n[stage.a.task]\nstart_from = "@b"', "no stage before"),
])  # fmt: skip
def test_what_is_wrong_is_named(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        read_recipe(path)


def test_an_unknown_stage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no stage 'x'; known are recogniser, "):
        run_recipe(SHIPPED, ["x"], runs=tmp_path)
