"""A recording said again in its own voice, by the network that is trained on that."""

from __future__ import annotations

import numpy as np
import torch

from prosody_transfer.analysis.phone_words import words_of_phones
from prosody_transfer.features.cache import Utterance
from prosody_transfer.models.copycat.inputs import ENERGY_SCALE_DB, F0_SCALE, PhoneInputs, ProsodyInputs
from prosody_transfer.models.copycat.network import CopyCat


def self_transfer(
    network: CopyCat, utterance: Utterance, row: int, level: float, text: str = ""
) -> np.ndarray:  # fmt: skip
    """The mel, (M, T), of a recording said again in its own voice: phones, prosody and latent are its own.

    Args:
        row: The speaker's row in the network's table.
        level: ln Hz, the speaker's median F0.
        text: What is said; a network with an embedding a word needs it.
    """
    words = words_of_phones(utterance.phones, text) if network.config.latent_unit == "word" else None
    features = utterance.features
    size = features.n_frames
    batch = lambda values, kind=torch.float32: torch.from_numpy(np.asarray(values))[None].to(kind)
    phones = PhoneInputs(
        torch.eye(network.config.n_phones)[utterance.phones.astype(np.int64)][None],
        batch(utterance.stress, torch.long), batch(utterance.durations, torch.long),
        torch.ones(1, len(utterance.phones), dtype=torch.bool), None if words is None else batch(words, torch.long),
    )  # fmt: skip
    log_f0, energy = batch((features.log_f0 - level) / F0_SCALE), batch(features.energy_db / ENERGY_SCALE_DB)
    prosody = ProsodyInputs(log_f0, batch(features.voiced), energy, torch.ones(1, 3))
    device = network.unknown_source.device
    mask = torch.ones(1, size, dtype=torch.bool, device=device)
    with torch.inference_mode():
        up, position = network.expand(phones.to(device), size)
        heard = batch(features.mel).to(device)
        units = network.units(phones.to(device), size)
        posterior = network.encode_reference(heard, mask, up, torch.zeros(1, device=device), units)
        latent = network.spread(posterior.mean, size, units)
        target = torch.tensor([row], device=device), torch.tensor([level], device=device)
        return network.decode(up, position, mask, prosody.to(device), latent, *target).mel[0].cpu().numpy()
