"""The kinds of network that addons are made of: how each is loaded, taken apart and described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration.schema import AddonConfig, Network
from prosody_transfer.store.header import read_shapes

_COPYCAT_STACK = [
    {
        "type": "StreamablePipeline",
        "sequence_block": {"type": "Encoders"},
        "streamable_block": {
            "type": "StreamableStack",
            "stack": [
                {"type": "Upsampler"}, {"type": "OwnProsody"}, {"type": "EasedEnergy"}, {"type": "GuidedDecoder"},
                {"type": "Sharpener"},
            ],
        },
    }
]  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of network.

    Attributes:
        name: As checkpoints call it.
        module: Under `prosody_transfer.models`; its `parts` gives the networks of an addon.
        stack: Of its addons.
        licence: Of the shipped parameters.
    """

    name: str
    stack: tuple[dict[str, Any], ...] = ()
    licence: str = "Apache-2.0"

    def parts(self, network: Any) -> dict[str, Any]:
        """Its networks, each a `models.parts.Part`."""
        return import_module(f"prosody_transfer.models.{self.name}.parts").parts(network)  # type: ignore[no-any-return]

    def describe(
        self, network: Any, header: Mapping[str, Any], networks: dict[str, Network], licence: str | None
    ) -> AddonConfig:
        """Its addon.json; the latency is filled in later."""
        config = network.config
        data: dict[str, Any] = {
            "kind": self.name, "features": config.mel.to_dict() if hasattr(config, "mel") else None,
            "networks": {name: part.to_dict() for name, part in networks.items()}, "format": 1,
            "licence": licence or self.licence, "stack": list(self.stack),
        }  # fmt: skip
        if self.name == "tracker":
            data["settings"] = {"spectrum": config.spectrum.to_dict(), "energy_scale_db": network.energy_scale_db}
        if self.name == "vocoder":
            data["stack"] = [{"type": "Vocoder", "matching": config.matching}]
        if self.name in ("copycat", "recogniser"):
            from prosody_transfer.text.phones import PHONES

            data["phones"] = list(PHONES)
        if self.name == "copycat":
            data |= {"voices": voices_of(header, config.speakers), "latent_unit": config.latent_unit}
        return load_config(AddonConfig, data, self.name)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("copycat", tuple(_COPYCAT_STACK)), Kind("vocoder", ({"type": "Vocoder"},)), Kind("recogniser"),
        Kind("tracker"), Kind("verifier"),
    )
}  # fmt: skip


def kind_of(checkpoint: str | Path) -> Kind:
    """What a checkpoint holds, read from its header.

    Raises:
        ModelError: It is missing, damaged, or of no kind that addons are made of.
    """
    place = str(checkpoint)
    name = read_shapes(checkpoint).metadata.get("kind", "")
    if name not in KINDS:
        known = ", ".join(KINDS)
        raise ModelError(f"holds a {name[:40]!r}", place=place, remedy=f"give a checkpoint of one of: {known}")
    return KINDS[name]


def load_kind(name: str, path: str | Path) -> tuple[Any, dict[str, Any]]:
    """A network with its parameters, for torch, and its checkpoint's header; ModelError as `load_network`."""
    from prosody_transfer.store.weights import load_network

    return load_network(name, path)


def voices_of(header: Mapping[str, Any], speakers: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """What a checkpoint's header says of its voices, as `AddonVoice` has it."""
    known = header.get("voices", {})
    kept = ("log_f0_median", "phone_log_frames", "sharpening")
    return {
        name: {"row": row, **{key: known[name][key] for key in kept if key in known[name]}}
        for row, name in enumerate(speakers)
        if name in known
    }
