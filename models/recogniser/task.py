"""Training the phone recogniser on forced alignments, its input perturbed like the reference encoder's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from prosody_transfer.core.config import Config
from prosody_transfer.data.dataset import Corpus, speaker_weights
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig
from prosody_transfer.training.distributed import shared_mean
from prosody_transfer.training.perturb import change_tempo, mask_mel, perturb_mel, reverberate
from prosody_transfer.training.samples import Sample
from prosody_transfer.training.start import start_from
from prosody_transfer.training.task import Task


class RecogniserTaskConfig(Config):
    """Batch and loss settings. `warp`: largest relative change of the mel axis; `tempo`: of the speed.

    `masked`: stripes of the mel are hidden; `reverberated`: share of crops said in a room; `start_from`: a checkpoint
    of the same [network] to go on from, or several: their mean.
    """

    batch_size: int = 12
    crop_frames: int = 256
    label_smoothing: float = 0.05
    warp: float = 0.2
    tempo: float = 0.0
    masked: bool = False
    reverberated: float = 0.0
    start_from: str | tuple[str, ...] = ""


class RecogniserTask(Task):
    """Frame-wise cross-entropy."""

    kind, settings_class = "recogniser", RecogniserTaskConfig

    def __init__(
        self,
        config: RecogniserConfig,
        task: RecogniserTaskConfig,
        rows: list[Row],
        cache: str | Path,
        device: str = "cpu",
    ) -> None:
        self.config, self.task, self.device = config, task, device
        self.network = Recogniser(config).to(device)
        if task.start_from:
            self.started_from = start_from(self.network, self.kind, task.start_from)
        self.corpus = Corpus(rows, cache, config.mel, with_pcm=False, keep=lambda u: len(u.phones) > 2)
        self.weights = speaker_weights(self.corpus.speakers, [u.features.n_frames for u in self.corpus.utterances])
        self.network.bigram.copy_(
            torch.from_numpy(phone_bigram([u.phones for u in self.corpus.utterances], config.n_phones))
        )

    def batch(self, rng: np.random.Generator, step: int) -> tuple[Tensor, Tensor]:
        """Perturbed mels (B, M, T) and phone indices (B, T), -100 on padding."""
        size = self.task.crop_frames
        mels, targets = [], []
        for i in rng.choice(len(self.weights), self.task.batch_size, p=self.weights):
            utterance = self.corpus.utterances[i]
            labels = np.repeat(utterance.phones.astype(np.int64), utterance.durations)
            heard, labels = self._crop(utterance.features.mel, labels, rng)
            mels.append(np.pad(heard, ((0, 0), (0, size - heard.shape[1]))))
            targets.append(np.pad(labels, (0, size - len(labels)), constant_values=-100))
        return torch.from_numpy(np.stack(mels)), torch.from_numpy(np.stack(targets))

    def _crop(self, mel: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """At most `crop_frames` of an utterance, perturbed, and their labels."""
        task, size = self.task, self.task.crop_frames
        taken = round(size * rng.uniform(1 - task.tempo, 1 + task.tempo)) if task.tempo else size
        start = int(rng.integers(0, max(1, len(labels) - taken + 1)))
        mel, labels = mel[:, start : start + taken], labels[start : start + taken]
        if task.tempo:
            mel, labels = change_tempo(mel, labels, max(1, round(len(labels) * size / taken)))
        if task.reverberated and rng.random() < task.reverberated:
            rate = self.config.mel.sample_rate / self.config.mel.hop_length
            mel = reverberate(mel, rng.uniform(0.15, 0.7), rng.uniform(-4.0, -1.5), rate)
        heard = perturb_mel(mel, rng, warp=task.warp)
        return (mask_mel(heard, rng) if task.masked else heard), labels

    def loss(self, batch: Any, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        mel, target = (t.to(self.device) for t in batch)
        logits = self.network(mel, target >= 0).float()
        count = (target >= 0).sum()
        loss = F.cross_entropy(logits, target, ignore_index=-100, label_smoothing=self.task.label_smoothing)
        right = ((logits.argmax(1) == target) & (target >= 0)).sum() / count
        return shared_mean(loss, count), {"accuracy": float(shared_mean(right, count))}

    def speech_seconds(self, batch: tuple[Tensor, Tensor]) -> float:
        """Of recorded speech in a batch."""
        return float((batch[1] >= 0).sum()) * self.config.mel.hop_length / self.config.mel.sample_rate


    def sample(self, number: int) -> Sample:
        """How sure the network is of each phone."""
        utterance, features = self.corpus.utterances[number], self.corpus.utterances[number].features
        mel = torch.from_numpy(features.mel)[None].to(self.device)
        with torch.inference_mode():
            logits = self.network(mel, torch.ones(1, features.n_frames, dtype=torch.bool, device=self.device))[0]
        labels = np.repeat(utterance.phones.astype(np.int64), utterance.durations)
        truth = np.eye(self.config.n_phones, dtype=np.float32)[labels].T
        step = self.config.mel.hop_length / self.config.mel.sample_rate
        said = logits.float().softmax(0).cpu().numpy()
        return Sample(self.corpus.speakers[number], "phone", truth, said, step)


def phone_bigram(sequences: list[np.ndarray], n_phones: int) -> np.ndarray:
    """Natural-log probability of each phone after each, (V, V) float32, add-one smoothed."""
    counts = np.ones((n_phones, n_phones))
    for phones in sequences:
        np.add.at(counts, (phones[:-1].astype(int), phones[1:].astype(int)), 1)
    return np.log(counts / counts.sum(1, keepdims=True)).astype(np.float32)
