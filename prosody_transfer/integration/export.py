"""From a checkpoint to an addon: symbols as ONNX without weights, parameters as safetensors, addon.json."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from prosody_transfer.core.atomic import check_target, make_folder, write_atomically
from prosody_transfer.core.errors import ModelError, OutputError
from prosody_transfer.core.extras import EXPORT, TORCH, require
from prosody_transfer.core.ports import Port
from prosody_transfer.integration.addon import Addon, open_addon, parse
from prosody_transfer.integration.kinds import describe, model_of
from prosody_transfer.integration.schema import NAME, AddonConfig, Network
from prosody_transfer.integration.symbols import parameters_of
from prosody_transfer.store.weights import load_network, ship

OPSET = 20  # has Gelu and keeps LayerNormalization whole
# Sizes of the example; those of 1 would be taken for constants.
TRACED = {"B": 2, "P": 12, "W": 10, "T": 40, "R": 48, "N": 64}
SMALL_CONSTANT = 64  # bytes; what the exporter makes of sizes and numbers in the code
Precision = Literal["fp16", "fp32"]


def export_addon(
    checkpoint: str | Path, output: str | Path, *, precision: Precision = "fp16", overwrite: bool = False,
    licence: str | None = None,
) -> Addon:  # fmt: skip
    """Make an addon of a checkpoint.

    Args:
        checkpoint: Of any model that has `parts`, see `models.registry`.
        output: The addon's folder; made if there is none.
        precision: Of the parameters as they are stored; all runtimes calculate in float32. A checkpoint that already
            lies in `output` is left as it is, and is the addon's parameters.
        overwrite: Write over an addon that is there.
        licence: Of the parameters; what is there says if None.

    Raises:
        ModelError: The checkpoint can't be read, or a network can't be exported.
        OutputError: There is an addon already, or the folder can't be written to.
        DependencyError: What exporting takes is not installed.
    """
    require("train", (*TORCH, *EXPORT), "ptx addon export")
    folder = Path(output)
    if (folder / NAME).exists() and not overwrite:
        raise OutputError("there is an addon", place=str(folder), remedy="give another folder, or --force")
    model = model_of(checkpoint)
    network, header = load_network(model.kind, checkpoint)
    parameters = _parameters(Path(checkpoint), folder, model.kind, precision)
    digest = hashlib.sha256(parameters.read_bytes()).hexdigest()
    networks = {}
    for name, part in model.load("parts")(network).items():
        data = symbols(part, str(folder / name))
        file = f"{name}.onnx"
        write_atomically(folder / file, data, folder=True)
        taken = tuple(sorted(parameters_of(data, file)))
        ports = {key: getattr(part, key) for key in ("inputs", "outputs", "state", "role", "lag")}
        networks[name] = Network(
            symbols=file, symbols_sha256=hashlib.sha256(data).hexdigest(), parameters=parameters.name,
            parameters_sha256=digest, tensors=taken, reach=dict(part.reach), fixed=dict(part.fixed), **ports,
        )  # fmt: skip
    config = describe(model, network, header, networks, licence)
    write_config(folder, config)
    return _with_latency(open_addon(folder))


def write_config(folder: Path, config: AddonConfig) -> None:
    """Write addon.json, after reading it as anybody would."""
    data = config.to_dict()
    parse(json.loads(json.dumps(data)), str(folder / NAME))
    write_atomically(folder / NAME, (to_json(data) + "\n").encode(), folder=True)


def to_json(value: Any, margin: str = "") -> str:
    """JSON that people can read: what fits a line stands on one."""
    line = json.dumps(value, ensure_ascii=False)
    numbers = isinstance(value, list) and not any(isinstance(v, (dict, list)) for v in value)
    if not value or not isinstance(value, dict | list) or numbers or len(margin) + len(line) <= 110:
        return line
    inner = margin + " "
    if isinstance(value, dict):
        body = [f"{inner}{json.dumps(k)}: {to_json(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(body) + f"\n{margin}}}"
    return "[\n" + ",\n".join(inner + to_json(v, inner) for v in value) + f"\n{margin}]"


def _with_latency(addon: Addon) -> Addon:
    """The same with the look-ahead that its stack turns out to have."""
    if not addon.config.stack:
        return addon
    from prosody_transfer.integration.layer import build_layer

    seconds = round(float(build_layer([addon], frames_given=True).flow.latency), 6)
    data = {**addon.config.to_dict(), "latency": seconds}
    write_config(addon.folder, parse(json.loads(json.dumps(data)), addon.place))
    return open_addon(addon.folder)


def _parameters(checkpoint: Path, folder: Path, kind: str, precision: Precision) -> Path:
    """The parameters' file in the addon's folder."""
    target = folder / f"{kind}.safetensors"
    if target.exists() and checkpoint.resolve() == target.resolve():
        return target
    make_folder(folder)
    check_target(target)
    if precision == "fp16":
        ship(kind, checkpoint, target)
        return target
    try:
        shutil.copyfile(checkpoint, target)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", place=str(target)) from None
    return target


def symbols(part: Any, place: str) -> bytes:
    """The graph of a part without its weights, as an ONNX file.

    Raises:
        ModelError: The exporter can't express it, or a weight would be left inside.
    """
    import torch

    # Random weights: then the graph can't depend on them, and each is known by its values wherever it ends up.
    module = copy.deepcopy(part.module).eval().cpu()
    with torch.no_grad():
        for i, parameter in enumerate(module.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(i)))
    ports: list[Port] = [*part.inputs, *part.state]
    dynamic = [
        {i: torch.export.Dim.DYNAMIC for i, axis in enumerate(port.axes) if isinstance(axis, str)} for port in ports
    ]
    count = len(part.inputs)
    shapes = (*dynamic[:count], tuple(dynamic[count:])) if part.state else tuple(dynamic)
    names: dict[str, Any] = {"input_names": [port.name for port in ports],
             "output_names": [p.name for p in part.outputs] + [f"next_{p.name}" for p in part.state]}  # fmt: skip
    problem = ""
    for optimize in (True, False):  # the optimiser may mix weights (LSTM gates): then the graph has to do so
        with _quiet():
            try:
                program = torch.onnx.export(
                    module, tuple(_example(port) for port in ports), dynamo=True, verbose=False, optimize=optimize,
                    dynamic_shapes=shapes, opset_version=OPSET, **names,
                )  # fmt: skip
                assert program is not None
                return _without_weights(program.model_proto, module)
            except (RuntimeError, _WeightsLeft, torch.onnx.OnnxExporterError) as error:
                problem = str(error).splitlines()[0][:200]
    remedy = "report it, with the network's settings"
    raise ModelError(f"cannot be exported ({problem})", place=place, remedy=remedy)


class _WeightsLeft(Exception):
    """A weight that would have stayed inside the graph."""


def _without_weights(model: Any, module: Any) -> bytes:
    """The graph's bytes, its initializers named as in the checkpoint and stored outside."""
    import onnx
    from onnx import numpy_helper

    known = {name.removeprefix("network."): value.numpy() for name, value in module.state_dict().items()}
    turned, names = [], {}  # a linear map's weights are stored transposed: the graph turns them itself
    trained = {name.removeprefix("network.") for name, _ in module.named_parameters()}
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        small = value.nbytes <= SMALL_CONSTANT and tensor.name.removeprefix("network.") not in known
        plain = value.size == 0 or bool((value == value.flat[0]).all())  # a gain of one; or one number that was trained
        for name, parameter in known.items():
            if (small or plain) and name not in trained:
                continue
            if parameter.shape == value.shape and (parameter == value).all():
                names[tensor.name] = name
            elif parameter.ndim == 2 and parameter.T.shape == value.shape and (value == parameter.T).all():
                names[tensor.name] = f"{name}_turned"
                turned.append(onnx.helper.make_node("Transpose", [name], [f"{name}_turned"], perm=[1, 0]))
            else:
                continue
            break
        else:
            if small or plain:
                continue
            raise _WeightsLeft(f"{tensor.name} {value.shape} is in the graph")
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in names]
    asked = sorted({name.removesuffix("_turned") for name in names.values()})
    outside = [_outside(name, known[name].shape) for name in asked]
    del model.graph.initializer[:]
    model.graph.initializer.extend([*kept, *outside])
    nodes = list(model.graph.node)
    for node in nodes:
        for i, name in enumerate(node.input):
            node.input[i] = names.get(name, name)
    del model.graph.node[:]
    model.graph.node.extend([*turned, *nodes])
    _forget_origin(model)
    return bytes(model.SerializeToString(deterministic=True))


def _outside(name: str, shape: tuple[int, ...]) -> Any:
    """An initializer whose values are given when the graph is loaded."""
    import onnx

    tensor = onnx.TensorProto(name=name, data_type=onnx.TensorProto.FLOAT, dims=shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="parameters")
    return tensor


def _forget_origin(model: Any) -> None:
    """Drop names of files and types that the exporter noted down; they say where it was made, and are most of it."""
    model.ClearField("doc_string")
    model.ClearField("metadata_props")
    graph = model.graph
    del graph.value_info[:]
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    graph.name = "network"


def _example(port: Port) -> Any:
    import torch

    shape = port.shape(TRACED)
    if port.dtype == "float32":
        return torch.rand(shape, generator=torch.Generator().manual_seed(1))
    return torch.ones(shape, dtype=torch.bool if port.dtype == "bool" else torch.int64)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells much that is of no use to anybody here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)


__all__ = ["export_addon", "symbols", "to_json", "write_config"]
