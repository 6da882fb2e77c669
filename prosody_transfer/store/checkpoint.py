"""Weights on disk: safetensors with a JSON header, written atomically, checked when read. Never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.errors import ModelError
from prosody_transfer.store.header import FORMAT, VERSION, Shapes, compare_shapes, read_header

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


def _digest(tensors: Mapping[str, Tensor] | Mapping[str, np.ndarray], header: str) -> str:
    """SHA-256 over the header and every tensor's name, type as torch calls it, shape and bytes."""
    total = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        tensor: Any = tensors[name]
        if hasattr(tensor, "detach"):
            import torch

            tensor = tensor.detach().cpu().contiguous()
            kind, data = str(tensor.dtype), tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
        else:
            kind, data = f"torch.{tensor.dtype}", tensor.tobytes()
        total.update(f"{name} {kind} {tuple(tensor.shape)}".encode())
        total.update(data)
    return total.hexdigest()


def save_checkpoint(
    path: str | Path, kind: str, tensors: Mapping[str, Tensor] | Mapping[str, np.ndarray], config: dict[str, Any],
    **facts: Any,
) -> None:  # fmt: skip
    """Write a checkpoint; the bytes are the same for tensors of torch and for arrays, which need no torch.

    Args:
        kind: What it is for: a model's kind, or that with "-training" for a training state.
        config: The settings from which the network is rebuilt: loading needs nothing but the file.
        facts: Anything JSON can hold: step, seed, figures, ...

    Raises:
        OutputError: The folder can't be written to or the disk is full; no partial file is left.
    """
    header = json.dumps({"config": config, **facts}, sort_keys=True)
    given: Any = tensors
    if all(hasattr(value, "detach") for value in given.values()):
        from safetensors.torch import save

        clean = {k: v.detach().cpu().contiguous().clone() for k, v in given.items()}
    else:
        from safetensors.numpy import save  # type: ignore[assignment]

        clean = {k: v.copy(order="C") for k, v in given.items()}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "kind": kind,
        "header": header,
        "sha256": _digest(clean, header),
    }
    data = save(clean, metadata)
    write_atomically(path, data)


def load_checkpoint(
    path: str | Path, kind: str, check: Callable[[dict[str, Any], Shapes], None] | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint: its tensors, and its header with "config" and the facts.

    Args:
        check: Called with the header and the tensors' shapes before any tensor is read; it raises what is wrong.

    Raises:
        ModelError: The file is missing, damaged, of another version or kind, or was changed after it was written.
    """
    return _load(path, kind, check, "pt")


def load_arrays(
    path: str | Path, kind: str, check: Callable[[dict[str, Any], Shapes], None] | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The same without torch: tensors are arrays, of the precision that they are stored in. Raises as it does."""
    return _load(path, kind, check, "np")


def _load(path: str | Path, kind: str, check: Any, framework: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    place = str(path)
    header, found = read_header(path, kind)
    if check is not None:
        check(header, found.shapes)
    try:
        with safe_open(place, framework) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError, AttributeError):  # bfloat16 in numpy
        raise ModelError("is not a safetensors file, or is damaged", place=place, remedy="fetch it again") from None
    if _digest(tensors, found.metadata["header"]) != found.metadata.get("sha256"):
        raise ModelError(
            "was changed after it was written (its checksum differs)", place=place, remedy="fetch it again"
        )
    return tensors, header


def load_into(module: Any, tensors: Mapping[str, Tensor], place: str) -> None:
    """Fill a network, whatever the stored precision; names or shapes that do not fit raise ModelError."""
    try:
        module.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    except RuntimeError as error:
        problem = f"does not fit the network: {str(error).splitlines()[-1].strip()}"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it") from None


def fill(network: Any, tensors: Mapping[str, Tensor], place: str) -> None:
    """Give a network of `models.hollow` its weights, in its own precision; ModelError where they do not fit."""
    own = network.state_dict()
    # A copy: what safetensors gives is the file itself, as long as it lies there.
    mine = {name: value.to(own[name].dtype, copy=True) for name, value in tensors.items() if name in own}
    compare_shapes({n: tuple(v.shape) for n, v in tensors.items()}, {n: tuple(v.shape) for n, v in own.items()}, place)
    network.load_state_dict(mine, assign=True)
