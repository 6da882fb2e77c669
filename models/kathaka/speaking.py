"""A sentence, and the vector that its words and parse predict: the mean, or a draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from prosody_transfer.core.errors import UsageError
from prosody_transfer.models.utterance.speaking import Told, contours, lengths, run
from prosody_transfer.selection.described import graph
from prosody_transfer.text.prosody_tokens import Tokens
from prosody_transfer.text.spoken import SpokenSentence

__all__ = ["condition", "contours", "lengths", "predict"]


def condition(
    network: Any, tokens: Tokens, sentence: SpokenSentence, option: str, rng: np.random.Generator
) -> Told:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`."""
    mean, deviation = predict(network, sentence)
    if option == "sampled":
        mean = mean + deviation * rng.standard_normal(len(mean)).astype(np.float32)
    return Told(tokens, mean)


def predict(network: Any, sentence: SpokenSentence) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the utterance's vector, (D,) each; UsageError where the sentence was not parsed."""
    if sentence.read is None:
        raise UsageError("was not parsed", place="sentence", remedy="analyse it with text.linguistics")
    vectors, tags, arcs = graph([sentence.read])
    given = {
        "vectors": vectors.T[None], "tags": tags[None], "arcs": arcs[None], "word_mask": np.ones((1, len(tags)), bool)
    }  # fmt: skip
    mean, log_variance = run(network, _parts, "sampler", given)
    return mean, np.exp(log_variance / 2)


def _parts(network: Any) -> Any:
    from prosody_transfer.models.kathaka.parts import parts

    return parts(network)
