"""The learned pitch tracker on ONNX Runtime: it hears without torch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prosody_transfer.core.config import load_config
from prosody_transfer.integration import Networks, open_addon
from prosody_transfer.models.tracker.spectrum import SpectrumConfig, listen
from prosody_transfer.store.weights import shipped


class TrackerAddon:
    """The learned tracker on ONNX Runtime, as `features.learned_pitch.hear_pitch` takes its network."""

    class Config(NamedTuple):
        spectrum: SpectrumConfig

    def __init__(self) -> None:
        addon = open_addon(shipped("tracker").parent)
        self.handle = Networks([addon]).handle("tracker")
        settings = addon.config.settings
        self.config = self.Config(load_config(SpectrumConfig, settings["spectrum"], addon.place))
        self.energy_scale_db = float(settings["energy_scale_db"])

    def listen(self, signal: np.ndarray, n_frames: int, chunk_frames: int = 2048) -> np.ndarray:
        """See `models.tracker.network.Tracker.listen`."""

        def run(seen: np.ndarray) -> np.ndarray:
            return self.handle.run({"spectrum": seen[None], "mask": np.ones((1, seen.shape[1]), bool)})["heard"][0]

        return listen(run, self.config.spectrum, self.handle.spec.reach["T"], signal, n_frames, chunk_frames)
