"""What a graph without weights asks for, read from its bytes: the `onnx` package is not needed to run one."""

from __future__ import annotations

from collections.abc import Iterator

from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.protobuf import fields, numbers

# Field numbers of onnx.proto, by message: what is walked through, and where tensors are.
_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _FUNCTION, _TENSOR = "model", "graph", "node", "attribute", "function", "tensor"
_INSIDE = {
    _MODEL: {7: _GRAPH, 25: _FUNCTION},
    _GRAPH: {1: _NODE, 5: _TENSOR},
    _FUNCTION: {7: _NODE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH},
}
_SPARSE = {_GRAPH: 15, _ATTRIBUTE: 22}  # could hide tensors that are read from files
_DIMS, _TYPE, _NAME, _EXTERNAL, _LOCATION = 1, 2, 8, 13, 14
_FLOAT = 1
_DEEPEST = 16


def parameters_of(symbols: bytes, place: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the float32 tensors that a graph takes from outside.

    Args:
        symbols: An ONNX file.
        place: Its name, for messages.

    Raises:
        ModelError: It is no ONNX file, or asks for a tensor in a form that no addon has.
    """
    found: dict[str, tuple[int, ...]] = {}
    try:
        for tensor in _tensors(memoryview(symbols), _MODEL):
            parts = list(fields(tensor))
            if not any(number in (_EXTERNAL, _LOCATION) and value for number, value in parts):
                continue  # a constant, inside the graph
            name = next((bytes(v).decode() for n, v in parts if n == _NAME and isinstance(v, memoryview)), "")
            kind = next((v for n, v in parts if n == _TYPE), 0)
            dims = tuple(size for n, v in parts if n == _DIMS for size in numbers(v))
            if not name or kind != _FLOAT or name in found:
                problem = f"asks for a parameter {name[:60]!r} that is not float32, has no name, or has that of another"
                raise ModelError(problem, place=place, remedy="export it again")
            found[name] = dims
    except (IndexError, ValueError, RecursionError):
        raise ModelError("is not an ONNX graph, or is damaged", place=place, remedy="fetch it again") from None
    return found


def _tensors(data: memoryview, message: str, depth: int = 0) -> Iterator[memoryview]:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    inside = _INSIDE[message]
    for number, value in fields(data):
        if number == _SPARSE.get(message):
            raise ValueError("sparse tensors")
        if number in inside:
            if not isinstance(value, memoryview):
                raise ValueError("not a message")
            if inside[number] == _TENSOR:
                yield value
            else:
                yield from _tensors(value, inside[number], depth + 1)
