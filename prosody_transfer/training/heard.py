"""Phones as the recogniser hears them, for a decoder that is to speak what was only heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from prosody_transfer.alignment.recognise import means_over_phones, phone_posteriors
from prosody_transfer.features.cache import Utterance
from prosody_transfer.store.weights import load_network
from prosody_transfer.training.perturb import perturb_mel

WARP = 0.2
TIMES = 2  # perturbed, where it has learnt from the same recordings: those it hears too well
TIMES_UNMET = 0  # where it has never met the speaker: as in use


def heard_phones(
    recognisers: str | Sequence[str], utterances: Sequence[Utterance], speakers: Sequence[str], seed: int = 0
) -> list[np.ndarray]:
    """Of each utterance (P, V) float16: a recogniser's posterior, averaged over each aligned phone's frames.

    Args:
        recognisers: Checkpoints; "shipped" for the one that ships. Of several, a speaker is heard by the first that
            `leave_out` of its training names; where there is none, by the first of all.
        speakers: Whose each utterance is.

    Raises:
        ModelError: One is missing, damaged or of another kind.
    """
    paths = [recognisers] if isinstance(recognisers, str) else recognisers
    loaded = [load_network("recogniser", None if path == "shipped" else path) for path in paths]
    known: dict[int, np.ndarray] = {}  # a recording that a config names twice is in memory once
    for number, (utterance, speaker) in enumerate(zip(utterances, speakers, strict=True)):
        if id(utterance) in known:
            continue
        unmet = [network for network, header in loaded if speaker in header.get("task", {}).get("leave_out", ())]
        network, times = (unmet[0], TIMES_UNMET) if unmet else (loaded[0][0], TIMES)
        rng, mel = np.random.default_rng([seed, number]), utterance.features.mel
        for _ in range(times):
            mel = perturb_mel(mel, rng, warp=WARP)
        posteriors = phone_posteriors(network, replace(utterance.features, mel=mel))
        known[id(utterance)] = means_over_phones(posteriors, utterance.durations).astype(np.float16)
    return [known[id(utterance)] for utterance in utterances]
