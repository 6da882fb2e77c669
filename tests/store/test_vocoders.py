"""Vocoders by name and by file."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.models.vocoder.network import Vocoder
from prosody_transfer.models.vocoder.vocos import VocosVocoder
from prosody_transfer.store import vocoders
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.vocoders import load_vocoder


@pytest.fixture(scope="module")
def frames():
    torch.manual_seed(0)
    return frames_from(torch.cat([torch.randn(1, 100, 8) - 5, torch.ones(1, 1, 8), torch.full((1, 1, 8), 5.0)], 1))


@pytest.fixture(scope="module")
def vocos() -> VocosVocoder:
    torch.manual_seed(1)
    return VocosVocoder(MelConfig(), 16, 24, 2).eval()


def test_griffin_lim(frames):
    network, mel, name = load_vocoder("griffin-lim")
    assert (mel, name) == (MelConfig(), "griffin-lim") and not network.training
    assert network(frames).values.shape == (1, 1, 8 * 256)


def test_a_ptx_checkpoint(tmp_path, frames):
    torch.manual_seed(2)
    made = Vocoder({"channels": 8, "layers": 1}).eval()
    save_checkpoint(tmp_path / "v.safetensors", "vocoder", made.state_dict(), made.config.to_dict(), step=3)
    network, mel, name = load_vocoder(tmp_path / "v.safetensors")
    assert (mel, name) == (made.config.mel, "ptx") and not network.training
    with torch.no_grad():
        assert torch.equal(network(frames).values, made(frames).values)


def test_none_is_the_shipped_one(tmp_path, monkeypatch):
    made = Vocoder({"channels": 8, "layers": 1})
    path = tmp_path / "vocoder.safetensors"
    monkeypatch.setattr(vocoders, "shipped", lambda kind: tmp_path / f"{kind}.safetensors")
    with pytest.raises(ModelError, match="the shipped vocoder is missing; install ptx again, or use griffin-lim"):
        load_vocoder(None)
    save_checkpoint(path, "vocoder", made.state_dict(), made.config.to_dict())
    assert load_vocoder(None).name == load_vocoder().name == "ptx"


@pytest.mark.parametrize("suffix", [".safetensors", ".bin", ".pt", ".ckpt"])
def test_a_vocos_checkpoint(tmp_path, suffix, vocos, frames):
    path = tmp_path / f"vocos{suffix}"
    if suffix == ".safetensors":
        save_file(vocos.state_dict(), path)
    elif suffix == ".ckpt":  # as a training run leaves it
        torch.save({"epoch": 3, "state_dict": {**vocos.state_dict(), "multiresddisc.x": torch.ones(2)}}, path)
    else:
        torch.save(vocos.state_dict(), path)
    network, mel, name = load_vocoder(str(path))
    assert (mel, name) == (MelConfig(), "vocos") and not network.training
    with torch.no_grad():
        assert torch.equal(network(frames).values, vocos(frames).values)


class Evil:
    ran = False

    def __reduce__(self):
        return (setattr, (Evil, "ran", True))


def test_code_in_a_pickle_is_never_run(tmp_path):
    torch.save({"backbone.embed.weight": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        load_vocoder(tmp_path / "evil.pt")
    assert not Evil.ran


def test_what_is_no_vocoder_is_refused(tmp_path, vocos):
    def refused(name: str, data: bytes | None, message: str) -> None:
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(ModelError, match=message) as caught:
            load_vocoder(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name)) and caught.value.exit_code == 6

    refused("gone.safetensors", None, "no such vocoder; give a ptx or Vocos checkpoint")
    refused("notes.txt", b"hello", "is of an unknown kind '.txt'")
    refused("text.safetensors", b"hello", "is not a safetensors file, or is damaged")
    refused("text.pt", b"hello", "cannot be read as weights")
    refused("empty.bin", b"", "cannot be read as weights")
    torch.save([1, 2], tmp_path / "list.pt")
    refused("list.pt", None, "holds no state dict")
    torch.save({"x": torch.ones(2)}, tmp_path / "other.pt")
    refused("other.pt", None, "is neither a ptx nor a Vocos mel vocoder")
    save_file(vocos.state_dict(), tmp_path / "cut.safetensors")
    refused("cut.safetensors", (tmp_path / "cut.safetensors").read_bytes()[:-100], "damaged")
    save_checkpoint(tmp_path / "copycat.safetensors", "copycat", {"x": torch.ones(1)}, {})
    refused("copycat.safetensors", None, "holds a copycat, not a vocoder")
    save_checkpoint(tmp_path / "new.safetensors", "vocoder", {"x": torch.ones(1)}, {"wings": 2})
    refused("new.safetensors", None, "has settings of another version .*wings")
    save_checkpoint(tmp_path / "odd.safetensors", "vocoder", {"x": torch.ones(1)}, {"channels": 8, "layers": 1})
    refused("odd.safetensors", None, "does not fit the network")
