"""What an addon's folder may hold: nothing missing, altered, unknown, misnamed or too large is run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration import Networks, open_addon
from prosody_transfer.integration.check import made_up
from prosody_transfer.integration.symbols import parameters_of
from prosody_transfer.store.weights import shipped

RECOGNISER = shipped("recogniser").parent
KINDS = ("camp", "copycat", "kathaka", "vae", "vocoder", "recogniser", "tracker", "verifier")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a shipped addon; files are linked where nothing changes them."""
    made = tmp_path / "addon"
    made.mkdir()
    for name in ("addon.json", "recogniser.onnx", "recogniser.safetensors"):
        (made / name).write_bytes((RECOGNISER / name).read_bytes())
    return made


def edit(folder: Path, change: Any) -> None:
    data = json.loads((folder / "addon.json").read_text())
    change(data)
    (folder / "addon.json").write_text(json.dumps(data))


def run(folder: Path) -> np.ndarray:
    handle = Networks([open_addon(folder)], "onnx").handle("recogniser")
    return handle.run(made_up(handle.spec.inputs))["logits"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_folders_are_addons(kind: str) -> None:
    addon = open_addon(shipped(kind).parent)
    assert addon.config.kind == kind and addon.config.networks and addon.config.licence == "Apache-2.0"
    for name in addon.config.networks:
        values = addon.parameters(name)
        assert set(values) == set(parameters_of(addon.symbols(name), "")) and len(values) > 5
        assert len(addon.symbols(name)) < 100_000, "symbols hold no weights"
        assert addon.parameters_file(name) == shipped(kind), "one copy, which training reads as well"


def test_every_parameter_of_a_speaking_network_is_run() -> None:
    """No tensor that speaking needs is left out of the graphs; the tables and heads of training are."""
    from safetensors import safe_open

    for kind, left in (("copycat", ("early_head", "speaker_table")), ("vocoder", ()), ("recogniser", ("bigram",))):
        addon = open_addon(shipped(kind).parent)
        asked = {tensor for name in addon.config.networks for tensor in parameters_of(addon.symbols(name), "")}
        with safe_open(str(shipped(kind)), "np") as file:
            assert {name for name in file.keys() if name not in asked and not name.startswith(left)} == set()  # noqa: SIM118


def network(change: dict[str, Any]) -> Any:
    """An edit of what addon.json says of its network."""
    return lambda data: data["networks"]["recogniser"].update(change)


WRONG: dict[str, tuple[Any, str]] = {
    "another format": (lambda d: d.update(format=2), "addon.json: has format 2; this ptx reads 1; use the ptx"),
    "no format": (lambda d: d.pop("format"), "addon.json: describes no addon"),
    "an unknown key": (lambda d: d.update(code="import os"), "unknown field `code`"),
    "an unknown key inside": (network({"run": "x"}), "unknown field `run`"),
    "a path out": (network({"symbols": "../x.onnx"}), "names the file '../x.onnx'; its files"),
    "an absolute path": (network({"parameters": "/etc/x"}), "names the file '/etc/x'"),
    "a hidden file": (network({"symbols": ".x"}), "names the file"),
    "no checksum": (network({"symbols_sha256": "x"}), "has a checksum that is none"),
    "an axis": (lambda d: d["networks"]["recogniser"]["inputs"][0].update(axes=["B", "t"]), "'mel' has an axis 't'"),
    "a size": (lambda d: d["networks"]["recogniser"]["fixed"].update(T=[0]), "has a size that can't be"),
    "sizes that fall": (lambda d: d["networks"]["recogniser"]["fixed"].update(T=[64, 32]), "has a size that can't be"),
    "a name": (lambda d: d["networks"].update({"A b": d["networks"]["recogniser"]}), "'A b' is no name"),
    "a type": (lambda d: d.update(networks=[]), "Expected `object`"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_an_addon_json_that_can_t_be_is_refused(name: str, folder: Path) -> None:
    change, message = WRONG[name]
    edit(folder, change)
    with pytest.raises(ModelError, match=message) as found:
        open_addon(folder)
    assert found.value.exit_code == 6 and str(folder / "addon.json") in str(found.value)


def test_what_is_no_addon_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match="is no addon: it has no addon.json"):
        open_addon(tmp_path)
    for text in ("{", "[]", "[" * 100_000, "null"):
        (folder / "addon.json").write_text(text)
        with pytest.raises(ModelError, match="is not JSON|describes no addon"):
            open_addon(folder)
    (folder / "addon.json").write_text(" " * 2_000_000)
    with pytest.raises(ModelError, match="too large"):
        open_addon(folder)


def test_missing_and_altered_files_are_named(folder: Path) -> None:
    assert np.isfinite(run(folder)).all()
    symbols, parameters = folder / "recogniser.onnx", folder / "recogniser.safetensors"
    for path in (symbols, parameters):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ModelError, match=rf"{path.name}: is not the file that the addon was made with"):
            run(folder)
        path.unlink()
        with pytest.raises(ModelError, match=rf"{path.name}: is missing"):
            run(folder)
        path.write_bytes(whole)


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.onnx"
    os.replace(folder / "recogniser.onnx", target)
    (folder / "recogniser.onnx").symlink_to(target)
    with pytest.raises(ModelError, match="leads out of the addon's folder"):
        run(folder)


def reseal(folder: Path) -> None:
    """Write the checksums of what is there: what somebody does who means it."""
    import hashlib

    digest = lambda name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
    edit(folder, lambda d: d["networks"]["recogniser"].update(
        symbols_sha256=digest("recogniser.onnx"), parameters_sha256=digest("recogniser.safetensors")))  # fmt: skip


def test_parameters_that_do_not_fit_are_shown(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "recogniser.safetensors"
    tensors = load_file(str(path))
    name = "network.blocks.0.conv.weight"
    save_file({**tensors, name: tensors[name][:, :50]}, str(path))
    reseal(folder)
    with pytest.raises(ModelError, match=rf"'{name}' is \(192, 50, 5\); the symbols take \(192, 100, 5\)"):
        run(folder)
    save_file({key: value for key, value in tensors.items() if key != name}, str(path))
    reseal(folder)
    with pytest.raises(ModelError, match=f"lacks the tensor '{name}'"):
        run(folder)
    path.write_bytes(b"\x80\x04}q\x00.")
    reseal(folder)
    with pytest.raises(ModelError, match="is not a safetensors file"):
        run(folder)


def test_symbols_that_are_none_or_another_s_are_refused(folder: Path) -> None:
    (folder / "recogniser.onnx").write_bytes((shipped("vocoder").parent / "filters.onnx").read_bytes())
    reseal(folder)
    with pytest.raises(ModelError, match="networks.recogniser: differs from its symbols in the tensor 'backbone"):
        run(folder)
    (folder / "recogniser.onnx").write_bytes(b"not a graph")
    reseal(folder)
    with pytest.raises(ModelError, match="recogniser.onnx: is not an ONNX graph|is no graph"):
        run(folder)
    (folder / "recogniser.onnx").write_bytes(b"\0" * (1 << 25))
    reseal(folder)
    with pytest.raises(ModelError, match="recogniser.onnx: is too large"):
        run(folder)


def test_a_graph_that_reads_a_file_of_its_own_choice_is_refused(folder: Path) -> None:
    """A constant inside a node, stored outside: ONNX Runtime would read the file that it names."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(folder / "recogniser.onnx"), load_external_data=False)
    secret = onnx.TensorProto(name="secret", data_type=onnx.TensorProto.FLOAT, dims=[4])
    secret.data_location = onnx.TensorProto.EXTERNAL
    secret.external_data.add(key="location", value="/etc/hostname")
    node = onnx.helper.make_node("Constant", [], ["secret"], value=secret)
    model.graph.node.insert(0, node)
    (folder / "recogniser.onnx").write_bytes(model.SerializeToString())
    reseal(folder)
    with pytest.raises(ModelError, match="differs from its symbols in the tensor 'secret'"):
        run(folder)


@given(st.binary(max_size=300))
def test_no_bytes_upset_the_reader_of_graphs(data: bytes) -> None:
    try:
        assert isinstance(parameters_of(data, "x.onnx"), dict)
    except ModelError as error:
        assert "x.onnx" in str(error)


@given(st.data())
def test_nor_do_damaged_graphs(data: st.DataObject) -> None:
    whole = bytearray((RECOGNISER / "recogniser.onnx").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert isinstance(parameters_of(bytes(whole), "x.onnx"), dict)
    except ModelError as error:
        assert "x.onnx" in str(error)


def test_a_provider_or_runtime_that_is_not_there_is_named() -> None:
    from prosody_transfer.core.errors import UsageError
    from prosody_transfer.integration.runtimes.onnx import provider_of

    assert provider_of("cpu") == provider_of("CPUExecutionProvider") == ("CPUExecutionProvider", {})
    for name in ("coreml", "cuda:x", "TensorrtExecutionProvider", ""):
        with pytest.raises(ModelError, match="is not installed; installed: .*cpu") as found:
            provider_of(name)
        assert found.value.exit_code == 6
    with pytest.raises(UsageError, match="no runtime is called 'tf'; one of: onnx, torch"):
        Networks([open_addon(RECOGNISER)], "tf").handle("recogniser")
