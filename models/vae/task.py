"""Training it, and filling its bank."""

from __future__ import annotations

from prosody_transfer.models.utterance.task import UtteranceTask
from prosody_transfer.models.vae.network import Vae


class VaeTask(UtteranceTask):
    """The utterance's encoder and predictors; see `UtteranceTask`."""

    kind, network_class = "vae", Vae
