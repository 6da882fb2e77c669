"""The predictors at work on the tokens of one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from prosody_transfer.models.camp.network import CampInputs
from prosody_transfer.synthesis.speaking.predicted import Contours, Lengths
from prosody_transfer.text.prosody_tokens import Tokens
from prosody_transfer.text.spoken import SpokenSentence

ENERGY_SCALE_DB = 10.0
RANGE = 1.2  # what the melody is stretched by about the level: see CARD.md


def _inputs(network: Any, tokens: Tokens, voice: str, level: float, pace: float) -> CampInputs:
    speakers = network.config.speakers
    row = speakers.index(voice) if voice in speakers else -1
    return CampInputs(
        torch.from_numpy(tokens.classes)[None], torch.from_numpy(tokens.numbers)[None],
        torch.ones(1, tokens.classes.shape[1], dtype=torch.bool), torch.tensor([row]),
        torch.tensor([level], dtype=torch.float32), torch.tensor([pace], dtype=torch.float32),
    )  # fmt: skip


def condition(
    network: Any, tokens: Tokens, sentence: SpokenSentence, option: str, rng: np.random.Generator
) -> Tokens:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`; the tokens say it all."""
    return tokens


def lengths(network: Any, tokens: Tokens, voice: str, level: float, pace: float = 0.0) -> Lengths:
    """See `synthesis.speaking.predicted.TextProsody`."""
    with torch.inference_mode():
        said = network.timing(_inputs(network, tokens, voice, level, pace))
    log_frames, logit, log_pause = (t[0].float().numpy() for t in said)
    frames = np.exp(np.clip(np.where(tokens.is_gap, log_pause, log_frames), -1.0, 6.0))
    return Lengths(frames, np.where(tokens.is_gap, 1 / (1 + np.exp(-logit)), 1.0))


def contours(
    network: Any, tokens: Tokens, frames: np.ndarray, voice: str, level: float, pace: float = 0.0
) -> Contours:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`."""
    with torch.inference_mode():
        said = network.melody(_inputs(network, tokens, voice, level, pace), torch.from_numpy(frames)[None])
    log_f0, logit, energy = (t[0].float().numpy() for t in said)
    return Contours(RANGE * log_f0, 1 / (1 + np.exp(-logit)), energy * ENERGY_SCALE_DB)
