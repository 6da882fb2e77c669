"""The networks at work on one sentence, or on one recording: torch's, or an addon on any runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.analysis.readings import LEAST_ENERGY_DB, points_of
from prosody_transfer.core.errors import AudioError
from prosody_transfer.selection.bank import Bank
from prosody_transfer.synthesis.plan import pieces_of
from prosody_transfer.synthesis.speaking.predicted import Contours, Lengths
from prosody_transfer.text.prosody_tokens import Tokens

LOWEST_LOG, HIGHEST_LOG = -1.0, 6.0  # ln frames
ENERGY_SCALE_DB = 10.0
LEAST_PHONES = 5  # of a recording, to know how it was said


@dataclass(frozen=True)
class Told:
    """A sentence's tokens, and the vector (D,) that it is said with."""

    tokens: Tokens
    latent: np.ndarray


def run(network: Any, parts: Callable[[Any], Any], part: str, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What a part gives for one utterance, in the order of its outputs.

    Args:
        parts: The model's, for torch.
    """
    if hasattr(network, "run"):  # an addon
        return [value[0] for value in network.run(part, given).values()]
    import torch

    asked = parts(network)[part]
    with torch.inference_mode():
        found = asked.module(*(torch.from_numpy(given[port.name]) for port in asked.inputs))
    return [value[0].float().numpy() for value in found]


def _parts(network: Any) -> Any:
    from prosody_transfer.models.utterance.parts import parts

    return parts(network)


def tensor(network: Any, name: str) -> np.ndarray:
    """A tensor that no network runs on."""
    if hasattr(network, "run"):
        return np.asarray(network.tensor("timing", name))
    return np.asarray(getattr(network, name).float().numpy())


def bank_of(network: Any) -> Bank:
    """The sentences of its training; ModelError where there are none."""
    if (found := _BANKS.get(id(network))) is None or found[0] is not network:
        arrays = {field.name: tensor(network, f"bank_{field.name}") for field in fields(Bank)}
        whole = {name: arrays[name].astype(int) for name in ("tags", "words", "kinds")}
        _BANKS.clear()  # one network at a time is spoken with
        found = _BANKS[id(network)] = network, Bank(**{**arrays, **whole}).usable()
    return found[1]


_BANKS: dict[int, tuple[Any, Bank]] = {}


def lengths(network: Any, told: Told, voice: str, level: float, pace: float = 0.0) -> Lengths:
    """See `synthesis.speaking.predicted.TextProsody`; the voice's level says all of it."""
    log_frames, logit, log_pause = run(network, _parts, "timing", _text(told, level))
    gap = told.tokens.is_gap
    frames = np.exp(np.clip(np.where(gap, log_pause, log_frames), LOWEST_LOG, HIGHEST_LOG))
    return Lengths(frames, np.where(gap, 1 / (1 + np.exp(-logit)), 1.0))


def contours(
    network: Any, told: Told, frames: np.ndarray, voice: str, level: float, pace: float = 0.0
) -> Contours:  # fmt: skip
    """See `synthesis.speaking.predicted.TextProsody`."""
    given = {**_text(told, level), "frames": np.asarray(frames, np.int64)[None]}
    log_f0, logit, energy = run(network, _parts, "melody", given)
    return Contours(log_f0, 1 / (1 + np.exp(-logit)), energy * ENERGY_SCALE_DB)


def _text(told: Told, level: float) -> dict[str, np.ndarray]:
    tokens = told.tokens
    numbers = tokens.numbers.astype(np.float32)
    return {
        "classes": tokens.classes[None].astype(np.int64), "numbers": numbers[None],
        "mask": np.ones((1, tokens.classes.shape[1]), bool), "level": np.array([level], np.float32),
        "latent": told.latent[None].astype(np.float32),
    }  # fmt: skip


def in_manner(network: Any, tokens: Tokens, manner: np.ndarray) -> Told:
    """What a sentence is told that is said as a recording was, see `embed`."""
    return Told(tokens, manner)


def embed(network: Any, analysis: Analysis) -> np.ndarray:
    """How a recording was said: the mean of its posterior, (D,).

    Raises:
        AudioError: It holds too few phones to know.
    """
    ids: list[np.ndarray] = []
    frames: list[np.ndarray] = []
    contours_of: tuple[list[np.ndarray], ...] = ([], [], [])
    for features, _, phones in pieces_of(analysis):
        ends = np.cumsum(phones.durations)
        edges = np.stack([ends - phones.durations, ends], 1)
        ids.append(phones.ids)
        frames.append(phones.durations)
        for rows, values in zip(
            contours_of, (features.log_f0, features.voiced, features.energy_db), strict=True
        ):  # fmt: skip
            rows.append(points_of(values, edges))
    said = said_tensors(
        np.concatenate(ids), np.concatenate(frames), *(np.concatenate(rows, 1) for rows in contours_of)
    )
    if int((said["phones"] > 0).sum()) < LEAST_PHONES:
        raise AudioError("holds too little speech to know how it was said", remedy="give a sentence or more")
    given = {name: value[None] for name, value in said.items()}
    return run(network, _parts, "encoder", given)[0]


def said_tensors(
    ids: Sequence[int] | np.ndarray, frames: np.ndarray, log_f0: np.ndarray, voiced: np.ndarray, energy: np.ndarray
) -> dict[str, np.ndarray]:
    """What the encoder is told of phones and pauses, without the silence around the utterance.

    Args:
        ids: (P,), 0 for pauses and gaps.
        frames: (P,); what lasts none is left out.
        log_f0, voiced, energy: (4, P), ln Hz or relative to anything, share of voiced frames, dB.
    """
    there = np.asarray(frames) > 0
    sounding = np.flatnonzero(there & (np.asarray(ids) > 0))
    if len(sounding):
        there[: sounding[0]] = there[sounding[-1] + 1 :] = False
    believed = there & (voiced > 0.5)
    median = float(np.median(log_f0[believed])) if believed.any() else 0.0
    return {
        "phones": np.asarray(ids, np.int64)[there], "said_mask": np.ones(int(there.sum()), bool),
        "frames": np.asarray(frames, np.int64)[there], "log_f0": (log_f0 - median)[:, there].astype(np.float32),
        "voiced": voiced[:, there].astype(np.float32),
        "energy": np.maximum(energy, LEAST_ENERGY_DB)[:, there].astype(np.float32) / ENERGY_SCALE_DB,
    }  # fmt: skip
