"""What a network makes of a dev recording, for people to look at and to listen to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

from prosody_transfer.features.extract import Features, extract
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.store.weights import load_network, shipped

SHORTEST, LONGEST = 1.0, 8.0  # seconds


@dataclass(frozen=True)
class Sample:
    """One recording and what became of it.

    Attributes:
        target, predicted: (M, T) natural-log mels; for a recogniser (V, T) probabilities of phones.
        target_f0, predicted_f0: (T,) Hz, NaN where unvoiced; None where there is no melody to compare.
        waveform: (N,) to listen to, or None.
    """

    speaker: str
    what: str
    target: np.ndarray
    predicted: np.ndarray
    frame_seconds: float
    target_f0: np.ndarray | None = None
    predicted_f0: np.ndarray | None = None
    waveform: np.ndarray | None = None
    sample_rate: int = 24000


def choose(task: Any, count: int) -> list[int]:
    """Which utterances of a task to show: of different speakers first, those of 1 to 8 s first."""
    if not hasattr(task, "corpus"):
        return []
    corpus = task.corpus
    if corpus is None:
        return []
    seconds = [u.features.n_samples / u.features.config.sample_rate for u in corpus.utterances]
    fits = [SHORTEST <= s <= LONGEST for s in seconds]
    met: dict[str, int] = {}
    order = []
    for number, speaker in enumerate(corpus.speakers):
        met[speaker] = met.get(speaker, 0) + 1
        order.append((not fits[number], met[speaker], seconds[number] > LONGEST, number))
    return [number for *_, number in sorted(order)[:count]]


@cache
def _vocoder() -> Any:
    """The shipped vocoder, on the CPU; None where its weights are not there."""
    return load_network("vocoder")[0] if shipped("vocoder").exists() else None


def _f0(features: Features) -> np.ndarray:
    return np.where(features.voiced, np.exp(features.log_f0), np.nan)


def _spoken(network: Any, mel: np.ndarray, features: Features) -> np.ndarray:
    """(N,) from a mel and a recording's own melody."""
    frames = np.concatenate([mel, features.voiced[None], features.log_f0[None]]).astype(np.float32)
    device = next(network.parameters()).device
    with torch.inference_mode():
        audio = network(frames_from(torch.from_numpy(frames)[None].to(device))).values[0, 0]
    return np.clip(audio.float().cpu().numpy()[: features.n_samples], -1, 1)


def spoken_sample(
    speaker: str, features: Features, mel: np.ndarray | None = None, voice: Any = None
) -> Sample:  # fmt: skip
    """A recording beside what became of it.

    Args:
        mel: (M, T) what an acoustic model made of it, spoken by the shipped vocoder; None: the recording's own.
        voice: Another vocoder: what its sound is measured as is what is shown.
    """
    config, shown = features.config, features.mel if mel is None else mel
    vocoder, waveform = voice if voice is not None else _vocoder(), None
    if vocoder is not None and vocoder.config.mel == config:
        waveform = _spoken(vocoder, shown, features)
    heard = extract(waveform, config) if waveform is not None else None
    predicted = heard.mel if heard is not None and voice is not None else shown
    return Sample(
        speaker, "mel", features.mel, predicted[:, : features.n_frames], config.hop_length / config.sample_rate,
        _f0(features), _f0(heard)[: features.n_frames] if heard is not None else None, waveform, config.sample_rate,
    )  # fmt: skip
