"""Vocoders by name or file: the shipped weights, a user's ptx or Vocos checkpoint, or Griffin-Lim."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.store.checkpoint import FORMAT
from prosody_transfer.store.weights import load_network, shipped

if TYPE_CHECKING:
    from torch import Tensor

    from prosody_transfer.models.blocks import Block

GRIFFIN_LIM = "griffin-lim"
_KINDS = "give a ptx or Vocos checkpoint (.safetensors, .bin, .pt, .ckpt), or griffin-lim"


class LoadedVocoder(NamedTuple):
    """A vocoder ready to run: `network.forward(Frames)` takes (B, n_mels + 2, T) and gives (B, 1, T * hop_length).

    Attributes:
        network: In evaluation mode, on the CPU.
        mel: The features it was made for.
        name: "ptx", "vocos" or "griffin-lim", for reports.
    """

    network: Block
    mel: MelConfig
    name: str


def load_vocoder(which: str | Path | None = None) -> LoadedVocoder:
    """Load a vocoder.

    Args:
        which: None for the shipped weights, "griffin-lim" for the one without weights, or the path of a checkpoint: of
            ptx (.safetensors), or of the public Vocos mel 24 kHz model (.safetensors; .bin, .pt, .pth or .ckpt, which
            are read without running any code in them).

    Raises:
        ModelError: There is no such file, or it is damaged, of another kind, or made for other features.
    """
    if which is not None and str(which) == GRIFFIN_LIM:
        from prosody_transfer.models.vocoder.griffin_lim import GriffinLim
        from prosody_transfer.models.vocoder.mel_vocoder import htk_filterbank

        mel = MelConfig()
        return LoadedVocoder(GriffinLim(mel, htk_filterbank(mel)).eval(), mel, GRIFFIN_LIM)
    path = shipped("vocoder") if which is None else Path(which)
    if not os.path.isfile(path):
        if which is None:
            raise ModelError(
                "the shipped vocoder is missing", place=str(path), remedy=f"install ptx again, or use {GRIFFIN_LIM}"
            )
        raise ModelError("no such vocoder", place=str(path), remedy=_KINDS)
    if path.suffix in (".bin", ".pt", ".pth", ".ckpt"):
        return _vocos(_read_pickled(path), path)
    if path.suffix != ".safetensors":
        raise ModelError(f"is of an unknown kind {path.suffix!r}", place=str(path), remedy=_KINDS)
    plain = _read_foreign(path)
    return _ptx(path) if plain is None else _vocos(plain, path)


def _ptx(path: Path) -> LoadedVocoder:
    network, _ = load_network("vocoder", path)
    return LoadedVocoder(network, network.config.mel, "ptx")


def _vocos(tensors: dict[str, Tensor], path: Path) -> LoadedVocoder:
    from prosody_transfer.models.vocoder.vocos import vocos_from_state

    mel = MelConfig()
    return LoadedVocoder(vocos_from_state(tensors, mel, str(path)), mel, "vocos")


def _read_foreign(path: Path) -> dict[str, Tensor] | None:
    """The tensors of a safetensors file that ptx has not written; None when it has."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "pt") as file:
            if (file.metadata() or {}).get("format") == FORMAT:
                return None
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError):
        raise ModelError("is not a safetensors file, or is damaged", place=str(path), remedy="fetch it again") from None


def _read_pickled(path: Path) -> dict[str, Tensor]:
    """A state dict from a PyTorch file, read with `weights_only`, so that nothing in the file is run."""
    import torch

    data: Any
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds here; none of them is a user's business
        problem = f"cannot be read as weights ({type(error).__name__})"
        raise ModelError(problem, place=str(path), remedy="fetch it again, or convert it to .safetensors") from None
    if isinstance(data, dict) and isinstance(data.get("state_dict"), dict):  # a training checkpoint
        data = data["state_dict"]
    if not isinstance(data, dict):
        raise ModelError("holds no state dict", place=str(path), remedy=_KINDS)
    return {str(k): v for k, v in data.items() if isinstance(v, torch.Tensor)}
