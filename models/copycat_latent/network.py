"""CopyCat whose decoder is told nothing of a source but its phones, their durations and the prosody embedding."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from prosody_transfer.models.copycat.inputs import ProsodyInputs
from prosody_transfer.models.copycat.network import CopyCat


class CopyCatLatent(CopyCat):
    """The reference encoder alone carries prosody, and the decoder predicts F0 and voicing for the vocoder.

    Source:
        Karlapati et al. 2020, CopyCat. As there, no contour goes in beside the latent. Differs from it as `CopyCat`
        does (no recurrent layers, a measured source-speaker vector), and in that durations stay those of the source
        and F0 is predicted beside the mel, relative to the voice's median, because our vocoder asks for it.
    """

    @staticmethod
    def decoder_inputs(
        phones_up: Tensor, position: Tensor, prosody: ProsodyInputs, latent: Tensor, level: Tensor
    ) -> Tensor:
        """As `CopyCat.decoder_inputs`; F0, voicing and energy are dropped, whatever `prosody` holds."""
        untold = torch.cat([prosody.keep[:, :2] * 0.0, prosody.keep[:, 2:]], 1)  # (B, 3)
        return CopyCat.decoder_inputs(phones_up, position, replace(prosody, keep=untold), latent, level)
