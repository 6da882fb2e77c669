"""CopyCat's latent alone as an addon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_transfer.models.copycat.parts import parts, stack_of
from prosody_transfer.models.copycat_latent.network import CopyCatLatent

__all__ = ["addon", "parts"]


def addon(network: CopyCatLatent, header: Mapping[str, Any]) -> dict[str, Any]:
    """How its components are wired."""
    return stack_of("Upsampler", "LatentProsody", "GuidedDecoder", "Sharpener")
