"""Protocol buffers, read field by field: enough to look into an ONNX file without the package of that name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """(field number, value) of a message; values are numbers, or the bytes of what has a length or a fixed size.

    Raises:
        ValueError, IndexError: These are not the bytes of a message.
    """
    at, size = 0, len(data)
    while at < size:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind not in (1, 2, 5):
            raise ValueError("not a protocol buffer")
        length, at = _varint(data, at) if kind == 2 else (8 if kind == 1 else 4, at)
        if at + length > size:
            raise ValueError("cut short")
        yield number, data[at : at + length]
        at += length


def numbers(value: int | memoryview) -> list[int]:
    """One number, or several packed into bytes."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("too long a number")
