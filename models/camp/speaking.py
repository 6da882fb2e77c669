"""The predictors at work on the tokens of one sentence: torch's network, or an addon on any runtime."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from prosody_transfer.analysis.readings import Reading
from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.camp.components import ENERGY_SCALE_DB, HIGHEST_LOG, LOWEST_LOG, RANGE
from prosody_transfer.synthesis.speaking.predicted import Contours, Lengths
from prosody_transfer.text.prosody_tokens import NUMBERS, Tokens
from prosody_transfer.text.spoken import SpokenSentence

HEARD, HEARD_PROMINENCE = NUMBERS.index("heard"), NUMBERS.index("heard_prominence")


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
    return _give(network, part, given)


def _give(network: Any, part: str, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What a part makes of named tensors of one sentence."""
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
    network: Any, tokens: Tokens, sentence: SpokenSentence, option: str, rng: np.random.Generator,
    words: np.ndarray | None = None,
) -> Tokens:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`; the tokens say it all, the residuals of `words` among them."""
    if words is None:
        return tokens
    known = tokens.word >= 0
    rows = np.where(known[:, None], words[np.maximum(tokens.word, 0)], 0).T.astype(np.float32)  # (1 + D, P)
    numbers = tokens.numbers.copy()
    numbers[HEARD], numbers[HEARD_PROMINENCE] = known, rows[0]
    return replace(tokens, numbers=np.concatenate([numbers, known[None].astype(np.float32), rows[1:]]))


def hear(network: Any, reading: Reading) -> np.ndarray:
    """(W, 1 + D): how prominent each word was, in twos, and its residual; see `predicted.TextProsody`."""
    if _told(network) == len(NUMBERS):
        raise ModelError("knows no residual of words", place="model camp", remedy="train it with network.residual=8")
    tokens = reading.tokens
    given = {
        "phones": tokens.classes[:1], "mask": np.ones((1, len(tokens.word)), bool), "frames": reading.frames[None],
        "log_f0": reading.log_f0[None], "voiced": reading.voiced[None],
        "energy": reading.energy[None] / np.float32(ENERGY_SCALE_DB), "word": tokens.word[None].astype(np.int64),
    }  # fmt: skip
    residual = _give(network, "words", given)[0]  # (D, P)
    first = np.array([int(np.flatnonzero(tokens.word == i)[0]) for i in range(int(tokens.word.max()) + 1)])
    return np.concatenate([tokens.numbers[[HEARD_PROMINENCE]], residual])[:, first].T


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
