"""What stands before the decoder where the embedding alone carries prosody."""

from __future__ import annotations

import numpy as np

from prosody_transfer.integration.components import register
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.models.copycat.components import OwnProsody


@register("LatentProsody")
class LatentProsody(OwnProsody):
    """Melody and voicing as the decoder itself predicts them from the embedding; the source's are not looked at."""

    def _told(self, chunk: Tensors, own: Tensors, sequence: Tensors) -> Tensors:
        alone = {"pitch_kept": np.zeros(1, np.float32), "strength": np.ones(1, np.float32)}
        return super()._told(chunk, own, {**sequence, **alone})
