"""PyTorch's own files, of which only tensors are taken: what else such a file can do is refused before it is read."""

from __future__ import annotations

import io
import os
import pickletools
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.reading import open_regular

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_PICKLE = 16_000_000  # bytes of the part that describes the tensors
_LARGEST_FILE = 4_000_000_000
# What a state dict is made of. torch's own list has things too that take as much memory as they are told to.
_KNOWN = {
    "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch Size",
    *(f"torch {kind}Storage" for kind in ("Float", "Half", "BFloat16", "Double", "Long", "Int", "Byte", "Bool")),
}  # fmt: skip
_REMEDY = "fetch it again, or convert it to .safetensors"


def read_pickled(path: Path) -> dict[str, Tensor]:
    """A state dict from a PyTorch file, read with `weights_only`, so that nothing in the file is run.

    Raises:
        ModelError: The file is missing, damaged, of PyTorch's format before 1.6, or holds anything but tensors.
    """
    import torch

    data: Any
    _check(path)
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds here; none of them is a user's business
        raise _unreadable(path, type(error).__name__) from None
    if isinstance(data, dict) and isinstance(data.get("state_dict"), dict):  # a training checkpoint
        data = data["state_dict"]
    if not isinstance(data, dict):
        raise ModelError("holds no state dict", place=str(path), remedy="give a Vocos checkpoint")
    return {str(k): v for k, v in data.items() if isinstance(v, torch.Tensor)}


def _check(path: Path) -> None:
    """Refuse a file that unpacks to more than itself, or whose pickle asks for anything but tensors."""
    with open_regular(path, ModelError) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _LARGEST_FILE:
            raise ModelError(f"is too large: {size / 1e9:.3g} GB", place=str(path), remedy=_REMEDY)
        try:
            with zipfile.ZipFile(file) as parts:
                listed = parts.infolist()
                if any(part.compress_type != zipfile.ZIP_STORED for part in listed):
                    raise _unreadable(path, "it is compressed")
                if sum(part.file_size for part in listed) > size:
                    raise _unreadable(path, "its parts are larger than the file")
                (pickle,) = (part for part in listed if part.filename.endswith("data.pkl"))
                if pickle.file_size > LARGEST_PICKLE:
                    raise _unreadable(path, "it describes too much")
                described = parts.read(pickle)
            strange = _named(described) - _KNOWN
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise _unreadable(path, type(error).__name__) from None
    if strange:
        raise _unreadable(path, f"it holds {min(strange)[:60]!r}")


def _named(pickle: bytes) -> set[str]:
    """All that a pickle of protocol 2 would import; ValueError where it is of another."""
    found = set()
    for code, argument, _ in pickletools.genops(io.BytesIO(pickle)):
        if code.name == "GLOBAL":
            found.add(str(argument))
        elif code.name in ("STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "NEWOBJ", "NEWOBJ_EX"):
            raise ValueError(code.name)
    return found


def _unreadable(path: Path, why: str) -> ModelError:
    return ModelError(f"cannot be read as weights ({why})", place=str(path), remedy=_REMEDY)
