"""Networks from files: those that ship, and what a training run leaves."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from prosody_transfer.core.errors import ModelError, PtxError
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig
from prosody_transfer.models.vocoder.network import Vocoder, VocoderConfig
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.weights import load_network, named_acoustic, ship, shipped
from prosody_transfer.synthesis.loading import load_models

NETWORKS = {
    "copycat": (
        CopyCat, CopyCatConfig(speakers=("one",), phone_channels=8, channels=8, layers=2, reference_channels=8)
    ),
    "vocoder": (Vocoder, VocoderConfig(channels=8, layers=1)),
    "recogniser": (Recogniser, RecogniserConfig(channels=8, layers=1)),
}  # fmt: skip


@pytest.fixture(params=NETWORKS)
def trained(request, tmp_path):
    """(kind, network, path of the checkpoint that a run would leave)."""
    torch.manual_seed(0)
    cls, config = NETWORKS[request.param]
    network, path = cls(config), tmp_path / "model.safetensors"
    save_checkpoint(path, request.param, network.state_dict(), config.to_dict(), step=7, voices={"one": {"frames": 3}})
    return request.param, network, path


def test_what_is_shipped_is_what_was_trained(trained, tmp_path):
    kind, network, path = trained
    made = ship(kind, path, tmp_path / "shipped.safetensors", note="best of three")
    back, header = load_network(kind, made)
    assert type(back) is type(network) and back.config == network.config and not back.training
    assert header["step"] == 7 and header["voices"] == {"one": {"frames": 3}} and header["note"] == "best of three"
    for name, value in network.state_dict().items():
        found = back.state_dict()[name]
        assert found.dtype == value.dtype
        assert torch.equal(found, value.half().float() if value.is_floating_point() else value), name
    half = sum(t.numel() * 2 if t.is_floating_point() else t.nbytes for t in network.state_dict().values())
    assert made.stat().st_size < half + 60_000


def test_shipping_again_gives_the_same_file(trained, tmp_path):
    """The file's metadata has no order of its own, so what is read counts."""
    kind, _, path = trained
    contents = []
    for name in ("a.safetensors", "b.safetensors"):
        with safe_open(ship(kind, path, tmp_path / name), "pt") as file:
            contents.append(file.metadata())
    assert contents[0] == contents[1]


def test_another_kind_is_refused(trained):
    kind, _, path = trained
    for other in set(NETWORKS) - {kind}:
        with pytest.raises(ModelError, match=f"holds a {kind}, not a {other}") as caught:
            load_network(other, path)
        assert caught.value.exit_code == 6 and str(path) in str(caught.value)


def rewrite(path, **changes) -> None:
    """The same tensors with another metadata, as a text editor or another program would leave them."""
    with safe_open(path, "pt") as file:
        metadata, tensors = {**file.metadata(), **changes}, {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    path.write_bytes(save(tensors, metadata))


def test_another_version_and_tampering_are_refused(trained):
    kind, network, path = trained
    rewrite(path)
    load_network(kind, path)
    rewrite(path, version="9")
    with pytest.raises(ModelError, match="has format version 9; this ptx reads 1"):
        load_network(kind, path)
    rewrite(path, version="1", header=json.dumps({"config": network.config.to_dict(), "step": 8}))
    with pytest.raises(ModelError, match="was changed after it was written"):
        load_network(kind, path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match="damaged"):
        load_network(kind, path)


def test_weights_of_another_size_are_refused(trained, tmp_path):
    kind, network, _ = trained
    config = {**network.config.to_dict(), "channels": 12}
    save_checkpoint(tmp_path / "odd.safetensors", kind, network.state_dict(), config)
    with pytest.raises(ModelError, match="does not fit the network"):
        load_network(kind, tmp_path / "odd.safetensors")


def test_settings_of_a_later_version_are_one_line(trained, tmp_path):
    kind, network, _ = trained
    config = {**network.config.to_dict(), "mood_channels": 3}
    save_checkpoint(tmp_path / "later.safetensors", kind, network.state_dict(), config)
    with pytest.raises(PtxError, match="mood_channels") as caught:
        load_network(kind, tmp_path / "later.safetensors")
    assert "\n" not in str(caught.value) and "later.safetensors" in str(caught.value)


def test_an_unknown_kind(tmp_path):
    save_checkpoint(tmp_path / "x.safetensors", "singer", {"x": torch.ones(1)}, {})
    with pytest.raises(ModelError, match="no model is called 'singer'"):
        load_network("singer", tmp_path / "x.safetensors")


def test_weights_lie_beside_their_network():
    for kind in NETWORKS:
        assert shipped(kind).name == f"{kind}.safetensors" and (shipped(kind).parent / "network.py").exists()


def test_names_are_listed_without_numpy():
    code = "import sys; from prosody_transfer.store.voices import list_voices; list_voices(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not {"torch", "numpy", "scipy", "safetensors"} & set(done.stdout.split())


def test_an_acoustic_model_is_known_by_its_name_and_whatever_else_by_its_path(tmp_path):
    assert named_acoustic(None) is None
    assert named_acoustic("copycat") == shipped("copycat")
    assert named_acoustic(tmp_path / "missing" / "copycat") == tmp_path / "missing" / "copycat", "no name but a path"
    with pytest.raises(ModelError, match="copycat"):
        named_acoustic("cppycat")


def test_a_model_that_ships_is_spoken_with_as_an_addon_by_its_name_too():
    loaded = load_models("copycat", None, "cpu", "auto")
    assert loaded.runtime == "onnx dynamic" and str(loaded.files[0]) == str(shipped("copycat"))
