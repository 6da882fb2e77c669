"""Phones as the recogniser hears them, for a decoder that is to speak what was only heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from prosody_transfer.alignment.recognise import means_over_phones, phone_posteriors
from prosody_transfer.features.cache import Utterance
from prosody_transfer.store.weights import load_network
from prosody_transfer.training.perturb import perturb_mel

WARP = 0.2
TIMES = 2  # perturbed: it hears its own training recordings too well


def heard_phones(recogniser: str | Path, utterances: Sequence[Utterance], seed: int = 0) -> list[np.ndarray]:
    """Of each utterance (P, V) float16: the recogniser's posterior, averaged over each aligned phone's frames.

    Args:
        recogniser: A checkpoint; "shipped" for the one that ships.

    Raises:
        ModelError: It is missing, damaged or of another kind.
    """
    network, _ = load_network("recogniser", None if recogniser == "shipped" else recogniser)
    known: dict[int, np.ndarray] = {}  # a recording that a config names twice is in memory once
    for number, utterance in enumerate(utterances):
        if id(utterance) in known:
            continue
        rng, mel = np.random.default_rng([seed, number]), utterance.features.mel
        for _ in range(TIMES):
            mel = perturb_mel(mel, rng, warp=WARP)
        posteriors = phone_posteriors(network, replace(utterance.features, mel=mel))
        known[id(utterance)] = means_over_phones(posteriors, utterance.durations).astype(np.float16)
    return [known[id(utterance)] for utterance in utterances]
