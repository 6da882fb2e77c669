"""The user's voices, made ready to speak with the acoustic model that is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import ModelError, PtxError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.features.sharpen import USUAL
from prosody_transfer.store.voice_folder import UserVoice, checksum, read_arrays, read_voice, read_weights
from prosody_transfer.store.voices import user_voices
from prosody_transfer.synthesis.target_voice import TargetVoice


class UserVoices:
    """Reads a voice when it is asked for, so that one added later is found too; keeps its network.

    Args:
        network: The acoustic model.
        model: The checkpoint that it came from.
        voices: The folder of the user's voices; None for the usual one.
    """

    def __init__(self, network: Any, model: str | Path, voices: str | Path | None = None) -> None:
        self.network, self.model, self.folder = network, Path(model), voices
        self._networks: Shared[dict[str, Any]] = Shared(dict)  # by checksum of their weights

    def names(self) -> list[str]:
        """All of them, also those that can't speak."""
        return user_voices(self.folder)

    def known(self) -> dict[str, dict[str, Any]]:
        """What a checkpoint knows of its own voices, of those that can speak with this model, by name."""
        found = {}
        for name in self.names():
            try:
                record = self.read(name).record
            except PtxError:
                continue
            phones = list(record.phone_log_frames)
            found[name] = {"log_f0_median": record.log_f0_median, "phone_log_frames": phones}
        return found

    def facts(self, name: str, credit: str) -> dict[str, Any]:
        """What decides how a voice sounds and what is said of it; raises as `read`."""
        if name in self.network.config.speakers:
            return {"name": name, "credit": credit}
        record = self.read(name).record
        sounds = (record.weights, record.base, record.log_f0_median, record.phone_log_frames, record.sharpening)
        return {"name": name, "credit": credit, "sounds": sounds}

    def read(self, name: str) -> UserVoice:
        """One that may speak, and can with this model.

        Raises:
            UsageError: There is none of that name, or its speaker's consent has ended.
            ModelError: It is damaged, or was made for another model.
        """
        own = read_voice(name, self.folder).allowed()
        if own.record.base != checksum(self.model):
            problem = f"was made for another acoustic model ({own.record.base[:12]}) than {self.model.name}"
            raise ModelError(problem, place=str(own.folder), remedy="add it again, or give its --model")
        return own

    def voice(self, name: str) -> TargetVoice:
        """What the decoder needs to speak it; raises as `read`."""
        own = self.read(name)
        phones = np.array(own.record.phone_log_frames)
        if len(phones) != self.network.config.n_phones:
            raise ModelError("knows other phones than the model", place=str(own.folder), remedy="add it again")
        with self._networks.use() as networks:
            if own.record.weights not in networks:
                networks[own.record.weights] = self._adapted(own)
            made = networks[own.record.weights]
        sharpening = own.record.sharpening or USUAL
        row = (made.rows if hasattr(made, "rows") else made.speaker_table.num_embeddings) - 1
        return TargetVoice(name, row, own.record.log_f0_median, phones, made, sharpening)

    def _adapted(self, own: UserVoice) -> Any:
        """The acoustic model with a voice's own tensors."""
        place = str(own.folder)
        if hasattr(self.network, "adapted"):  # an addon: without torch
            return self.network.adapted(read_arrays(own)[0], place)
        from prosody_transfer.store.voice_network import adapted

        return adapted(self.network, read_weights(own)[0], place)
