"""An addon on disk: a folder with addon.json, symbols and parameters. Reading one runs no code from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.core.reading import SETTINGS_BYTES, parse_json, read_bytes
from prosody_transfer.integration.schema import FORMAT, NAME, AddonConfig, Network
from prosody_transfer.integration.symbols import parameters_of

LARGEST_SYMBOLS, LARGEST_PARAMETERS = 1 << 24, 1 << 31  # bytes
_AGAIN = "fetch it again, or export it again with ptx addon export"


@dataclass(frozen=True)
class Addon:
    """A folder whose addon.json has been read; files are read, and compared with their checksums, when needed.

    Attributes:
        overlay: Parameters that take the place of the addon's own: what a user's voice has of its own.
    """

    folder: Path
    config: AddonConfig
    overlay: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> str:
        return str(self.folder / NAME)

    def network(self, name: str) -> Network:
        """One network's description; ModelError where there is none of that name."""
        if name not in self.config.networks:
            known = ", ".join(sorted(self.config.networks))
            raise ModelError(f"has no network {name!r}", place=self.place, remedy=f"it has: {known}")
        return self.config.networks[name]

    def symbols(self, name: str) -> bytes:
        """The graph of a network.

        Raises:
            ModelError: The file is missing, too large, or not the one that was exported.
        """
        network = self.network(name)
        return self._read(network.symbols, network.symbols_sha256, LARGEST_SYMBOLS)

    def parameters_file(self, name: str) -> Path:
        """Where a network's parameters lie, compared with their checksum; raises as `symbols`."""
        network = self.network(name)
        if network.parameters not in self._checked:
            self._read(network.parameters, network.parameters_sha256, LARGEST_PARAMETERS)
            self._checked.add(network.parameters)
        return self.folder / network.parameters

    def parameters(self, name: str) -> dict[str, np.ndarray]:
        """The tensors that a network's graph asks for, float32.

        Raises:
            ModelError: A file is missing or altered, or lacks a tensor, or a tensor has another shape (both are shown).
        """
        asked = parameters_of(self.symbols(name), str(self.folder / self.network(name).symbols))
        if other := sorted(set(asked) ^ set(self.network(name).tensors)):
            problem = f"differs from its symbols in the tensor {other[0][:80]!r}"
            raise ModelError(problem, place=f"{self.place}: networks.{name}", remedy=_AGAIN)
        path = self.parameters_file(name)
        found = {}
        with _opened(path) as file:
            known = set(file.keys())
            for tensor, shape in asked.items():
                if tensor not in known and tensor not in self.overlay:
                    raise ModelError(f"lacks the tensor {tensor[:80]!r}", place=str(path), remedy=_AGAIN)
                own = self.overlay.get(tensor)
                there = tuple(file.get_slice(tensor).get_shape()) if own is None else own.shape
                if there != shape:
                    problem = f"{tensor[:80]!r} is {there}; the symbols take {shape}"
                    raise ModelError(problem, place=str(path), remedy=_AGAIN)
                value = file.get_tensor(tensor) if own is None else own
                found[tensor] = np.asarray(value, np.float32, "C")  # a number stays one
        return found

    def tensor(self, network: str, name: str) -> np.ndarray:
        """One tensor of a network's parameters, float32, whether or not its graph asks for it."""
        if name in self.overlay:
            return self.overlay[name].astype(np.float32)
        path = self.parameters_file(network)
        with _opened(path) as file:
            if name not in file.keys():  # noqa: SIM118 (not a dict)
                raise ModelError(f"lacks the tensor {name[:80]!r}", place=str(path), remedy=_AGAIN)
            return np.asarray(file.get_tensor(name), dtype=np.float32)

    @cached_property
    def _checked(self) -> set[str]:
        return set()

    def _read(self, file: str, sha256: str, largest: int) -> bytes:
        path = self.folder / file
        data = read_bounded(path, largest)
        if hashlib.sha256(data).hexdigest() != sha256:
            problem = "is not the file that the addon was made with (its checksum differs)"
            raise ModelError(problem, place=str(path), remedy=_AGAIN)
        return data


def open_addon(folder: str | Path) -> Addon:
    """Read an addon's addon.json.

    Raises:
        ModelError: There is none; or it is damaged, of another format, has unknown keys, or names what can't be.
    """
    folder = Path(folder)
    path = folder / NAME
    if not folder.is_dir() or not path.is_file():
        raise ModelError("is no addon: it has no addon.json", place=str(folder), remedy="give an addon's folder")
    try:
        data: Any = parse_json(read_bounded(path, SETTINGS_BYTES))
    except ValueError:
        raise ModelError("is not JSON, or is damaged", place=str(path), remedy=_AGAIN) from None
    return Addon(folder, parse(data, str(path)))


def parse(data: Any, place: str) -> AddonConfig:
    """addon.json's content, checked; raises as `open_addon`."""
    if not isinstance(data, dict) or "format" not in data:
        raise ModelError("describes no addon", place=place, remedy=_AGAIN)
    if data["format"] != FORMAT:
        problem = f"has format {str(data['format'])[:20]}; this ptx reads {FORMAT}"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it, or export it again")
    try:
        return load_config(AddonConfig, data, place).check(place)
    except UsageError as error:
        raise ModelError(error.problem, place=place, remedy=_AGAIN) from None


def read_bounded(path: Path, largest: int) -> bytes:
    """The bytes of a file of an addon, if there are not too many; ModelError where it can't be read.

    A link that leads out of the folder is none of the addon's files.
    """
    if not os.path.lexists(path):
        raise ModelError("is missing", place=str(path), remedy=_AGAIN)
    if path.resolve().parent != path.parent.resolve():
        raise ModelError("leads out of the addon's folder", place=str(path), remedy="put the file itself there")
    return read_bytes(path, largest, ModelError, _AGAIN)


def _opened(path: Path) -> Any:
    """A safetensors file for numpy; its header's sizes are compared with the file's by the library."""
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(str(path), "np")
    except (SafetensorError, OSError, ValueError):
        raise ModelError("is not a safetensors file, or is damaged", place=str(path), remedy=_AGAIN) from None
