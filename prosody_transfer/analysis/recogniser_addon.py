"""The phone recogniser on any runtime: it hears without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.integration import Networks, open_addon
from prosody_transfer.store.weights import shipped


class AddonRecogniser:
    """The shipped recogniser as an addon, with what `alignment.recognise` asks of a network.

    Args:
        options: "runtime", "provider" and "shapes" of `integration.Networks`; ONNX Runtime on the CPU if None.
    """

    class Config(NamedTuple):
        mel: MelConfig

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        addon = open_addon(shipped("recogniser").parent)
        self.handle = Networks([addon], **(options or {})).handle("recogniser")
        assert addon.config.features is not None
        self.config = self.Config(addon.config.features)
        self.bigram = addon.tensor("recogniser", "bigram")

    def posteriors(self, mel: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
        """(M, T) log-mel and which frames count for the means, (T,) or None for all -> (T, V), distributions."""
        real = np.ones((1, mel.shape[1]), bool)
        told = real if counted is None else counted[None]
        logits = self.handle.run({"mel": mel[None], "mask": real, "counted": told})["logits"][0].T
        return distributions(logits)


def distributions(logits: np.ndarray) -> np.ndarray:
    """(T, V) logits -> (T, V), each row a distribution."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))
