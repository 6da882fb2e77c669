"""What a network makes of a dev recording, for people to look at and to listen to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

from prosody_transfer.features.cache import Utterance
from prosody_transfer.features.extract import Features, extract
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.store.weights import load_network, shipped
from prosody_transfer.training.copycat import CopyCatTask, self_transfer
from prosody_transfer.training.recogniser import RecogniserTask
from prosody_transfer.training.vocoder import VocoderTask

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


def _phones(task: RecogniserTask, utterance: Utterance, speaker: str) -> Sample:
    features, device = utterance.features, task.device
    mel = torch.from_numpy(features.mel)[None].to(device)
    with torch.inference_mode():
        logits = task.network(mel, torch.ones(1, features.n_frames, dtype=torch.bool, device=device))[0]
    labels = np.repeat(utterance.phones.astype(np.int64), utterance.durations)
    truth = np.eye(task.config.n_phones, dtype=np.float32)[labels].T
    step = task.config.mel.hop_length / task.config.mel.sample_rate
    return Sample(speaker, "phone", truth, logits.float().softmax(0).cpu().numpy(), step)


def sample(task: Any, number: int) -> Sample:
    """Utterance `number` of a task's corpus through its network.

    An acoustic model says it again in its own voice, spoken by the shipped vocoder; a vocoder speaks its recorded
    mel; a recogniser shows how sure it is of each phone.
    """
    utterance, speaker = task.corpus.utterances[number], task.corpus.speakers[number]
    if isinstance(task, RecogniserTask):
        return _phones(task, utterance, speaker)
    features, mel_config = utterance.features, task.config.mel
    voice: Any = task.network if isinstance(task, VocoderTask) else _vocoder()
    mel = features.mel
    if isinstance(task, CopyCatTask):
        mel = self_transfer(task.network, utterance, task.config.speakers.index(speaker), task.levels[speaker])
    waveform = None
    if voice is not None and voice.config.mel == mel_config:
        waveform = _spoken(voice, mel, features)
    heard = extract(waveform, mel_config) if waveform is not None else None
    predicted = heard.mel if heard is not None and isinstance(task, VocoderTask) else mel
    return Sample(
        speaker, "mel", features.mel, predicted[:, : features.n_frames], mel_config.hop_length / mel_config.sample_rate,
        _f0(features), _f0(heard)[: features.n_frames] if heard is not None else None, waveform, mel_config.sample_rate,
    )  # fmt: skip
