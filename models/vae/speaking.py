"""A sentence, and the vector of the training sentence that it is said with."""

from __future__ import annotations

from typing import Any

import numpy as np

from prosody_transfer.models.utterance.speaking import Told, bank_of, contours, embed, in_manner, lengths
from prosody_transfer.selection.bank import select
from prosody_transfer.selection.described import describe
from prosody_transfer.text.prosody_tokens import Tokens
from prosody_transfer.text.spoken import SpokenSentence

__all__ = ["condition", "contours", "embed", "in_manner", "lengths"]


def condition(
    network: Any, tokens: Tokens, sentence: SpokenSentence, option: str, rng: np.random.Generator
) -> Told:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`."""
    asked = None if sentence.read is None else describe(sentence.read)
    return Told(tokens, select(bank_of(network), option, asked, rng))
