"""A model that is one folder, which nothing here names, becomes an addon that speaks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration import open_addon
from prosody_transfer.integration.check import check_addon
from prosody_transfer.integration.export import export_addon
from prosody_transfer.models import registry
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.synthesis.addons import AddonText
from prosody_transfer.synthesis.transferer import Transferer

AUDIO = Path(__file__).parents[2] / "examples" / "audio"


def test_a_new_model_becomes_an_addon_that_speaks_as_its_checkpoint_does(toy, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    network = toy.load("network")(toy.load("config")(speakers=("ann", "ben")))
    facts = {"log_f0_median": 5.1, "phone_log_frames": [1.8] * 40}
    path = tmp_path / "model.safetensors"
    voices = {"ann": facts, "ben": {**facts, "log_f0_median": 4.7}}
    save_checkpoint(path, "toy", network.state_dict(), network.config.to_dict(), voices=voices)
    export_addon(path, tmp_path / "mine", precision="fp32")
    assert [check for check in check_addon(tmp_path / "mine") if not check.works] == []
    config = open_addon(tmp_path / "mine").config
    assert (config.kind, list(config.voices), len(config.phones)) == ("toy", ["ann", "ben"], 40)

    found, expected = (Transferer(m).from_file(AUDIO / "source.flac", "ben") for m in (tmp_path / "mine", path))
    assert found.plan.embedding is None and expected.waveform.std() > 1e-4
    error = np.square(found.waveform - expected.waveform).sum() / np.square(expected.waveform).sum()
    assert error < 1e-7, "70 dB"
    with pytest.raises(ModelError, match="is a toy, not a model of prosody from text"):
        AddonText(open_addon(tmp_path / "mine"), {})


def test_an_addon_of_a_kind_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    data = json.loads((Path(registry.__file__).parent / "camp" / "addon.json").read_text())
    (tmp_path / "addon.json").write_text(json.dumps({**data, "kind": "unheard"}))
    with pytest.raises(ModelError, match="is a unheard, not an acoustic model"):
        Transferer(tmp_path)
