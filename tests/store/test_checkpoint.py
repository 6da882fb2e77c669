"""Checkpoints: what is written comes back, what is damaged is refused, and nothing half-written stays."""

from __future__ import annotations

import errno
import json
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file
from torch import nn

from prosody_transfer.core.errors import ModelError, OutputError
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.vocoder.network import Vocoder
from prosody_transfer.store.checkpoint import load_checkpoint, load_into, save_checkpoint
from prosody_transfer.store.weights import load_network, ship

SMALL = {"channels": 8, "layers": 1}


def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "weight": torch.randn(3, 4), "step": torch.tensor(7), "flags": torch.tensor([True, False]),
        "empty": torch.zeros(0, 3),
        "half": torch.randn(5).half(), "brain": torch.randn(5).bfloat16(), "turned": torch.randn(3, 4).T,
        "double": torch.randn(2).double(),
    }  # fmt: skip


@pytest.fixture
def path(tmp_path):
    (tmp_path / "deep").mkdir()
    save_checkpoint(
        tmp_path / "deep" / "model.safetensors",
        "vocoder",
        tensors(),
        {"channels": 8},
        step=12,
        figures={"loss": 0.5},
        name="à",
    )
    return tmp_path / "deep" / "model.safetensors"


def test_round_trip(path):
    back, header = load_checkpoint(path, "vocoder")
    expected = tensors()
    assert set(back) == set(expected)
    for name, value in expected.items():
        assert back[name].dtype == value.dtype and torch.equal(back[name], value), name
    assert header == {"config": {"channels": 8}, "step": 12, "figures": {"loss": 0.5}, "name": "à"}
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]


def test_the_same_content_gives_the_same_checksum(path, tmp_path):
    """Names may arrive in any order; nothing in the file depends on the time."""
    again = tmp_path / "again.safetensors"
    save_checkpoint(
        again, "vocoder", dict(reversed(tensors().items())), {"channels": 8}, name="à", figures={"loss": 0.5}, step=12
    )
    with safe_open(again, "pt") as ours, safe_open(path, "pt") as theirs:
        assert ours.metadata() == theirs.metadata()


def test_any_program_can_read_it(path):
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        assert torch.equal(file.get_tensor("weight"), tensors()["weight"])
    assert (metadata["format"], metadata["version"], metadata["kind"]) == ("ptx-checkpoint", "1", "vocoder")
    assert json.loads(metadata["header"])["step"] == 12


def test_views_of_one_storage_are_written_apart(tmp_path):
    base = torch.arange(6.0)
    save_checkpoint(tmp_path / "v.safetensors", "vocoder", {"a": base[:3], "b": base, "c": base}, {})
    back, _ = load_checkpoint(tmp_path / "v.safetensors", "vocoder")
    assert torch.equal(back["a"], base[:3]) and torch.equal(back["b"], back["c"])


def test_one_changed_byte_is_noticed(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for position in (start, start + 20, len(data) - 1, data.index(b"figures") + 12):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(ModelError, match="was changed after it was written|is damaged"):
            load_checkpoint(path, "vocoder")
    path.write_bytes(data)
    load_checkpoint(path, "vocoder")


@pytest.mark.parametrize("keep", [0, 4, 40, -1, -60])
def test_a_truncated_file_is_refused(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="is not a safetensors file, or is damaged; fetch it again"):
        load_checkpoint(path, "vocoder")


def test_wrong_files_are_refused(path, tmp_path):
    with pytest.raises(ModelError, match="holds a vocoder, not a copycat"):
        load_checkpoint(path, "copycat")
    with pytest.raises(ModelError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "gone.safetensors", "vocoder")
    with pytest.raises(ModelError, match="is a folder, not a file"):
        load_checkpoint(tmp_path, "vocoder")
    (tmp_path / "text.safetensors").write_text("hello " * 99)
    with pytest.raises(ModelError, match="is not a safetensors file"):
        load_checkpoint(tmp_path / "text.safetensors", "vocoder")
    torch.save(tensors(), tmp_path / "pickle.safetensors")
    with pytest.raises(ModelError, match="is not a safetensors file"):
        load_checkpoint(tmp_path / "pickle.safetensors", "vocoder")
    save_file({"x": torch.ones(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ModelError, match="is not a ptx checkpoint"):
        load_checkpoint(tmp_path / "foreign.safetensors", "vocoder")


def test_another_version_is_refused(path):
    with safe_open(path, "pt") as file:
        metadata = {**file.metadata(), "version": "2"}
    path.write_bytes(save({"x": torch.ones(1)}, metadata))
    with pytest.raises(ModelError, match="has format version 2; this ptx reads 1") as caught:
        load_checkpoint(path, "vocoder")
    assert caught.value.exit_code == 6 and str(path) in str(caught.value)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(path, monkeypatch, failing):
    old = path.read_bytes()

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        save_checkpoint(path, "vocoder", {"x": torch.ones(9)}, {})
    assert caught.value.exit_code == 5
    assert [p.name for p in path.parent.iterdir()] == [path.name] and path.read_bytes() == old


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="there is no folder"):
        save_checkpoint(tmp_path / "file" / "model.safetensors", "vocoder", {"x": torch.ones(1)}, {})


def test_others_may_read_it(path):
    """Weights are copied and shared: not private like a temporary file."""
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask or path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_fills_a_network(tmp_path, kind):
    torch.manual_seed(0)
    made = Vocoder(SMALL)
    stored = {k: v.to(kind) for k, v in made.state_dict().items()}
    save_checkpoint(tmp_path / "half.safetensors", "vocoder", stored, made.config.to_dict())
    network, header = load_network("vocoder", tmp_path / "half.safetensors")
    assert not network.training and header["config"] == made.config.to_dict()
    for name, value in network.state_dict().items():
        assert value.dtype == torch.float32 and torch.equal(value, stored[name].float())


def test_load_into_names_what_does_not_fit():
    network = nn.Linear(2, 3)
    with pytest.raises(ModelError, match="^here: does not fit the network: .*bias"):
        load_into(network, {"weight": torch.zeros(3, 2)}, "here")
    with pytest.raises(ModelError, match="weight"):
        load_into(network, {"weight": torch.zeros(2, 2), "bias": torch.zeros(3)}, "here")
    with pytest.raises(ModelError, match="extra"):
        load_into(network, {**network.state_dict(), "extra": torch.zeros(1)}, "here")


def test_ship_halves_and_keeps_the_facts(tmp_path):
    torch.manual_seed(0)
    config = CopyCatConfig(
        speakers=("one",),
        phone_channels=8,
        phone_layers=1,
        channels=8,
        layers=2,
        reference_channels=8,
        reference_layers=1,
    )
    made = CopyCat(config).eval()
    voices = {"one": {"frames": 1}}
    save_checkpoint(
        tmp_path / "model.safetensors", "copycat", made.state_dict(), config.to_dict(), step=5, voices=voices
    )
    shipped = ship("copycat", tmp_path / "model.safetensors", tmp_path / "copycat.safetensors", note="hello")
    assert shipped.stat().st_size < 0.6 * (tmp_path / "model.safetensors").stat().st_size
    network, header = load_network("copycat", shipped)
    assert (header["step"], header["voices"], header["note"]) == (5, {"one": {"frames": 1}}, "hello")
    assert network.config == config
    for name, value in network.state_dict().items():
        assert (value - made.state_dict()[name]).abs().max() < 1e-3
