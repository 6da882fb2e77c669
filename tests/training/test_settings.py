"""Where settings come from, and that docs/training.md names every one of them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.config import Config, MelConfig
from prosody_transfer.core.errors import UsageError
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.task import CopyCatTaskConfig
from prosody_transfer.models.recogniser.network import RecogniserConfig
from prosody_transfer.models.recogniser.task import RecogniserTaskConfig
from prosody_transfer.models.tracker.network import TrackerConfig
from prosody_transfer.models.tracker.spectrum import SpectrumConfig
from prosody_transfer.models.tracker.task import TrackerTaskConfig
from prosody_transfer.models.vocoder.network import VocoderConfig
from prosody_transfer.models.vocoder.task import VocoderTaskConfig
from prosody_transfer.store import weights
from prosody_transfer.training.loop import LoopConfig
from prosody_transfer.training.settings import (
    DataConfig,
    load_settings,
    override,
    prepared_data,
    preset_names,
    presets,
)

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf8")
CLASSES: dict[str, tuple[type[Config], type[Config]]] = {
    "copycat": (CopyCatConfig, CopyCatTaskConfig),
    "vocoder": (VocoderConfig, VocoderTaskConfig),
    "recogniser": (RecogniserConfig, RecogniserTaskConfig),
    "tracker": (TrackerConfig, TrackerTaskConfig),
}


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    (tmp_path / "train.jsonl").write_text(json.dumps({"audio": "a.flac", "speaker": "ann"}))
    return tmp_path


@pytest.mark.parametrize("kind", CLASSES)
def test_the_presets_are_valid_and_grow(kind: str, prepared: Path) -> None:
    assert preset_names(kind) == ["small", "base", "large"]
    sizes = []
    for name in preset_names(kind):
        found = load_settings(kind, *CLASSES[kind], data=prepared, preset=name)
        assert found.prepared and found.run_dir == Path("runs") / kind and found.loop.validation_steps > 0
        config = {**found.network.to_dict(), "speakers": ["ann"]} if kind == "copycat" else found.network.to_dict()
        network = weights._network(kind, config, name)
        sizes.append(sum(p.numel() for p in network.parameters()) / 1e6)
        assert f"{sizes[-1]:.1f}" in PAGE and str(found.loop.total_steps) in PAGE
    assert sizes == sorted(sizes) and sizes[-1] > 4 * sizes[0]
    assert load_settings(kind, *CLASSES[kind], data=prepared).network == CLASSES[kind][0](), "base is what ships"


@pytest.mark.parametrize("heading, cls", [
    ("`[data]`", DataConfig), ("`[loop]`", LoopConfig),
    *((f"`[task]` of {kind}", task) for kind, (_, task) in CLASSES.items()),
    *((f"`[network]` of {kind}", network) for kind, (network, _) in CLASSES.items()),
])  # fmt: skip
def test_every_setting_is_documented_with_its_default(heading: str, cls: type[Config]) -> None:
    section = PAGE.split(f"### {heading}\n")[1].split("\n#")[0]
    documented = dict(re.findall(r"(?m)^\| `(\w+)` \| (.+?) \| \S.* \|$", section))
    fields = {field.name: field for field in msgspec.structs.fields(cls)}
    assert list(documented) == list(fields)
    for name, shown in documented.items():
        default = {} if fields[name].default_factory is dict else fields[name].default
        if shown == "required":
            assert fields[name].required, name
        elif shown == "24 kHz":
            assert default == MelConfig()
        elif shown == "12 kHz":
            assert default == SpectrumConfig()
        else:
            value = json.loads(shown.strip("`"))
            assert (tuple(value) if isinstance(value, list) else value) == default, name


def test_changes_by_hand() -> None:
    base = {"task": {"batch_size": 12}, "run_dir": "here"}
    changes = [
        "task.batch_size=8", "loop.precision=float32", 'network.speakers=["a", "b"]', "loop.learning_rate = 5e-4",
        "task.start_from=runs/a b/model.safetensors", "network.mel.n_mels=80",
    ]  # fmt: skip
    assert override(base, changes) == {
        "task": {"batch_size": 8, "start_from": "runs/a b/model.safetensors"}, "run_dir": "here",
        "loop": {"precision": "float32", "learning_rate": 5e-4},
        "network": {"speakers": ["a", "b"], "mel": {"n_mels": 80}},
    }  # fmt: skip
    assert base == {"task": {"batch_size": 12}, "run_dir": "here"}, "the original stays"


@given(st.text(max_size=30))
def test_any_change_is_taken_or_refused_in_one_line(text: str) -> None:
    try:
        assert isinstance(override({"task": {"batch_size": 12}}, [text]), dict)
    except UsageError as error:
        assert "--set" in str(error)


@given(st.integers(-(10**9), 10**9) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(value: float) -> None:
    assert override({}, [f"loop.x={json.dumps(value)}"]) == {"loop": {"x": value}}


@pytest.mark.parametrize("change", ["batch_size=8", "task.batch_size", "=3", ".x=3", "task.=3", ""])
def test_changes_that_are_none(change: str) -> None:
    with pytest.raises(UsageError, match="write section.name=value"):
        override({}, [change])


def test_what_is_refused(prepared: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[data]\nmanifests = ["x"]')
    config = tmp_path / "c.toml"
    config.write_text('[data]\nmanifests = ["x"]\n[loop]\ntotal_steps = 7')
    refused = [
        ({}, "nothing to train on; give --data FOLDER"),
        ({"config": config, "data": prepared}, "exclude each other"),
        ({"config": config, "preset": "base"}, "exclude each other"),
        ({"data": prepared, "preset": "huge"}, "'huge' is no preset; give small, base, large, or a .toml file"),
        ({"data": prepared, "preset": str(own)}, "a preset names no data"),
        ({"data": tmp_path / "no"}, "holds no train.jsonl"),
        ({"data": prepared, "changes": ["task.batch_sise=8"]}, "batch_sise"),
        ({"data": prepared, "changes": ["tusk.batch_size=8"]}, r"unknown section \[tusk\]"),
        ({"data": prepared, "changes": ["task.batch_size=big"]}, "batch_size"),
    ]
    for how, problem in refused:
        with pytest.raises(UsageError, match=problem):
            load_settings("vocoder", *CLASSES["vocoder"], **how)
    found = load_settings("vocoder", *CLASSES["vocoder"], config=config, changes=["loop.seed=3"])
    assert (found.loop.total_steps, found.loop.seed, found.run_dir) == (7, 3, Path("runs/c")) and not found.prepared


def test_a_preset_of_ones_own(prepared: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text("[network]\nchannels = 16\n")
    found = load_settings("vocoder", *CLASSES["vocoder"], data=prepared, preset=str(own), run_dir=tmp_path / "run")
    assert found.network.channels == 16 and found.run_dir == tmp_path / "run"


def test_a_prepared_folder(prepared: Path) -> None:
    assert prepared_data(prepared)["dev"] == []
    (prepared / "dev.jsonl").write_text("")
    assert prepared_data(prepared)["dev"] == [], "an empty list is none"
    (prepared / "dev.jsonl").write_text("{}")
    assert prepared_data(prepared)["dev"] == [str(prepared / "dev.jsonl")]


def test_the_presets_are_toml() -> None:
    assert all(tomllib.loads(p.read_text()) for kind in CLASSES for p in presets(kind).iterdir())
