"""Phones without a transcript: frame posteriors from the recogniser, decoded with a phone bigram."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.runs import runs
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval
from prosody_transfer.core.units import frames_to_seconds
from prosody_transfer.text.phones import PHONES

CHUNK_FRAMES = 4096  # bounded memory for long recordings
BIGRAM_WEIGHT = 0.5
SWITCH_PENALTY = 1.5  # nats; keeps one-frame phones from flickering
MINIMUM_FRAMES = 2
PAUSE_FRAMES = 24  # 0.26 s of a pause count on each side; of what lies further inside the network hears no mean


class Measured(Protocol):
    """What is used of `features.extract.Features`, a room that this one may not import."""

    @property
    def mel(self) -> np.ndarray: ...
    @property
    def n_frames(self) -> int: ...
    @property
    def n_samples(self) -> int: ...
    @property
    def config(self) -> MelConfig: ...
    def require(self, config: MelConfig) -> None: ...


def phone_posteriors(network: Any, features: Measured) -> np.ndarray:
    """(T, 40) float32, each row a distribution over PHONES; see `posteriors_of_mel`.

    Raises:
        ModelError: The features were made with other settings than the recogniser's.
    """
    features.require(network.config.mel)
    return posteriors_of_mel(network, features.mel)


def posteriors_of_mel(network: Any, mel: np.ndarray) -> np.ndarray:
    """(T, 40) float32, each row a distribution over PHONES, given a log-mel (M, T).

    The network takes each band's mean off, so that a minute of silence beside three seconds of speech would put the
    speech far above what it was trained with. Where it hears long pauses it listens again, and they don't count.
    """
    pieces = []
    for start in range(0, mel.shape[1], CHUNK_FRAMES):
        part = mel[:, start : start + CHUNK_FRAMES]
        found = _posteriors(network, part, None)
        counted = ~inside_pauses(found)
        if counted.any() and not counted.all():
            found = _posteriors(network, part, counted)
        pieces.append(found)
    return np.concatenate(pieces)


def _posteriors(network: Any, mel: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    """(T, V) of a log-mel (M, T); the means are of the frames that count, (T,) bool, or of all."""
    if hasattr(network, "posteriors"):  # an addon: without torch
        return network.posteriors(mel, counted)  # type: ignore[no-any-return]
    import torch

    with torch.inference_mode():
        values = torch.from_numpy(mel)[None].to(network.bigram.device)
        mask = torch.ones(1, mel.shape[1], dtype=torch.bool, device=values.device)
        more = () if counted is None else (torch.from_numpy(counted)[None].to(values.device),)
        logits = network(values, mask, *more)[0]
        found: np.ndarray = torch.softmax(logits, 0).T.cpu().numpy()
        return found


def inside_pauses(posteriors: np.ndarray) -> np.ndarray:
    """(T,) bool: frames of silence, and so are all within `PAUSE_FRAMES` of them, given (T, 40) posteriors."""
    inside = np.zeros(len(posteriors), bool)
    for start, end in runs(posteriors[:, 0] > 0.5):
        inside[start + PAUSE_FRAMES : max(start, end - PAUSE_FRAMES)] = True
    return inside


def log_bigram(network: Any) -> np.ndarray:
    """(V, V) natural-log probability of the second phone after the first, of a recogniser or its addon."""
    bigram = network.bigram
    found: np.ndarray = bigram if isinstance(bigram, np.ndarray) else bigram.cpu().numpy()
    return found


def viterbi(log_posteriors: np.ndarray, bigram: np.ndarray) -> np.ndarray:
    """The best phone for each frame, (T,) int, given (T, V) log posteriors and the (V, V) log bigram.

    Staying costs nothing; a change costs the weighted bigram and `SWITCH_PENALTY`, and every phone lasts at least
    `MINIMUM_FRAMES` frames, where T allows it.
    """
    size = log_posteriors.shape[1]
    change = BIGRAM_WEIGHT * bigram - SWITCH_PENALTY
    change[np.arange(size), np.arange(size)] = -np.inf
    # Two states a phone: its first frame, and all later ones; only a later one may change.
    first, later = log_posteriors[0].copy(), np.full(size, -np.inf)
    came_from = np.zeros((len(log_posteriors), size), np.int16)
    stayed = np.zeros((len(log_posteriors), size), bool)
    for t in range(1, len(log_posteriors)):
        arriving = later[:, None] + change
        came_from[t] = arriving.argmax(0)
        stayed[t] = later >= first
        first, later = (
            arriving[came_from[t], np.arange(size)] + log_posteriors[t],
            np.maximum(first, later) + log_posteriors[t],
        )
    path = np.zeros(len(log_posteriors), int)
    in_first = len(log_posteriors) == 1
    phone = int(first.argmax() if in_first else later.argmax())
    for t in range(len(log_posteriors) - 1, -1, -1):
        path[t] = phone
        if t and in_first:
            phone, in_first = int(came_from[t][phone]), False
        elif t:
            in_first = not stayed[t][phone]
    return path


def recognise_phones(network: Any, features: Measured) -> Alignment:
    """Phones and their times, each with its posterior: doubt is passed on instead of one confident mistake."""
    posteriors = phone_posteriors(network, features)
    path = viterbi(np.log(posteriors + 1e-6), log_bigram(network))
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    config = features.config
    duration = features.n_samples / config.sample_rate
    phones = []
    for start, end in zip(edges, edges[1:], strict=False):
        begin = min(frames_to_seconds(start, config.sample_rate, config.hop_length), duration)
        finish = (
            duration
            if end == len(path)
            else min(frames_to_seconds(end, config.sample_rate, config.hop_length), duration)
        )
        phones.append(PhoneInterval(PHONES[path[start]], begin, finish))
    means = means_over_phones(posteriors, np.diff(edges))
    return Alignment(tuple(phones), (), duration, "recogniser", means, posteriors)


def means_over_phones(posteriors: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """Frames' posteriors (T, V) averaged over each phone's frames, (P,) of which the sum is T -> (P, V) float32."""
    owner = np.repeat(np.arange(len(durations)), durations)
    total = np.zeros((len(durations), posteriors.shape[1]))
    np.add.at(total, owner, posteriors[: len(owner)])
    return (total / np.maximum(durations, 1)[:, None]).astype(np.float32)


def phone_names(alignment: Alignment) -> list[str]:
    """The phones of an alignment without stress and without silences."""
    return [p.phone.rstrip("012") for p in alignment.phones if p.phone != SILENCE]


def confidence(alignment: Alignment) -> float:
    """How sure the recogniser was, 0 to 1: the best posterior of each of its phones, averaged; 1 without phones."""
    if alignment.posteriors is None:
        return 1.0
    spoken = [i for i, p in enumerate(alignment.phones) if p.phone != SILENCE]
    return float(alignment.posteriors[spoken].max(1).mean()) if spoken else 1.0
