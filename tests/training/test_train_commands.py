"""`ptx train ...`: from a config file to weights, and what is refused before anything is measured."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.store.weights import load_network
from prosody_transfer.training import commands

CONFIGS = Path(__file__).parents[2] / "configs"
CLIP = Path(__file__).parents[1] / "alignment" / "alice_0016.opus"
TEXT = "But Farmer Green didn't agree with him."
TRAIN = {kind: functools.partial(commands.train, kind) for kind in ("copycat", "vocoder", "recogniser")}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A manifest of three recordings of two speakers, one recording without words."""
    waveform, rate = soundfile.read(CLIP, dtype="float32")
    lines = []
    for i, (speaker, text) in enumerate((("ann", TEXT), ("bob", TEXT), ("bob", ""))):
        noise = np.random.default_rng(i).normal(0, 1e-3, len(waveform))
        soundfile.write(tmp_path / f"{i}.wav", waveform * (0.5 + 0.2 * i) + noise, rate)
        lines.append(json.dumps({"audio": f"{i}.wav", "speaker": speaker, "text": text}))
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines))
    return tmp_path / "corpus.jsonl"


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def data_section(corpus: Path) -> str:
    return f'[data]\nmanifests = ["{corpus}"]\ncache = "{corpus.parent / "cache"}"\nworkers = 1\n'


@pytest.mark.parametrize("kind", TRAIN)
@pytest.mark.parametrize(("text", "problem"), [
    (None, "cannot be read"), ("[data", "is not TOML"), ("\x00", "is not TOML"),
    ('[dta]\n', r"unknown section \[dta\]"), ("", "manifests"),
    ("data = 3", "data"), ('[data]\nmanifests = "one"', "manifests"),
    ('[data]\nmanifests = ["none.jsonl"]\nworker = 1', "worker"),
    ('[data]\nmanifests = ["none.jsonl"]\n[network]\nx = 1', "x"),
    ('[data]\nmanifests = ["none.jsonl"]\n[task]\nbatch_size = "big"', "batch_size"),
    ('[data]\nmanifests = ["none.jsonl"]', "none.jsonl: cannot be read|names no speakers"),
])  # fmt: skip
def test_configs_that_are_refused(tmp_path: Path, kind: str, text: str | None, problem: str):
    path = write(tmp_path, text) if text is not None else tmp_path / "config.toml"
    with pytest.raises(UsageError, match=problem) as caught:
        TRAIN[kind](path, run_dir=tmp_path / "run")
    assert "\n" not in str(caught.value) and caught.value.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_the_acoustic_model_needs_voices(corpus: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="names no speakers"):
        commands.train("copycat", write(tmp_path, data_section(corpus)), run_dir=tmp_path / "run")
    config = write(tmp_path, data_section(corpus) + '[network]\nspeakers = ["ann", "eve"]')
    with pytest.raises(UsageError, match="no usable recording of eve"):
        commands.train("copycat", config, run_dir=tmp_path / "run")


def test_a_recogniser_from_three_recordings(corpus: Path, tmp_path: Path):
    config = write(
        tmp_path,
        f"""run_dir = "{tmp_path / "run"}"
{data_section(corpus)}
[network]
channels = 8
layers = 1
[task]
batch_size = 2
crop_frames = 64
[loop]
total_steps = 6
warmup_steps = 2
log_steps = 3
""",
    )
    events = []
    path = commands.train("recogniser", config, on_event=lambda *told: events.append(told))
    assert path == tmp_path / "run" / "model.safetensors"
    network, header = load_network("recogniser", path)
    assert network.config.channels == 8 and header["step"] == 6
    assert header["data"]["utterances"] == 3 and header["data"]["manifests"] == ["corpus.jsonl"]
    assert network.bigram.exp().sum(1).numpy() == pytest.approx(1, abs=1e-5) and network.bigram.std() > 0
    assert [e[:3] for e in events] == [("prepare", i, 3) for i in (1, 2, 3)] + [("train", i, 6) for i in range(1, 7)]
    assert (tmp_path / "run" / "log.csv").read_text().startswith("step,seconds,loss,accuracy")
    with pytest.raises(ModelError, match="already holds a run"):
        commands.train("recogniser", config)
    assert commands.train("recogniser", config, resume=True) == path


def test_an_acoustic_model_with_its_voices(corpus: Path, tmp_path: Path):
    config = write(
        tmp_path,
        data_section(corpus)
        + """[network]
speakers = ["bob", "ann"]
phone_channels = 8
phone_layers = 1
channels = 8
layers = 2
reference_channels = 8
reference_layers = 1
[task]
batch_size = 2
crop_frames = 64
[loop]
total_steps = 2
""",
    )
    path = commands.train("copycat", config, run_dir=tmp_path / "here")
    network, header = load_network("copycat", path)
    assert network.config.speakers == ("bob", "ann") and set(header["voices"]) == {"ann", "bob"}
    for voice in header["voices"].values():
        assert np.exp(voice["log_f0_median"]) == pytest.approx(190, abs=60)
        assert voice["f0_low_hz"] < np.exp(voice["log_f0_median"]) < voice["f0_high_hz"] and voice["frames"] > 100
        assert len(voice["phone_log_frames"]) == 40 and min(voice["phone_log_frames"]) > 0
        bands, frames = voice["sharpening"]
        assert 0.1 <= bands <= 0.5 and frames == 0.5  # after so short a training no onset is left


TINY = [
    "network.phone_channels=8", "network.phone_layers=1", "network.channels=8", "network.layers=2",
    "network.reference_channels=8", "network.reference_layers=1", "task.batch_size=2", "task.crop_frames=64",
    "loop.total_steps=4", "loop.warmup_steps=1", "loop.validation_steps=2", "loop.log_steps=1",
]  # fmt: skip


@pytest.fixture
def prepared(fake_cache, tmp_path: Path) -> Path:
    """A folder as `ptx prepare` leaves it: its third recording is for validation, and one voice has no phones."""
    rows, cache = fake_cache
    shutil.copytree(cache, tmp_path / "data" / "cache")
    lines = [json.dumps({"id": r.id, "audio": r.audio, "speaker": r.speaker, "text": r.text}) for r in rows]
    silent = tmp_path / "data" / "cache" / "three" / "u9.npz"
    silent.parent.mkdir()
    shutil.copy(cache / "one" / "u0.npz", silent)
    lines.append(json.dumps({"id": "u9", "audio": "a.wav", "speaker": "three", "phones": "heard"}))
    (tmp_path / "data" / "train.jsonl").write_text("\n".join(lines[:2] + lines[3:]))
    (tmp_path / "data" / "dev.jsonl").write_text(lines[2])
    return tmp_path / "data"


@pytest.mark.parametrize("kind", TRAIN)
def test_a_prepared_folder_and_a_preset(kind: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    known = {"copycat": TINY, "vocoder": [s for s in TINY if "phone" not in s and "reference" not in s]}
    settings = [*known.get(kind, known["vocoder"]), "task.crop_frames=32" if kind == "vocoder" else "loop.seed=2"]
    events = []
    before = sorted((p, p.stat().st_mtime_ns) for p in prepared.rglob("*"))
    path = TRAIN[kind](data=prepared, preset="small", settings=settings, on_event=lambda *told: events.append(told))
    assert path == Path("runs") / kind / "model.safetensors"
    assert sorted((p, p.stat().st_mtime_ns) for p in prepared.rglob("*")) == before, "data is only read"
    header = load_network(kind, path.with_name("best.safetensors"))[1]
    assert header["data"]["utterances"] == 4 and header["data"]["dev"]["utterances"] == 1
    assert header["task"]["batch_size"] == 2 and header["validation"]["criterion"] == (
        "mel" if kind == "copycat" else "loss"
    )
    assert [e[:3] for e in events if e[0] == "dev"] == [("dev", 2, 4), ("dev", 4, 4)]
    assert "speech_hours_per_hour" in events[-1][3] or events[-1][0] == "dev"
    if kind == "copycat":
        assert header["config"]["speakers"] == ["one", "two"], "those with phones, by name"
    assert list((path.parent / "validation").glob("000004-0-two.*"))


def test_what_a_prepared_folder_lacks(prepared: Path, tmp_path: Path):
    (prepared / "dev.jsonl").unlink()
    commands.train("copycat", data=prepared, settings=TINY, run_dir=tmp_path / "run")  # some are held out, or none
    (prepared / "cache" / "one" / "u1.npz").unlink()
    with pytest.raises(UsageError, match="lacks 1 of 4 recordings, u1 first; run the same ptx prepare again"):
        commands.train("copycat", data=prepared, settings=TINY, run_dir=tmp_path / "other")
    (prepared / "train.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="lists no recordings"):
        commands.train("copycat", data=prepared, settings=TINY, run_dir=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_first_weights_depend_on_the_seed_alone(prepared: Path, tmp_path: Path):
    """So that a run which is killed before its first checkpoint and started again is the same run."""
    digests = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(len(digests) + 77)
        settings = [*TINY, "loop.validation_steps=0", f"loop.seed={seed}", "loop.total_steps=1"]
        path = commands.train("copycat", data=prepared, settings=settings, run_dir=tmp_path / folder)
        digests.append(load_network("copycat", path)[0].speaker_table.weight)
    assert torch.equal(digests[0], digests[1]) and not torch.equal(digests[0], digests[2])


def test_being_interrupted_is_told(prepared: Path, tmp_path: Path):
    events = []

    def on_event(stage: str, step: int, total: int, figures: dict) -> None:
        events.append((stage, step, total))
        if (stage, step) == ("train", 2):
            os.kill(os.getpid(), signal.SIGINT)

    settings = [*TINY, "loop.validation_steps=0"]
    path = commands.train("copycat", data=prepared, settings=settings, run_dir=tmp_path / "run", on_event=on_event)
    assert events[-1] == ("interrupted", 2, 4) and path.exists()
    again = {"settings": settings, "run_dir": tmp_path / "run", "on_event": on_event, "resume": True}
    commands.train("copycat", data=prepared, **again)
    assert events[-1] == ("train", 4, 4)
