"""The attention model as an addon: it keeps the contracts, and says what torch says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.integration.check import check_addon
from prosody_transfer.models.attention.config import AttentionConfig
from prosody_transfer.models.attention.network import Attention
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.synthesis.transferer import Transferer

SOURCE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    network = Attention(AttentionConfig(
        speakers=("ann", "ben"), phone_channels=8, phone_layers=1, speaker_channels=4, prenet_channels=6,
        cell_channels=8, attention_channels=6, channels=8, layers=1, expansion=1, frames_per_step=4,
    ))  # fmt: skip
    facts = {"log_f0_median": 5.1, "phone_log_frames": [1.8] * 40, "sharpening": [0.1, 0.2]}
    path = tmp_path_factory.mktemp("run") / "model.safetensors"
    voices = {"ann": facts, "ben": {**facts, "log_f0_median": 4.7}}
    save_checkpoint(path, "attention", network.state_dict(), network.config.to_dict(), voices=voices, step=10)
    return path


def test_it_keeps_every_promise_and_says_what_torch_says(checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    from prosody_transfer.integration.export import export_addon

    folder = tmp_path / "mine"
    export_addon(checkpoint, folder, precision="fp32")
    checks = check_addon(folder)
    assert [check for check in checks if not check.works] == [] and len(checks) > 15
    torch.set_num_threads(1)
    found, expected = (
        Transferer(model).from_file(SOURCE, "ben", text="Shall we take the train or would you prefer to drive?")
        for model in (folder, checkpoint)
    )
    error = np.square(found.waveform - expected.waveform).sum() / np.square(expected.waveform).sum()
    assert expected.waveform.std() > 1e-4 and error < 1e-6, "60 dB: what a step made is heard by the next"
    assert found.report["warnings"] == expected.report["warnings"]
    assert any(line.startswith("attention ") for line in found.report["warnings"]), "it has learnt nothing yet"
