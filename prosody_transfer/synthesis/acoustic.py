"""What an acoustic model gives the synthesis: its speaking part, as `models.registry.Model.speaking` names it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.models import registry
from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedPhones, ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.target_voice import TargetVoice

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DecodedFrames:
    """Output frames of a piece: mel (M, T), log F0 (T,) ln Hz, voiced (T,) bool.

    `source_frame`: (T,) int, the piece's frame that each was taken from, where that is known. `doubts`: what the model
    itself found wrong, a line each, for the user.
    """

    mel: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    source_frame: np.ndarray | None = None
    doubts: tuple[str, ...] = ()


class Speaking(Protocol):
    """The speaking part of an acoustic model, a module or an object."""

    def embed(self, network: Any, analysis: Analysis, model: str = "") -> PlannedEmbedding | None:
        """The model's prosody embedding of an analysed source; None where it has none.

        Args:
            model: Checksum of its checkpoint.
        """

    def on_frames(
        self, network: Any, embedding: PlannedEmbedding, number: int, phones: PlannedPhones, n_frames: int
    ) -> Tensor:  # fmt: skip
        """The embedding of piece `number` on its frames, (1, D, T); only of models that have one."""

    def decode_frames(
        self, plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, network: Any
    ) -> Iterable[DecodedFrames]:  # fmt: skip
        """Mel and F0 of each piece of a plan in a voice, of `lengths` frames; one at a time, as they are asked for.

        Args:
            network: The acoustic model; `voice.network`, where there is one, takes its place.
        """


def speaking_of(network: Any) -> Speaking:
    """The speaking part of the model that a network is of; ModelError where there is none."""
    own = getattr(network, "speaking", None)  # an addon's
    return own if own is not None else registry.of(network).load("speaking")  # type: ignore[no-any-return]


def lengths(plan: ProsodyPlan, settings: TransferSettings) -> list[int]:
    """Frames of each piece in the output: the plan's, unless durations are scaled."""
    total = math.ceil(plan.n_frames * settings.duration_scale)  # never fewer frames than the samples need
    ends = [round(cut.stop * total / plan.n_frames) for _, cut in plan.split()]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
