"""How much detail of each voice an acoustic model loses, measured once it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from prosody_transfer.features.cache import Utterance
from prosody_transfer.features.sharpen import lost_detail
from prosody_transfer.models.copycat.network import MEL_FLOOR, CopyCat
from prosody_transfer.models.copycat.self_transfer import self_transfer
from prosody_transfer.store.checkpoint import load_into

UTTERANCES = 12  # of a voice: another twelve give amounts within .02


def measure_sharpening(
    network: CopyCat, utterances: Sequence[tuple[Utterance, str]], row: int, level: float, seed: int = 0
) -> tuple[float, float]:
    """The voice's `sharpening`: some of its recordings are said again, see `features.sharpen.lost_detail`.

    Args:
        utterances: Recordings of one speaker, and what is said in each.
        row: The speaker's row in the network's table.
        level: ln Hz, the speaker's median F0.
    """
    chosen = np.random.default_rng(seed).permutation(len(utterances))[:UTTERANCES]
    recordings = [utterances[int(i)] for i in chosen]
    return lost_detail(
        (np.maximum(u.features.mel, MEL_FLOOR), self_transfer(network, u, row, level, text), u.features.energy_db)
        for u, text in recordings
    )


def add_sharpening(task: Any, weights: dict[str, Tensor], voices: dict[str, dict[str, Any]]) -> None:
    """Write `sharpening` into what is known of each voice, with the weights that a training ended with."""
    network = task.network_class(task.config)
    load_into(network, weights, "the averaged weights")
    network.eval().to(task.device)
    for row, name in enumerate(task.config.speakers):
        known = zip(task.corpus.utterances, task.corpus.texts, task.corpus.speakers, strict=True)
        own = [(u, text) for u, text, speaker in known if speaker == name]
        if own:
            voices[name]["sharpening"] = measure_sharpening(network, own, row, voices[name]["log_f0_median"])
