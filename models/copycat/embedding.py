"""The prosody embedding of a source: what CopyCat's reference encoder says of how it was said."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.features.extract import Features
from prosody_transfer.models.copycat.inputs import PhoneInputs
from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedPhones, pieces_of, word_numbers
from prosody_transfer.text.phones import PHONES


def phone_inputs(phones: PlannedPhones, durations: np.ndarray | None = None) -> PhoneInputs:
    """A batch of one for the phone encoder; heard phones go in as posteriors, without stress.

    Args:
        durations: (P,) frames, in the place of the plan's own.
    """
    if phones.posteriors is not None and phones.posteriors.any():
        values = torch.from_numpy(phones.posteriors)
        stress = torch.zeros(len(values), dtype=torch.long)
    else:
        values = torch.eye(len(PHONES))[phones.ids]
        stress = torch.from_numpy(phones.stress)
    numbers = word_numbers(phones.words)
    return PhoneInputs(
        values[None],
        stress[None].long(),
        torch.from_numpy(np.asarray(phones.durations if durations is None else durations))[None].long(),
        torch.ones(1, len(values), dtype=torch.bool),
        None if numbers is None else torch.from_numpy(numbers)[None],
    )


def embedding_steps(network: Any, features: Features, phones: PlannedPhones) -> tuple[Tensor, Tensor | None]:
    """The prosody embedding of a piece step by step, (1, D, T'): the posterior's mean; and `CopyCat.units`."""
    device = network.speaker_table.weight.device
    with torch.inference_mode():
        inputs = phone_inputs(phones).to(device)
        up, _ = network.expand(inputs, features.n_frames)
        units = network.units(inputs, features.n_frames)
        mel = torch.from_numpy(features.mel)[None].to(device)
        mask = torch.ones(1, features.n_frames, dtype=torch.bool, device=device)
        return network.encode_reference(mel, mask, up, torch.zeros(1, device=device), units).mean, units


def embed(network: Any, analysis: Analysis, model: str = "") -> PlannedEmbedding:
    """The embedding of an analysed source, by the acoustic model that is to speak it.

    Args:
        model: Checksum of its checkpoint.
    """
    steps = [embedding_steps(network, f, phones)[0][0].cpu().numpy() for f, _, phones in pieces_of(analysis)]
    config = network.config
    size = config.temporal_downsampling if config.latent_unit == "frames" else 0
    return PlannedEmbedding(tuple(steps), "steps", model, size)


def on_frames(network: Any, embedding: PlannedEmbedding, number: int, phones: PlannedPhones, n_frames: int) -> Tensor:
    """The embedding of one piece on its frames, (1, D, T)."""
    steps = torch.from_numpy(embedding.steps[number])[None].to(network.speaker_table.weight.device)
    if embedding.level == "frames":
        return steps
    units = network.units(phone_inputs(phones).to(steps.device), n_frames)
    return network.spread(steps, n_frames, units)  # type: ignore[no-any-return]
