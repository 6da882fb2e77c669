"""A model of the user's, as training writes it: exported, checked, spoken with, and a user's voice on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.integration import open_addon
from prosody_transfer.integration.check import check_addon
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.voice_network import ROW, adapted
from prosody_transfer.synthesis.acoustic import speaking_of
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.target_voice import TargetVoice
from prosody_transfer.synthesis.transferer import Transferer

AUDIO = Path(__file__).parents[2] / "examples" / "audio"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small acoustic model with two voices and an embedding for each phone."""
    torch.manual_seed(1)
    config = CopyCatConfig(
        speakers=("ann", "ben"), phone_channels=8, phone_layers=1, channels=12, layers=2, expansion=1,
        speaker_channels=6, reference_channels=8, reference_layers=1, source_channels=4, latent_unit="phone",
    )  # fmt: skip
    network = CopyCat(config)
    with torch.no_grad():
        network.head.bias[:100] -= 1.0
    facts = {"log_f0_median": 5.1, "phone_log_frames": [1.8] * 40, "sharpening": [0.1, 0.2]}
    path = tmp_path_factory.mktemp("run") / "model.safetensors"
    voices = {"ann": facts, "ben": {**facts, "log_f0_median": 4.7}}
    save_checkpoint(path, "copycat", network.state_dict(), config.to_dict(), voices=voices, step=10)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxscript")
    from prosody_transfer.integration.export import export_addon

    folder = tmp_path_factory.mktemp("addons") / "mine"
    export_addon(checkpoint, folder, precision="fp32")
    return folder


def test_it_keeps_every_promise(exported: Path) -> None:
    checks = check_addon(exported)
    assert [check for check in checks if not check.works] == [] and len(checks) > 20
    config = open_addon(exported).config
    assert list(config.voices) == ["ann", "ben"] and config.voices["ben"].log_f0_median == 4.7
    assert config.latent_unit == "phone" and len(config.phones) == 40


def test_it_speaks_as_the_checkpoint_does(exported: Path, checkpoint: Path) -> None:
    torch.set_num_threads(1)
    mine, theirs = Transferer(exported), Transferer(checkpoint)
    found, expected = (t.from_file(AUDIO / "source.flac", "ben") for t in (mine, theirs))
    assert expected.waveform.std() > 1e-4
    error = np.square(found.waveform - expected.waveform).sum() / np.square(expected.waveform).sum()
    assert error < 1e-7, "70 dB"
    assert found.plan.embedding.steps[0].shape == expected.plan.embedding.steps[0].shape

    row = torch.randn(6)
    tensors = {ROW: row, "head.bias": torch.randn(102)}
    adapted_here = mine.network.adapted({name: value.numpy() for name, value in tensors.items()}, "me")
    adapted_there = adapted(theirs.network, tensors, "me")
    voice = theirs.voice("ann")
    me = lambda network: TargetVoice("me", 2, 5.0, voice.phone_log_frames, network)
    said = lambda network: speaking_of(network).decode_frames(expected.plan, me(network), TransferSettings(), network)
    say = lambda network: next(iter(said(network))).mel
    assert np.abs(say(adapted_here) - say(adapted_there)).max() < 1e-3
