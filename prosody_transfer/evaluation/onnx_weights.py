"""The numbers in an ONNX file, without a runtime for it: named tensors only, the graph is not read."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

_GRAPH, _INITIALISER = 7, 5  # fields of ModelProto and GraphProto
_DIMS, _TYPE, _FLOATS, _NAME, _RAW = 1, 2, 4, 8, 9  # fields of TensorProto
_FLOAT32 = 1


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and content of each field of a protocol buffer message: int, or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind not in (1, 2, 5):
            raise ValueError("not a protocol buffer")
        size, at = _varint(data, at) if kind == 2 else (8 if kind == 1 else 4, at)
        if at + size > len(data):
            raise ValueError("cut short")
        yield number, data[at : at + size]
        at += size


def _dimensions(value: int | memoryview) -> list[int]:
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        size, at = _varint(value, at)
        found.append(size)
    return found


def read_weights(data: bytes) -> dict[str, np.ndarray]:
    """All float32 tensors stored in an ONNX model, by name.

    Raises:
        ValueError: These are not the bytes of an ONNX model.
    """
    found: dict[str, np.ndarray] = {}
    try:
        for number, graph in _fields(memoryview(data)):
            for inner, tensor in _fields(graph) if number == _GRAPH else ():
                if inner != _INITIALISER:
                    continue
                name, kind, shape, raw = "", 0, [], b""
                for field, value in _fields(tensor):
                    if field == _DIMS:
                        shape += _dimensions(value)
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
