"""The utterance's variational encoder and what speaks by it, with a bank of training sentences."""

from __future__ import annotations

from prosody_transfer.models.utterance.network import Utterance, UtteranceConfig


class VaeConfig(UtteranceConfig):
    """As `UtteranceConfig`."""


class Vae(Utterance):
    """Prosody of a text from the sentence of a bank that is most like it.

    Source:
        Tyagi et al. 2020, Dynamic prosody generation for speech synthesis using linguistics-driven acoustic embedding
        selection; see `Utterance`, and `selection.bank` for how sentences are compared.
    """
