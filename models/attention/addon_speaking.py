"""The attention model as an addon that says plans."""

from __future__ import annotations

import numpy as np

from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.models.attention.pieces import doubts_of, told_of_piece
from prosody_transfer.synthesis.addons import AddonAcoustic
from prosody_transfer.synthesis.plan import PlannedPhones, ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.target_voice import TargetVoice


class AttentionAddon(AddonAcoustic):
    """See `AddonAcoustic`; phones are told how the source said them."""

    def more(
        self, voice: TargetVoice, plan: ProsodyPlan, settings: TransferSettings, number: int, at: np.ndarray
    ) -> Tensors:
        phones, frames = plan.split()[number]
        return {"told": told_of_piece(plan, phones, frames, settings)[None]}

    def doubts(self, found: Tensors, phones: PlannedPhones) -> tuple[str, ...]:
        return doubts_of(found["attended"][0].T, 1, phones)
