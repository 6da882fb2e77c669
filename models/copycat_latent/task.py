"""Self-transfer with the prosody embedding alone."""

from __future__ import annotations

import torch
from torch import Tensor

from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.copycat.task import CopyCatTask, grown
from prosody_transfer.models.copycat_latent.network import CopyCatLatent


class CopyCatLatentTaskConfig(CopyCatTaskConfig):
    """As CopyCat's. `start_from` may be a checkpoint of CopyCat too: what fits is taken, the rest begins anew.

    The adversary works, F0, which the vocoder speaks with, weighs more, and bands are moved little: where harmonics lie
    is all that the embedding can learn melody from.
    """

    drop_latent: float = 0.05
    capacity_bits: float = 120.0
    pitch_weight: float = 0.4
    adversary_weight: float = 0.02
    warp: float = 0.03


class CopyCatLatentTask(CopyCatTask):
    """See `CopyCatTask`."""

    kind, settings_class = "copycat-latent", CopyCatLatentTaskConfig
    network_class, ancestors = CopyCatLatent, ("copycat",)

    @staticmethod
    def fit(tensors: dict[str, Tensor], network: CopyCat) -> dict[str, Tensor]:
        """Weights with CopyCat's shapes for a network with another embedding; what is new of a layer begins at 0."""
        own = network.state_dict()
        fitted = {}
        for name, value in grown(tensors, network).items():
            wanted = own[name]
            if value.shape == wanted.shape:
                fitted[name] = value
            elif value.ndim > 1 and value.shape[0] == wanted.shape[0]:  # reads the latent: its last inputs are new
                shared = min(value.shape[1], wanted.shape[1]) - network.config.latent_channels
                shared = min(value.shape[1], shared) if shared > 0 else 0
                fitted[name] = torch.cat([value[:, :shared], 0.0 * wanted[:, shared:]], 1)
            else:  # gives the latent
                fitted[name] = wanted
        return fitted
