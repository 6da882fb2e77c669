"""Vocoders by name or file: the shipped weights, a user's ptx or Vocos checkpoint, or Griffin-Lim."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.store.header import FORMAT, Shapes, read_shapes
from prosody_transfer.store.pickled import read_pickled
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
        return _vocos(read_pickled(path), path)
    if path.suffix != ".safetensors":
        raise ModelError(f"is of an unknown kind {path.suffix!r}", place=str(path), remedy=_KINDS)
    found = read_shapes(path)
    return _ptx(path) if found.metadata.get("format") == FORMAT else _vocos(_read_foreign(path, found.shapes), path)


def _ptx(path: Path) -> LoadedVocoder:
    network, _ = load_network("vocoder", path)
    return LoadedVocoder(network, network.config.mel, "ptx")


def _vocos(tensors: dict[str, Tensor], path: Path) -> LoadedVocoder:
    from prosody_transfer.models.vocoder.vocos import vocos_from_state

    mel = MelConfig()
    return LoadedVocoder(vocos_from_state(tensors, mel, str(path)), mel, "vocos")


def _read_foreign(path: Path, shapes: Shapes) -> dict[str, Tensor]:
    """The tensors of a safetensors file that ptx has not written, if they could be those of a Vocos."""
    from safetensors import SafetensorError, safe_open

    from prosody_transfer.models.vocoder.vocos import PARTS, vocos_settings

    vocos_settings(shapes, MelConfig(), str(path))
    try:
        with safe_open(str(path), "pt") as file:
            return {name: file.get_tensor(name) for name in shapes if name.startswith(PARTS)}
    except (SafetensorError, OSError, ValueError):
        raise ModelError("is not a safetensors file, or is damaged", place=str(path), remedy="fetch it again") from None
