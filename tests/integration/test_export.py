"""From a trained checkpoint to an addon that keeps its promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from prosody_transfer.core.errors import DependencyError, ModelError, OutputError
from prosody_transfer.integration import open_addon
from prosody_transfer.integration.check import check_addon
from prosody_transfer.integration.export import export_addon
from prosody_transfer.models.vocoder.network import Vocoder, VocoderConfig
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.weights import shipped


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small vocoder of nobody's, as training would write it."""
    torch.manual_seed(3)
    network = Vocoder(VocoderConfig(channels=8, layers=1, matching=1))
    path = tmp_path_factory.mktemp("run") / "model.safetensors"
    save_checkpoint(path, "vocoder", network.state_dict(), network.config.to_dict(), step=10)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxscript")
    folder = tmp_path_factory.mktemp("addons") / "mine"
    export_addon(checkpoint, folder, precision="fp32", licence="CC0-1.0")
    return folder


def test_what_is_exported_keeps_every_promise(exported: Path) -> None:
    checks = check_addon(exported)
    assert {check.runtime for check in checks} == {"", "onnx", "torch"} and len(checks) > 12
    assert [check for check in checks if not check.works] == []


def test_it_says_what_it_is(exported: Path, checkpoint: Path) -> None:
    config = open_addon(exported).config
    assert (config.kind, config.licence, config.format) == ("vocoder", "CC0-1.0", 1)
    assert config.stack == ({"type": "Vocoder", "matching": 1},)
    assert config.latency == pytest.approx((3 + 3 + 5 + 4) * 256 / 24000, abs=1e-4)
    assert sorted(path.name for path in exported.iterdir()) == ["addon.json", "filters.onnx", "vocoder.safetensors"]
    assert (exported / "vocoder.safetensors").read_bytes() == checkpoint.read_bytes(), "fp32 is as it was trained"


def test_symbols_hold_no_weights_and_no_word_of_where_they_were_made(exported: Path) -> None:
    data = (exported / "filters.onnx").read_bytes()
    assert len(data) < 20_000
    for word in (b".py", b"site-packages", str(exported).encode(), b"prosody_transfer"):
        assert word not in data


def test_symbols_do_not_depend_on_the_weights(exported: Path, tmp_path: Path) -> None:
    """Another seed, half precision: another file of parameters, the same symbols."""
    torch.manual_seed(4)
    network = Vocoder(VocoderConfig(channels=8, layers=1, matching=1))
    save_checkpoint(tmp_path / "other.safetensors", "vocoder", network.state_dict(), network.config.to_dict())
    export_addon(tmp_path / "other.safetensors", tmp_path / "other")
    assert (tmp_path / "other" / "filters.onnx").read_bytes() == (exported / "filters.onnx").read_bytes()
    size = (tmp_path / "other" / "vocoder.safetensors").stat().st_size
    assert size < 0.7 * (exported / "vocoder.safetensors").stat().st_size


def test_an_addon_is_not_written_over_unasked(exported: Path, checkpoint: Path) -> None:
    before = (exported / "addon.json").read_bytes()
    with pytest.raises(OutputError, match="there is an addon; give another folder, or --force"):
        export_addon(checkpoint, exported)
    assert (exported / "addon.json").read_bytes() == before


def test_what_can_t_be_exported_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="holds a 'fisher'; give a checkpoint of one of: .*copycat, .*vocoder"):
        export_addon(shipped("copycat").parent / "fisher.safetensors", tmp_path / "a")
    with pytest.raises(ModelError, match="no-such"):
        export_addon(tmp_path / "no-such.safetensors", tmp_path / "a")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnx" else object())
    with pytest.raises(DependencyError, match=r"ptx addon export: needs onnx, .*prosody-transfer\[train\]"):
        export_addon(shipped("vocoder"), tmp_path / "a")
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_a_broken_promise_is_found(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    for path in exported.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    data = json.loads((folder / "addon.json").read_text())
    data["networks"]["filters"]["lag"] -= 1
    (folder / "addon.json").write_text(json.dumps(data))
    broken = {check.name for check in check_addon(folder, ["onnx"]) if not check.works}
    assert "latency" in broken
    data["networks"]["filters"]["outputs"][0]["axes"][1] += 1
    (folder / "addon.json").write_text(json.dumps(data))
    broken = [check for check in check_addon(folder, ["onnx"]) if not check.works]
    assert broken and "where addon.json has filters float32 (B, 1540, T)" in broken[0].found
    (folder / "filters.onnx").write_bytes(b"")
    broken = [check for check in check_addon(folder, ["onnx"]) if not check.works]
    assert broken[0].name == "filters: files" and "checksum differs" in broken[0].found
