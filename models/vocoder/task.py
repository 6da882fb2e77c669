"""Training the vocoder: natural mels and F0 in, the recording out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prosody_transfer.core.config import Config
from prosody_transfer.data.dataset import Corpus, speaker_weights
from prosody_transfer.data.manifest import Row
from prosody_transfer.models import registry
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.models.vocoder.network import Vocoder, VocoderConfig
from prosody_transfer.store.weights import load_acoustic, voice_level
from prosody_transfer.training.losses import multi_resolution_stft
from prosody_transfer.training.samples import Sample, spoken_sample
from prosody_transfer.training.start import start_from
from prosody_transfer.training.task import Task


class VocoderTaskConfig(Config):
    """Batch settings: `batch_size` crops of `crop_frames` frames, of which `edge_frames` at each side bear no loss.

    For a second stage: `start_from`, a vocoder checkpoint to go on from, and `acoustic_model`, an acoustic model's
    checkpoint whose own mels replace the recorded ones in `predicted_share` of the crops where it has the voice.
    Self-transfer keeps every frame in its place, so the recording stays the right answer.
    """

    batch_size: int = 12
    crop_frames: int = 64
    edge_frames: int = 4
    gain_db: float = 9.0
    start_from: str = ""
    acoustic_model: str = ""
    predicted_share: float = 0.7


class VocoderTask(Task):
    """Copy-synthesis with a multi-resolution STFT loss; no adversary."""

    kind, settings_class = "vocoder", VocoderTaskConfig

    def __init__(
        self, config: VocoderConfig, task: VocoderTaskConfig, rows: list[Row], cache: str | Path, device: str = "cpu"
    ) -> None:
        self.config, self.task, self.device = config, task, device
        self.network = Vocoder(config).to(device)
        size = task.crop_frames
        self.corpus = Corpus(
            rows,
            cache,
            config.mel,
            with_pcm=True,
            keep=lambda u: u.features.n_frames > size and bool(u.features.voiced.any()),
        )
        lengths = [u.features.n_frames for u in self.corpus.utterances]
        self.weights = speaker_weights(self.corpus.speakers, lengths)
        if task.start_from:
            self.started_from = start_from(self.network, self.kind, task.start_from)
        self.predicted: list[np.ndarray | None] = [None] * len(self.corpus.utterances)
        if task.acoustic_model:
            self._predict(task.acoustic_model)

    def _predict(self, path: str) -> None:
        """The acoustic model's mels of all utterances whose voice it has, (M, T) float16 each."""
        model, header = load_acoustic(path, self.device)
        self_transfer = registry.of(model).load("self_transfer")
        known = zip(self.corpus.utterances, self.corpus.speakers, self.corpus.texts, strict=True)
        for i, (utterance, speaker, text) in enumerate(known):
            if speaker in model.config.speakers and len(utterance.phones):
                row, level = model.config.speakers.index(speaker), voice_level(header, speaker, path)
                self.predicted[i] = self_transfer(model, utterance, row, level, text).astype(np.float16)

    def batch(self, rng: np.random.Generator, step: int) -> tuple[Tensor, Tensor]:
        """Frames (B, M + 2, T) and waveforms (B, T * hop), each crop with a random gain on both."""
        hop, size = self.config.mel.hop_length, self.task.crop_frames
        inputs, targets = [], []
        for i in rng.choice(len(self.weights), self.task.batch_size, p=self.weights):
            utterance = self.corpus.utterances[i]
            features = utterance.features
            start = int(rng.integers(0, features.n_frames - size))
            part = slice(start, start + size)
            gain = float(rng.uniform(-self.task.gain_db, self.task.gain_db)) / 20 * np.log(10)
            predicted = self.predicted[i]
            mel = features.mel
            if predicted is not None and rng.random() < self.task.predicted_share:
                mel = predicted.astype(np.float32)
            mel = np.maximum(mel[:, part] + gain, np.log(self.config.mel.floor))
            inputs.append(
                np.concatenate([mel, features.voiced[None, part], features.log_f0[None, part]]).astype(np.float32)
            )
            pcm = utterance.pcm[start * hop : (start + size) * hop].astype(np.float32) / 32767
            targets.append(np.pad(pcm, (0, size * hop - len(pcm))) * np.exp(gain))
        return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(targets).astype(np.float32))

    def loss(self, batch: Any, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        inputs, target = (t.to(self.device) for t in batch)
        output = self.network(frames_from(inputs)).values[:, 0]
        edge = self.task.edge_frames * self.config.mel.hop_length
        inner = slice(edge, output.shape[1] - edge)
        loss = multi_resolution_stft(output[:, inner], target[:, inner])
        return loss, {}

    def speech_seconds(self, batch: tuple[Tensor, Tensor]) -> float:
        """Of recorded speech in a batch."""
        return batch[1].numel() / self.config.mel.sample_rate

    def sample(self, number: int) -> Sample:
        """A recording's own mel and melody, spoken."""
        return spoken_sample(self.corpus.speakers[number], self.corpus.utterances[number].features, voice=self.network)
