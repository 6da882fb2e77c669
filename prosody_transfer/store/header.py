"""What a safetensors file says of itself: read and checked before a tensor is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.reading import open_regular, parse_json

FORMAT = "ptx-checkpoint"
VERSION = 1
LARGEST_HEADER = 16_000_000  # bytes; ours have some 20,000
LARGEST_FILE = 8_000_000_000  # bytes; a training state of the largest networks that are trained here has 0.5 GB
# Kinds that are not compared with a network before they are read: they are small.
LARGEST = {"voice": 100_000_000, "voice-export": 100_000_000, "fisher": 200_000_000, "references": 100_000_000}
Shapes = Mapping[str, tuple[int, ...]]
_DAMAGED = "is not a safetensors file, or is damaged"
_AGAIN = "fetch it again"


class Header(NamedTuple):
    """What a file says of itself.

    Attributes:
        metadata: By name, as safetensors has it; {} where there is none.
        shapes: Of every tensor, by name; together they are as large as the file.
    """

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


def read_shapes(path: str | Path, largest: int = LARGEST_FILE) -> Header:
    """The metadata of any safetensors file, and its tensors' names and shapes; no tensor is read.

    Args:
        largest: Bytes; a larger file is refused.

    Raises:
        ModelError: The file is missing, too large, no safetensors file or damaged; its sizes disagree with its length.
    """
    from safetensors import SafetensorError, safe_open

    place = str(path)
    with open_regular(path, ModelError) as file:
        size, head = os.fstat(file.fileno()).st_size, file.read(8)
    if size > largest:
        problem = f"is too large: {size / 1e9:.3g} GB, and {largest / 1e9:.3g} GB are the most that is read"
        raise ModelError(problem, place=place, remedy="check that it is the right file")
    length = int.from_bytes(head, "little")
    if len(head) < 8 or length > min(size - 8, LARGEST_HEADER):
        raise ModelError(_DAMAGED, place=place, remedy=_AGAIN)
    try:
        with safe_open(place, "np") as opened:  # this needs no torch
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
            return Header(opened.metadata() or {}, shapes)
    except (SafetensorError, OSError, ValueError, OverflowError):
        raise ModelError(_DAMAGED, place=place, remedy=_AGAIN) from None


def read_kind(path: str | Path) -> str:
    """The kind of a ptx checkpoint; ModelError where it is none."""
    if not os.path.exists(path):
        raise ModelError("no such checkpoint", place=str(path), remedy="check the path")
    metadata = read_shapes(path).metadata
    if metadata.get("format") != FORMAT:
        raise ModelError("is not a ptx checkpoint", place=str(path), remedy="give one that ptx has written")
    return metadata.get("kind", "")


def read_header(path: str | Path, kind: str) -> tuple[dict[str, Any], Header]:
    """The header of a ptx checkpoint of a kind, with "config", and what the file says beside it.

    Raises:
        ModelError: The file is missing, damaged, of another version or kind, or its header is none.
    """
    place = str(path)
    if not os.path.exists(path):
        raise ModelError("no such checkpoint", place=place, remedy="check the path")
    found = read_shapes(path, LARGEST.get(kind, LARGEST_FILE))
    metadata = found.metadata
    if metadata.get("format") != FORMAT:
        remedy = f"give one that ptx has written, of kind {kind}"
        raise ModelError("is not a ptx checkpoint", place=place, remedy=remedy)
    if metadata.get("version") != str(VERSION):
        problem = f"has format version {_shown(metadata.get('version'))}; this ptx reads {VERSION}"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it, or train again")
    if metadata.get("kind") != kind:
        problem = f"holds a {_shown(metadata.get('kind'))}, not a {kind}"
        raise ModelError(problem, place=place, remedy="give the right file")
    try:
        header = parse_json(metadata.get("header", ""))
    except ValueError:
        header = None
    if not isinstance(header, dict) or not isinstance(header.get("config"), dict):
        raise ModelError("has a header that no ptx has written", place=place, remedy=_AGAIN)
    return header, found


def checksum(path: str | Path) -> str:
    """The checksum in a checkpoint's header, which `load_checkpoint` compares with its content; ModelError if none."""
    found = read_shapes(path).metadata.get("sha256", "")
    if not found:
        raise ModelError("is no ptx checkpoint, or is damaged", place=str(path), remedy="fetch it again")
    return found


def compare_shapes(given: Shapes, wanted: Shapes, place: str) -> None:
    """ModelError where names or shapes of a file's tensors are not those of the network; the first is named."""
    for problem, names in (
        ("lacks the tensor", wanted.keys() - given.keys()),
        ("has an unknown tensor", given.keys() - wanted.keys()),
        ("has another shape of", {name for name in given.keys() & wanted.keys() if given[name] != wanted[name]}),
    ):
        if names:
            first = min(names)
            shapes = f": {given[first]}, not {wanted[first]}" if first in given and first in wanted else ""
            problem = f"does not fit the network: {problem} {_shown(first)}{shapes}"
            raise ModelError(problem, place=place, remedy="use the ptx that wrote it")


def _shown(text: str | None) -> str:
    return "".join(c for c in str(text)[:80] if c.isprintable())
