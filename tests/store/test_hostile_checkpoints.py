"""Checkpoints that nobody has trained: refused by what they say of themselves, before memory is taken for it."""

from __future__ import annotations

import io
import json
import pickle
import resource
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.vocoder.vocos import VocosVocoder
from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint
from prosody_transfer.store.vocoders import load_vocoder
from prosody_transfer.store.weights import load_network, load_weights, voice_level
from prosody_transfer.training.state import check_state

KINDS = ("copycat", "vocoder", "recogniser")
SMALL = CopyCatConfig(
    speakers=("one",), phone_channels=8, phone_layers=1, channels=8, layers=2, reference_channels=8, reference_layers=1
)


@contextmanager
def little_memory() -> Iterator[None]:
    """What happens inside takes less than 200 MB more than this process ever had."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def written(path: Path, kind: str, header: Any, tensors: dict[str, torch.Tensor] | None = None) -> Path:
    metadata = {"format": "ptx-checkpoint", "version": "1", "kind": kind, "header": header, "sha256": "0" * 64}
    path.write_bytes(save(tensors or {"x": torch.zeros(1)}, metadata))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "config",
    [
        {"channels": 2048, "layers": 16}, {"channels": 10**9}, {"channels": -1}, {"channels": 0}, {"layers": 10**9},
        {"layers": 1.5}, {"expansion": 10**6}, {"mel": {"n_fft": 1 << 40}}, {"mel": {"n_mels": 10**6}},
        {"mel": {"hop_length": 0}}, {"n_phones": 10**5}, {"n_mels": 10**6}, {"embedding": 10**9}, {"channels": "8"},
    ],
    ids=str,
)  # fmt: skip
def test_a_network_is_not_built_for_a_file_that_can_not_hold_it(tmp_path, kind, config) -> None:
    path = written(tmp_path / "x.safetensors", kind, json.dumps({"config": config}))
    with little_memory(), pytest.raises(ModelError, match="settings of another version|does not fit the network"):
        load_network(kind, path)


@pytest.mark.parametrize(
    "header",
    [
        "", "null", "[]", "3", "{}", "{", '"config"', '{"config": null}', '{"config": []}', "[" * 100_000, "9" * 5000,
        '{"config": {}, "voice": "\\ud800"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [*KINDS, "voice", "fisher", "copycat-training"])
def test_a_header_of_another_form(tmp_path, header, kind) -> None:
    path = written(tmp_path / "x.safetensors", kind, header)
    with pytest.raises(ModelError, match="has a header that no ptx has written"):
        load_checkpoint(path, kind)


@pytest.mark.parametrize(
    "voices",
    [
        3, [], {"one": 3}, {"one": {"log_f0_median": "high"}}, {"one": {"phone_log_frames": [1.0]}},
        {"one": {"sharpening": [0.1]}}, {"one": {"log_f0_median": float("nan")}},
        {"one": {"phone_log_frames": [float("inf")] * 40}},
    ],
)  # fmt: skip
def test_voices_that_can_not_be(tmp_path, voices) -> None:
    network = CopyCat(SMALL)
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, "copycat", network.state_dict(), SMALL.to_dict(), voices=voices)
    with pytest.raises(ModelError, match="what can't be"):
        load_network("copycat", path)


def test_a_voice_that_nothing_is_said_of() -> None:
    for header in ({}, {"voices": {}}, {"voices": {"one": {}}}):
        with pytest.raises(ModelError, match="says nothing of the voice 'one'"):
            voice_level(header, "one", "here")
    assert voice_level({"voices": {"one": {"log_f0_median": 5}}}, "one", "here") == 5.0


def test_a_long_file_is_not_read_for_a_small_network(tmp_path) -> None:
    """2 GB of zeros on the disk take none; they would in memory."""
    header = json.dumps({"config": SMALL.to_dict()})
    metadata = {"format": "ptx-checkpoint", "version": "1", "kind": "copycat", "header": header}
    size = 2_000_000_000
    head = json.dumps({"__metadata__": metadata, "x": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    path = tmp_path / "long.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head.encode())
        file.truncate(8 + len(head) + size)
    with little_memory():
        for read in (load_network, load_weights):
            with pytest.raises(ModelError, match="does not fit the network"):
                read("copycat", path)
        for kind in ("voice", "voice-export", "fisher"):
            with pytest.raises(ModelError, match=r"is too large: 2 GB"):
                load_checkpoint(path, kind)
        with pytest.raises(ModelError, match="is neither a ptx nor a Vocos"):
            load_vocoder(foreign(tmp_path / "foreign.safetensors", size))


def foreign(path: Path, size: int) -> Path:
    head = json.dumps({"x": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head.encode())
        file.truncate(8 + len(head) + size)
    return path


def test_a_header_as_long_as_it_says(tmp_path) -> None:
    path = tmp_path / "x.safetensors"
    for length in (17_000_000, 1 << 62):
        path.write_bytes(struct.pack("<Q", length))
        with open(path, "r+b") as file:
            file.truncate(18_000_000)
        with little_memory(), pytest.raises(ModelError, match="is not a safetensors file"):
            load_checkpoint(path, "copycat")


def test_weights_come_out_as_they_went_in_whatever_their_precision(tmp_path) -> None:
    torch.manual_seed(0)
    made = CopyCat(SMALL).eval()
    stored = {k: v.half() if v.is_floating_point() else v for k, v in made.state_dict().items()}
    save_checkpoint(tmp_path / "x.safetensors", "copycat", stored, SMALL.to_dict())
    network, _ = load_network("copycat", tmp_path / "x.safetensors")
    for name, value in network.state_dict().items():
        assert value.dtype == made.state_dict()[name].dtype and not value.is_meta
        assert torch.equal(value, stored[name].to(value.dtype)), name
    assert all(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_what_ships_is_filled_whole(kind) -> None:
    """Windows and filters, which no file holds, are made too."""
    network, _ = load_network(kind)
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        assert not value.is_meta and value.isfinite().all(), name


class Memory:
    def __reduce__(self):
        return (bytearray, (2_000_000_000,))


def test_a_pickle_may_hold_tensors_and_nothing_else(tmp_path) -> None:
    torch.save({"x": Memory()}, tmp_path / "bytes.pt")
    with little_memory(), pytest.raises(ModelError, match="cannot be read as weights .*bytearray"):
        load_vocoder(tmp_path / "bytes.pt")
    (tmp_path / "old.pt").write_bytes(pickle.dumps({"x": Memory()}))
    with little_memory(), pytest.raises(ModelError, match="cannot be read as weights"):
        load_vocoder(tmp_path / "old.pt")


def test_a_pickle_that_unpacks_to_more_than_itself(tmp_path) -> None:
    buffer = io.BytesIO()
    torch.save({"x": torch.zeros(300_000_000, dtype=torch.uint8)}, buffer)
    with zipfile.ZipFile(buffer) as given, zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            made.writestr(name, given.read(name))
    assert (tmp_path / "bomb.pt").stat().st_size < 1_000_000
    with little_memory(), pytest.raises(ModelError, match="it is compressed"):
        load_vocoder(tmp_path / "bomb.pt")


def test_a_view_is_not_as_large_as_it_looks(tmp_path) -> None:
    state = VocosVocoder(MelConfig(), 16, 24, 2).state_dict()
    wide = torch.zeros(1).expand(8000, 60_000)
    torch.save({**state, "backbone.convnext.0.pwconv1.weight": wide}, tmp_path / "view.pt")
    with little_memory(), pytest.raises(ModelError, match="does not fit the Vocos network"):
        load_vocoder(tmp_path / "view.pt")


def test_a_vocos_of_many_layers_is_compared_before_it_is_built(tmp_path) -> None:
    state = dict(VocosVocoder(MelConfig(), 16, 24, 2).state_dict())
    many = {**state, **{f"backbone.convnext.{i}.gamma": torch.ones(1) for i in range(2, 20_000)}}
    save_file(many, tmp_path / "many.safetensors")
    with little_memory(), pytest.raises(ModelError, match="would have 20000 layers of 16 and 24 channels"):
        load_vocoder(tmp_path / "many.safetensors")


def state_of(network: CopyCat) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    shapes = {name: tuple(v.shape) for name, v in network.state_dict().items()}
    both = {f"{part}.{name}": shape for part in ("network", "average") for name, shape in shapes.items()}
    return {"config": SMALL.to_dict(), "step": 3, "seconds": 1.5}, both


def test_a_training_state_is_compared_with_the_task() -> None:
    network = CopyCat(SMALL)
    task = SimpleNamespace(network=network, config=SMALL)
    header, shapes = state_of(network)
    check_state(task, header, {**shapes, "beside.x": (3,), "optimiser.step.head.bias": ()}, place="here")
    for change in ({"config": {"channels": 9}}, {"config": {"mood": 1}}, {"config": None}):
        with pytest.raises(ModelError, match="was trained with other network settings"):
            check_state(task, {**header, **change}, shapes, place="here")
    for change in ({"step": -1}, {"step": "3"}, {"step": None}, {"seconds": float("nan")}, {"loss_level": "x"}):
        with pytest.raises(ModelError, match="does not say how far the training was"):
            check_state(task, {**header, **change}, shapes, place="here")
    for more in ({"x": (1,)}, {"optimiser.exp_avg.head.bias": (10**9,)}, {"network.head.bias": (3,)}):
        with pytest.raises(ModelError, match="does not fit the network"):
            check_state(task, header, {**shapes, **more}, place="here")
    with pytest.raises(ModelError, match="holds more beside the network"):
        check_state(task, header, {**shapes, "beside.x": (10**9,)}, place="here")


def test_the_importances_say_their_scales(tmp_path) -> None:
    from prosody_transfer.voices.fisher import load_fisher

    path = tmp_path / "fisher.safetensors"
    for scales in ({}, None, {"x": "1"}):
        save_checkpoint(path, "fisher", {"x": torch.ones(2).half()}, {"base": "b"}, scales=scales)
        with pytest.raises(ModelError, match="does not say the scale of a tensor"):
            load_fisher(path, "b")


def test_the_judge_of_another_file(tmp_path) -> None:
    from prosody_transfer.evaluation.speaker import Judge

    for config in ({"channels": 4096, "layers": 16}, {"n_mels": 10**6}, {"embedding": 10**9}):
        path = written(tmp_path / "x.safetensors", "verifier", json.dumps({"config": config}))
        with little_memory(), pytest.raises(ModelError, match="was changed after it was written"):
            Judge(path).fingerprint  # noqa: B018
    assert len(Judge().fingerprint) == 12
