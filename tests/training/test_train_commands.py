"""`ptx train ...`: from a config file to weights, and what is refused before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.store.weights import load_network
from prosody_transfer.training import commands

CONFIGS = Path(__file__).parents[2] / "configs"
CLIP = Path(__file__).parents[1] / "alignment" / "alice_0016.opus"
TEXT = "But Farmer Green didn't agree with him."
TRAIN = {"copycat": commands.train_copycat, "vocoder": commands.train_vocoder, "recogniser": commands.train_recogniser}


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
        commands.train_copycat(write(tmp_path, data_section(corpus)), run_dir=tmp_path / "run")
    config = write(tmp_path, data_section(corpus) + '[network]\nspeakers = ["ann", "eve"]')
    with pytest.raises(UsageError, match="no usable recording of eve"):
        commands.train_copycat(config, run_dir=tmp_path / "run")


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
    path = commands.train_recogniser(config, on_event=lambda *told: events.append(told))
    assert path == tmp_path / "run" / "model.safetensors"
    network, header = load_network("recogniser", path)
    assert network.config.channels == 8 and header["step"] == 6
    assert header["data"]["utterances"] == 3 and header["data"]["manifests"] == ["corpus.jsonl"]
    assert network.bigram.exp().sum(1).numpy() == pytest.approx(1, abs=1e-5) and network.bigram.std() > 0
    assert [e[:3] for e in events] == [("prepare", i, 3) for i in (1, 2, 3)] + [("train", i, 6) for i in range(1, 7)]
    assert (tmp_path / "run" / "log.csv").read_text().startswith("step,seconds,loss,accuracy")
    with pytest.raises(ModelError, match="already holds a run"):
        commands.train_recogniser(config)
    assert commands.train_recogniser(config, resume=True) == path


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
    path = commands.train_copycat(config, run_dir=tmp_path / "here")
    network, header = load_network("copycat", path)
    assert network.config.speakers == ("bob", "ann") and set(header["voices"]) == {"ann", "bob"}
    for voice in header["voices"].values():
        assert np.exp(voice["log_f0_median"]) == pytest.approx(190, abs=60)
        assert voice["f0_low_hz"] < np.exp(voice["log_f0_median"]) < voice["f0_high_hz"] and voice["frames"] > 100
        assert len(voice["phone_log_frames"]) == 40 and min(voice["phone_log_frames"]) > 0


def test_the_shipped_configs_are_read():
    """They name settings that exist; only the data, which does not ship, is missing."""
    for kind, train in TRAIN.items():
        with pytest.raises(UsageError, match=r"data/.*\.jsonl: cannot be read"):
            train(CONFIGS / f"{kind}.toml")
