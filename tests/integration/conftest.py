"""The shipped addons, opened once: their sessions are what takes time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from prosody_transfer.integration import Layer, Networks, build_layer, open_addon
from prosody_transfer.store.weights import shipped


@pytest.fixture(scope="session")
def networks() -> dict[str, Networks]:
    """By shapes: the acoustic model's and the vocoder's networks on ONNX Runtime."""
    addons = [open_addon(shipped(kind).parent) for kind in ("copycat", "vocoder")]
    return {shapes: Networks(addons, "onnx", shapes=shapes) for shapes in ("dynamic", "fixed")}  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def layer(networks: dict[str, Networks]) -> Callable[..., Layer]:
    def build(stack: Sequence[Any] | None = None, chunk_frames: int = 32, shapes: str = "dynamic") -> Layer:
        return build_layer([], stack, networks=networks[shapes], chunk_frames=chunk_frames, frames_given=True)

    return build
