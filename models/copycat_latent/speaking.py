"""A plan and a voice -> mel and F0, all of the source's prosody from the embedding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from prosody_transfer.models.copycat.config import F0_SCALE
from prosody_transfer.models.copycat.embedding import embed, on_frames
from prosody_transfer.models.copycat.inputs import ProsodyInputs
from prosody_transfer.models.copycat.speaking import PieceDecoder, decode_pieces
from prosody_transfer.synthesis.acoustic import DecodedFrames
from prosody_transfer.synthesis.plan import ProsodyPlan
from prosody_transfer.synthesis.prosody import Rhythm, TransferSettings, shape_pitch
from prosody_transfer.synthesis.target_voice import TargetVoice

__all__ = ["decode_frames", "embed", "on_frames"]


class LatentDecoder(PieceDecoder):
    """Speaks with the melody and voicing that the decoder itself predicts."""

    eases_energy = False  # it is told none

    def _prosody(
        self, frames: slice, rhythm: Rhythm, silent: np.ndarray, decode: Any
    ) -> tuple[ProsodyInputs, np.ndarray, np.ndarray]:
        """What the decoder is given; the output's ln F0 above the voice's median, and voicing, (T,) each."""
        latent = "latent" in self.settings.keep and self.plan.embedding is not None
        own = self._own(decode, len(rhythm.source_frame), latent)
        contour = shape_pitch(own.log_f0[0].cpu().numpy() * F0_SCALE, self.settings)
        voiced = (own.voicing_logit[0].cpu().numpy() > 0) & ~silent
        zero = torch.zeros(1, len(contour))
        return ProsodyInputs(zero, zero, zero, torch.tensor([[0.0, 0.0, float(latent)]])), contour, voiced


def decode_frames(
    plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, network: Any
) -> Iterator[DecodedFrames]:  # fmt: skip
    """See `synthesis.acoustic.Speaking`."""
    return decode_pieces(LatentDecoder(network, voice, plan, settings))
