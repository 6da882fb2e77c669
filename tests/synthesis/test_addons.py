"""Plans said by addons: what torch's own networks say, without torch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration import open_addon
from prosody_transfer.models.copycat.config import adaptable
from prosody_transfer.models.copycat.inputs import pool_units
from prosody_transfer.store.voice_network import ROW, adapted
from prosody_transfer.store.weights import shipped
from prosody_transfer.synthesis.acoustic import speaking_of
from prosody_transfer.synthesis.addons import AddonAcoustic, AddonVocoder, pool
from prosody_transfer.synthesis.plan import PlannedEmbedding, ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.render import Rendered, render
from prosody_transfer.synthesis.target_voice import TargetVoice
from prosody_transfer.synthesis.transferer import Transferer

AUDIO = Path(__file__).parents[2] / "examples" / "audio"
OPTIONS: dict[str, Any] = {"runtime": "onnx", "provider": "cpu", "shapes": "dynamic"}


@pytest.fixture(scope="module")
def torch_s() -> Transferer:
    torch.set_num_threads(1)
    return Transferer()


@pytest.fixture(scope="module")
def acoustic() -> AddonAcoustic:
    return AddonAcoustic(open_addon(shipped("copycat").parent), OPTIONS)


@pytest.fixture(scope="module")
def analysis(torch_s: Transferer):
    from prosody_transfer.analysis.analyse import analyse_file

    return analyse_file(AUDIO / "source.flac", torch_s.aligner, TransferSettings(), config=torch_s.config)


@pytest.fixture(scope="module")
def plan(torch_s: Transferer, analysis) -> ProsodyPlan:
    return torch_s.plan(analysis)


def snr_db(found: np.ndarray, expected: np.ndarray) -> float:
    return float(10 * np.log10(np.square(expected).sum() / np.square(found - expected).sum()))


def first_mel(plan: ProsodyPlan, voice: TargetVoice, network: Any) -> np.ndarray:
    """(M, T) of the first piece."""
    return next(iter(speaking_of(network).decode_frames(plan, voice, TransferSettings(), network))).mel


def said(plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, shapes: str = "dynamic") -> Rendered:
    options = {**OPTIONS, "shapes": shapes}
    network = AddonAcoustic(open_addon(shipped("copycat").parent), options)
    vocoder = AddonVocoder(open_addon(shipped("vocoder").parent), options)
    return render(plan, voice, settings, network=network, vocoder=vocoder)


SETTINGS = {
    "as it was said": TransferSettings(),
    "half": TransferSettings(strength=0.5, f0_range_scale=1.3, f0_shift_semitones=-2.0),
    "the voice's own melody": TransferSettings(keep=("rhythm", "energy")),
    "no energy, no latent": TransferSettings(keep=("rhythm", "pitch")),
    "slower": TransferSettings(duration_scale=1.4),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_an_addon_says_what_torch_says(name: str, torch_s: Transferer, plan: ProsodyPlan) -> None:
    settings, voice = SETTINGS[name], torch_s.voice("alice")
    expected, found = torch_s.render(plan, "alice", settings), said(plan, voice, settings)
    assert found.waveform.shape == expected.waveform.shape
    # Where the network makes part of the melody, its rounding adds up in the phase.
    own_melody = settings.strength < 1 or "pitch" not in settings.keep
    assert snr_db(found.waveform, expected.waveform) >= (50 if own_melody else 70)
    for mine, theirs in zip(found.frames, expected.frames, strict=True):
        assert np.array_equal(mine.voiced, theirs.voiced) and np.array_equal(mine.source_frame, theirs.source_frame)
        assert np.abs(mine.log_f0 - theirs.log_f0).max() < 1e-5 and np.abs(mine.mel - theirs.mel).max() < 1e-3


def test_fixed_shapes_say_the_same(torch_s: Transferer, plan: ProsodyPlan) -> None:
    voice = torch_s.voice("lewis")
    dynamic, fixed = (said(plan, voice, TransferSettings(), shapes) for shapes in ("dynamic", "fixed"))
    assert snr_db(fixed.waveform, dynamic.waveform) >= 70


def test_the_embedding_is_torch_s(torch_s: Transferer, acoustic: AddonAcoustic, analysis, plan: ProsodyPlan) -> None:
    assert plan.embedding is not None
    found = acoustic.embed(analysis, plan.embedding.model)
    assert (found.level, found.model) == (plan.embedding.level, plan.embedding.model)
    for mine, theirs in zip(found.steps, plan.embedding.steps, strict=True):
        assert mine.shape == theirs.shape and np.abs(mine - theirs).max() < 1e-4


@pytest.mark.parametrize("level", ["none", "frames"])
def test_other_embeddings(level: str, torch_s: Transferer, acoustic: AddonAcoustic, plan: ProsodyPlan) -> None:
    """Without one, and with one that has a step for each frame."""
    from dataclasses import replace

    sizes = [frames.stop - frames.start for _, frames in plan.split()]
    steps = tuple(np.full((4, size), 0.3, np.float32) for size in sizes)
    other = replace(plan, embedding=None if level == "none" else PlannedEmbedding(steps, "frames"))
    voice = torch_s.voice("alice")
    expected = first_mel(other, voice, torch_s.network)
    assert np.abs(first_mel(other, voice, acoustic) - expected).max() < 1e-3


def test_a_user_s_voice_lies_over_the_addon(torch_s: Transferer, acoustic: AddonAcoustic, plan: ProsodyPlan) -> None:
    """Its row and its own tensors, and nothing else of the addon: symbols and stack are the shipped ones."""
    torch.manual_seed(5)
    network = torch_s.network
    names = adaptable(dict(network.named_parameters()))[:6]
    state = dict(network.named_parameters())
    tensors = {name: (state[name] + 0.05 * torch.randn_like(state[name])).detach().half() for name in names}
    tensors[ROW] = torch.randn(network.speaker_table.weight.shape[1]).half()
    voice = torch_s.voice("alice")
    theirs = adapted(network, tensors, "x")
    mine = acoustic.adapted({name: value.float().numpy() for name, value in tensors.items()}, "x")
    row = network.speaker_table.num_embeddings
    say = lambda own: first_mel(
        plan, TargetVoice("me", row, voice.log_f0_median, voice.phone_log_frames, own), own
    )  # fmt: skip
    assert mine.rows == row + 1 and np.abs(say(mine) - say(theirs)).max() < 1e-3
    plain = first_mel(plan, voice, acoustic)
    assert np.abs(say(mine) - plain).max() > 0.1


def test_a_voice_that_does_not_fit_is_refused(acoustic: AddonAcoustic) -> None:
    row = np.zeros(128, np.float32)
    for tensors, message in (
        ({}, "has no usable 'speaker_row'"), ({ROW: row[:5]}, "has no usable"), ({ROW: row * np.nan}, "has no usable"),
        ({ROW: row, "phone_encoder.blocks.0.gain": row}, "changes 'phone_encoder.blocks.0.gain', which no voice may"),
        ({ROW: row, "head.bias": row[:3]}, "has no usable 'head.bias'"),
    ):  # fmt: skip
        with pytest.raises(ModelError, match=message):
            acoustic.adapted(tensors, "me")


def test_means_of_units() -> None:
    values = np.random.default_rng(0).standard_normal((4, 30)).astype(np.float32)
    units = np.sort(np.random.default_rng(1).integers(0, 6, 30))
    units -= units[0]
    mask = torch.ones(1, 30, dtype=torch.bool)
    theirs, _ = pool_units(torch.from_numpy(values)[None], mask, torch.from_numpy(units)[None])
    assert np.abs(pool(values, units) - theirs[0].numpy()).max() < 1e-6


def test_what_a_runtime_can_t_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is a checkpoint; --runtime and --shapes take an addon; make one: ptx addon"):
        Transferer(shutil.copy(shipped("copycat"), tmp_path / "run.safetensors"), runtime="onnx")
    with pytest.raises(ModelError, match="is no addon"):
        Transferer(tmp_path)
    with pytest.raises(ModelError, match="is a vocoder, not an acoustic model"):
        Transferer(shipped("vocoder").parent)
    with pytest.raises(ModelError, match="is a copycat, not a vocoder"):
        Transferer(None, shipped("copycat").parent, runtime="onnx")
    with pytest.raises(ModelError, match="the provider 'cuda' is not installed"):
        Transferer(device="cuda", runtime="onnx")


def test_speaking_needs_no_torch(tmp_path: Path) -> None:
    """The whole of `ptx transfer`, also with the learned tracker, with torch made impossible to import."""
    run = "import sys; sys.modules['torch'] = None; from prosody_transfer.cli import main; main()"
    line = [sys.executable, "-c", run, "transfer", AUDIO / "source.flac", "-s", "alice"]
    line += ["--tracker", "learned"]
    done = subprocess.run([*line, "-o", tmp_path / "out.wav"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.wav").stat().st_size > 50_000
    assert "F0" in done.stdout or "alice" in done.stdout


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "onnx dynamic"), ({"device": "cuda"}, ""), ({"model": "file"}, "onnx dynamic"), ({"model": "run"}, ""),
     ({"vocoder": "griffin-lim"}, ""), ({"model": "folder"}, "onnx dynamic"), ({"shapes": "fixed"}, "onnx fixed")],
)  # fmt: skip
def test_what_auto_means(given: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from prosody_transfer.synthesis import loading

    files = {"run": Path("runs/mine.safetensors"), "file": shipped("copycat"), "folder": shipped("copycat").parent}
    monkeypatch.setattr(loading, "_checkpoints", lambda *options: "")
    monkeypatch.setattr(loading, "_addons", lambda *options: f"{options[3]} {options[4]}")
    model = files.get(given.get("model", ""))
    asked = {"device": "cpu", "vocoder": None, **{k: v for k, v in given.items() if k != "model"}}
    assert loading.load_models(model, runtime="auto", **asked) == expected  # type: ignore[arg-type]
