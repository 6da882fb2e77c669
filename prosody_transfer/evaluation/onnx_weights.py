"""The numbers in an ONNX file, without a runtime for it: named tensors only, the graph is not read."""

from __future__ import annotations

from math import prod

import numpy as np

from prosody_transfer.core.protobuf import fields, numbers

_GRAPH, _INITIALISER = 7, 5  # fields of ModelProto and GraphProto
_DIMS, _TYPE, _FLOATS, _NAME, _RAW = 1, 2, 4, 8, 9  # fields of TensorProto
_FLOAT32 = 1


def read_weights(data: bytes) -> dict[str, np.ndarray]:
    """All float32 tensors stored in an ONNX model, by name.

    Raises:
        ValueError: These are not the bytes of an ONNX model.
    """
    found: dict[str, np.ndarray] = {}
    try:
        for number, graph in fields(memoryview(data)):
            for inner, tensor in fields(graph) if number == _GRAPH else ():
                if inner != _INITIALISER:
                    continue
                name, kind, shape, raw = "", 0, [], b""
                for field, value in fields(tensor):
                    if field == _DIMS:
                        shape += numbers(value)
                    elif field == _TYPE:
                        kind = value
                    elif field == _NAME:
                        name = bytes(value).decode()
                    elif field in (_RAW, _FLOATS):
                        raw += bytes(value)
                if kind == _FLOAT32 and len(raw) == 4 * prod(shape):
                    found[name] = np.frombuffer(raw, "<f4").reshape(shape).copy()
    except (IndexError, TypeError, UnicodeDecodeError) as error:
        raise ValueError("these are not the bytes of an ONNX model") from error
    return found
