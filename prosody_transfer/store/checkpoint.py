"""Weights on disk: safetensors with a JSON header, written atomically, checked when read. Never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "ptx-checkpoint"
VERSION = 1


def _digest(tensors: Mapping[str, Tensor], header: str) -> str:
    """SHA-256 over the header and every tensor's name, type, shape and bytes."""
    import torch

    total = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def save_checkpoint(
    path: str | Path, kind: str, tensors: Mapping[str, Tensor], config: dict[str, Any], **facts: Any
) -> None:
    """Write a checkpoint.

    Args:
        kind: What it is for: "vocoder", "copycat", "recogniser", or one of those with "-training" for a training state.
        config: The settings from which the network is rebuilt: loading needs nothing but the file.
        facts: Anything JSON can hold: step, seed, figures, ...

    Raises:
        OutputError: The folder can't be written to or the disk is full; no partial file is left.
    """
    from safetensors.torch import save

    header = json.dumps({"config": config, **facts}, sort_keys=True)
    clean = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "kind": kind,
        "header": header,
        "sha256": _digest(clean, header),
    }
    data = save(clean, metadata)
    write_atomically(path, data)


def load_checkpoint(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint: its tensors, and its header with "config" and the facts.

    Raises:
        ModelError: The file is missing, damaged, of another version or kind, or was changed after it was written.
    """
    from safetensors import SafetensorError, safe_open

    place = str(path)
    if not os.path.isfile(path):
        raise ModelError("no such checkpoint", place=place, remedy="check the path")
    try:
        with safe_open(place, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError):
        raise ModelError("is not a safetensors file, or is damaged", place=place, remedy="fetch it again") from None
    if metadata.get("format") != FORMAT:
        raise ModelError(
            "is not a ptx checkpoint", place=place, remedy=f"give one that ptx has written, of kind {kind}"
        )
    if metadata.get("version") != str(VERSION):
        problem = f"has format version {metadata.get('version')}; this ptx reads {VERSION}"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it, or train again")
    if metadata.get("kind") != kind:
        raise ModelError(f"holds a {metadata.get('kind')}, not a {kind}", place=place, remedy="give the right file")
    if _digest(tensors, metadata.get("header", "")) != metadata.get("sha256"):
        raise ModelError(
            "was changed after it was written (its checksum differs)", place=place, remedy="fetch it again"
        )
    return tensors, json.loads(metadata["header"])


def load_into(module: Any, tensors: Mapping[str, Tensor], place: str) -> None:
    """Fill a network, whatever the stored precision; names or shapes that do not fit raise ModelError."""
    try:
        module.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    except RuntimeError as error:
        problem = f"does not fit the network: {str(error).splitlines()[-1].strip()}"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it") from None
