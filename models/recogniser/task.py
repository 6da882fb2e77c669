"""Training the phone recogniser on forced alignments, its input perturbed like the reference encoder's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from prosody_transfer.core.config import Config
from prosody_transfer.data.dataset import Corpus, speaker_weights
from prosody_transfer.data.manifest import Row
from prosody_transfer.features.mel import mel_filterbank
from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig
from prosody_transfer.store.header import read_kind
from prosody_transfer.training.distributed import shared_mean
from prosody_transfer.training.perturb import (
    FLOOR,
    change_tempo,
    drown,
    mask_mel,
    perturb_mel,
    reverberate,
    through_telephone,
)
from prosody_transfer.training.samples import Sample
from prosody_transfer.training.start import start_from
from prosody_transfer.training.task import Task


class RecogniserTaskConfig(Config):
    """Batch and loss settings. `warp`: largest relative change of the mel axis; `tempo`: of the speed.

    `masked`: stripes of the mel are hidden; `reverberated`: share of crops said in a room; `level`: largest change of
    the level beyond what every crop gets, in nats, for recordings that are heard before their level is known; `noisy`:
    share of crops in noise from `least_snr_db` to 20 dB; `telephone`: share of crops heard through one;
    `start_from`: a checkpoint to go on from, or several: their mean; one that hears both sides may begin one with a
    look-ahead.
    """

    batch_size: int = 12
    crop_frames: int = 256
    label_smoothing: float = 0.05
    warp: float = 0.2
    tempo: float = 0.0
    masked: bool = False
    reverberated: float = 0.0
    level: float = 0.0
    noisy: float = 0.0
    least_snr_db: float = 0.0
    telephone: float = 0.0
    start_from: str | tuple[str, ...] = ""


class RecogniserTask(Task):
    """Frame-wise cross-entropy."""

    kind, settings_class = "recogniser", RecogniserTaskConfig
    network_class: ClassVar[type[Recogniser]] = Recogniser
    ancestors: ClassVar[tuple[str, ...]] = ()  # kinds whose checkpoints it may start from, beside its own

    def __init__(
        self,
        config: RecogniserConfig,
        task: RecogniserTaskConfig,
        rows: list[Row],
        cache: str | Path,
        device: str = "cpu",
    ) -> None:
        self.config, self.task, self.device = config, task, device
        bank, hertz = mel_filterbank(config.mel), config.mel.sample_rate / config.mel.n_fft
        self.centres_hz = bank.argmax(1) * hertz
        self.network = self.network_class(config).to(device)
        if task.start_from:
            first = task.start_from if isinstance(task.start_from, str) else task.start_from[0]
            kind = found if (found := read_kind(first)) in self.ancestors else self.kind
            self.started_from = start_from(self.network, kind, task.start_from, self._fit)
        self.corpus = Corpus(rows, cache, config.mel, with_pcm=False, keep=lambda u: len(u.phones) > 2)
        self.weights = speaker_weights(self.corpus.speakers, [u.features.n_frames for u in self.corpus.utterances])
        self.network.bigram.copy_(
            torch.from_numpy(phone_bigram([u.phones for u in self.corpus.utterances], config.n_phones))
        )

    def _fit(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return fit(self.network, tensors)

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
        if task.noisy and rng.random() < task.noisy:
            mel = drown(mel, rng, rng.uniform(task.least_snr_db, 20.0))
        if task.telephone and rng.random() < task.telephone:
            mel = through_telephone(mel, rng, self.centres_hz)
        heard = perturb_mel(mel, rng, warp=task.warp)
        if task.level:
            heard = np.maximum(heard + np.float32(rng.uniform(-task.level, task.level)), FLOOR)
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


def fit(network: Recogniser, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A recogniser's weights for one of the same layers with another look-ahead, or with a context beside them.

    What the layers of one that hears both sides have for frames beyond the look-ahead is added to the last that is
    heard; what is not in `tensors` stays as the network has it.
    """
    found = {**network.state_dict(), **{k: v.float() for k, v in tensors.items() if not k.startswith(_BLOCKS)}}
    own, given = _layers(found), _layers(tensors)
    moved = "prior" not in given  # the one hears both sides
    for kind, blocks in own.items():
        for (place, names), (source, _) in zip(blocks, given.get(kind, []), strict=False):
            for name in names:
                value = tensors[f"{_BLOCKS}{source}.{name}"].float()
                if moved and name in ("conv.weight", "depthwise.weight"):
                    value = _shifted(value, int(network.network.blocks[place].latency))  # type: ignore[arg-type]
                found[f"{_BLOCKS}{place}.{name}"] = value
    return found


_BLOCKS = "network.blocks."
_MARKS = ("conv.weight", "depthwise.weight", "linear.weight", "prior", "squeeze.weight")


def _layers(tensors: dict[str, Tensor]) -> dict[str, list[tuple[int, list[str]]]]:
    """By kind the blocks of a recogniser in order: their places, and the names of their tensors."""
    blocks: dict[int, list[str]] = {}
    for key in tensors:
        if key.startswith(_BLOCKS):
            number, name = key[len(_BLOCKS) :].split(".", 1)
            blocks.setdefault(int(number), []).append(name)
    found: dict[str, list[tuple[int, list[str]]]] = {}
    for place in sorted(blocks):
        mark = next(mark for mark in _MARKS if mark in blocks[place])
        found.setdefault(mark, []).append((place, blocks[place]))
    return found


def _shifted(weight: Tensor, latency: int) -> Tensor:
    """Taps of a centred convolution, (..., K), for one that hears `latency` frames ahead; the rest goes to the last."""
    reach = weight.shape[-1] - 1
    cut = reach // 2 - latency
    if cut <= 0:
        return weight
    kept = weight[..., : reach + 1 - cut].clone()
    kept[..., -1] += weight[..., reach + 1 - cut :].sum(-1)
    return torch.nn.functional.pad(kept, (cut, 0))
