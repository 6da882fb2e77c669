"""The predictors at work on the tokens of one sentence: torch's network, or an addon on any runtime."""

from __future__ import annotations

from typing import Any

import numpy as np

from prosody_transfer.models.camp.components import ENERGY_SCALE_DB, HIGHEST_LOG, LOWEST_LOG, RANGE
from prosody_transfer.synthesis.speaking.predicted import Contours, Lengths
from prosody_transfer.text.prosody_tokens import Tokens
from prosody_transfer.text.spoken import SpokenSentence


def _run(
    network: Any, part: str, tokens: Tokens, voice: str, level: float, pace: float, **more: np.ndarray
) -> list[np.ndarray]:
    """What a part gives for one sentence, in the order of its outputs."""
    speakers = network.config.speakers
    row = speakers.index(voice) if voice in speakers else -1
    unknown = np.zeros((_told(network) - len(tokens.numbers), tokens.numbers.shape[1]), np.float32)
    given = {
        "classes": tokens.classes[None].astype(np.int64), "numbers": np.concatenate([tokens.numbers, unknown])[None],
        "mask": np.ones((1, tokens.classes.shape[1]), bool), "voice": np.array([row]),
        "level": np.array([level], np.float32), "pace": np.array([pace], np.float32), **more,
    }  # fmt: skip
    if hasattr(network, "run"):  # an addon
        return [value[0] for value in network.run(part, given).values()]
    import torch

    from prosody_transfer.models.camp.parts import parts

    asked = parts(network)[part]
    with torch.inference_mode():
        found = asked.module(*(torch.from_numpy(given[port.name]) for port in asked.inputs))
    return [value[0].float().numpy() for value in found]


def _told(network: Any) -> int:
    """How many numbers a token has, see `network.CampConfig.told`."""
    if not hasattr(network, "run"):
        return int(network.config.told)
    ports = network.networks.handle("timing").spec.inputs
    return next(int(port.axes[1]) for port in ports if port.name == "numbers")


def condition(
    network: Any, tokens: Tokens, sentence: SpokenSentence, option: str, rng: np.random.Generator
) -> Tokens:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`; the tokens say it all."""
    return tokens


def lengths(network: Any, tokens: Tokens, voice: str, level: float, pace: float = 0.0) -> Lengths:
    """See `synthesis.speaking.predicted.TextProsody`."""
    log_frames, logit, log_pause = _run(network, "timing", tokens, voice, level, pace)
    frames = np.exp(np.clip(np.where(tokens.is_gap, log_pause, log_frames), LOWEST_LOG, HIGHEST_LOG))
    return Lengths(frames, np.where(tokens.is_gap, 1 / (1 + np.exp(-logit)), 1.0))


def contours(
    network: Any, tokens: Tokens, frames: np.ndarray, voice: str, level: float, pace: float = 0.0
) -> Contours:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`."""
    given = np.asarray(frames, np.int64)[None]
    log_f0, logit, energy = _run(network, "melody", tokens, voice, level, pace, frames=given)
    return Contours(RANGE * log_f0, 1 / (1 + np.exp(-logit)), energy * ENERGY_SCALE_DB)
