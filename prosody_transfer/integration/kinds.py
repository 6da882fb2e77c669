"""The models that addons are made of: how each is loaded, taken apart and described. No kind is named here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration.schema import AddonConfig, Network
from prosody_transfer.models import registry
from prosody_transfer.models.registry import Model
from prosody_transfer.store.header import read_kind
from prosody_transfer.text.phones import PHONES

LICENCE = "Apache-2.0"  # of the shipped parameters
_VOICE = ("log_f0_median", "phone_log_frames", "sharpening")


def model_of(checkpoint: str | Path) -> Model:
    """The model that a checkpoint is of, read from its header.

    Raises:
        ModelError: It is missing, damaged, or of no kind that addons are made of.
    """
    name, known = read_kind(checkpoint), registry.exportable()
    if name not in known:
        remedy = f"give a checkpoint of one of: {', '.join(known)}"
        raise ModelError(f"holds a {name[:40]!r}", place=str(checkpoint), remedy=remedy)
    return registry.get(name)


def describe(
    model: Model, network: Any, header: Mapping[str, Any], networks: Mapping[str, Network], licence: str | None
) -> AddonConfig:
    """The addon.json of a network; the latency is filled in later.

    What its settings have of `mel`, `n_phones`, `speakers` and `latent_unit` is said by itself; the rest, such as the
    stack, by `Model.addon`.
    """
    config = network.config
    data: dict[str, Any] = {
        "kind": model.kind, "features": config.mel.to_dict() if hasattr(config, "mel") else None, "format": 1,
        "networks": {name: part.to_dict() for name, part in networks.items()}, "licence": licence or LICENCE,
    }  # fmt: skip
    if getattr(config, "n_phones", 0) == len(PHONES):
        data["phones"] = list(PHONES)
    if hasattr(config, "latent_unit"):
        data["latent_unit"] = config.latent_unit
    data["voices"] = voices_of(header, getattr(config, "speakers", ()))
    if model.addon:
        data |= model.load("addon")(network, header)
    return load_config(AddonConfig, data, model.kind)


def voices_of(header: Mapping[str, Any], speakers: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """What a checkpoint's header says of its voices, as `AddonVoice` has it."""
    known = header.get("voices", {})
    return {
        name: {"row": row, **{key: known[name][key] for key in _VOICE if key in known[name]}}
        for row, name in enumerate(speakers)
        if name in known
    }
