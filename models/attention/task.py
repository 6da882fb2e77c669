"""Training by teacher forcing, the attention guided by where the phones are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor

from prosody_transfer.core.config import Config
from prosody_transfer.data.dataset import Corpus
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.attention.config import AttentionConfig
from prosody_transfer.models.attention.network import Attention
from prosody_transfer.models.attention.readings import ALL, told_of_phones
from prosody_transfer.models.attention.speaking import self_transfer
from prosody_transfer.models.copycat.inputs import F0_SCALE, frame_to_phone
from prosody_transfer.models.copycat.network import MEL_FLOOR
from prosody_transfer.store.header import read_kind
from prosody_transfer.training.losses import masked_mean, mel_l1
from prosody_transfer.training.samples import Sample, spoken_sample
from prosody_transfer.training.settings import Settings
from prosody_transfer.training.start import start_from
from prosody_transfer.training.task import Task
from prosody_transfer.training.voices import aligned_speakers, voice_facts

ALIKE = 4  # batches of utterances, among whose lengths those of one batch are


class AttentionTaskConfig(Config):
    """Batch and loss settings.

    `longest_frames`: longer utterances are not learnt from. `untold`: share of the utterances of which no prosody is
    told, as in speaking a text. `guide_weight`: how much it counts that the phone that is said is attended to; it falls
    to `guide_last` of it in the first `guided` of the steps. `own`: chance, by the end, that a step hears what the step
    before made. `start_from`: a checkpoint of this kind, or of CopyCat, whose phone encoder and voices are taken.
    """

    batch_size: int = 12
    longest_frames: int = 560
    untold: float = 0.2
    guide_weight: float = 1.0
    guide_last: float = 0.05
    guided: float = 0.6
    own: float = 0.2
    early_weight: float = 1.0
    pitch_weight: float = 0.2
    start_from: str = ""


class AttentionBatch(NamedTuple):
    """Phones (B, P, V), stress, durations, mask (B, P), told (B, P, 5), mel (B, M, T), mask, F0, voiced, speaker."""

    phones: Tensor
    stress: Tensor
    durations: Tensor
    phone_mask: Tensor
    told: Tensor
    mel: Tensor
    mask: Tensor
    log_f0: Tensor
    voiced: Tensor
    speaker: Tensor


class AttentionTask(Task):
    """The baseline's training task."""

    kind, settings_class, criterion = "attention", AttentionTaskConfig, "mel"

    def __init__(
        self, config: AttentionConfig, task: AttentionTaskConfig, rows: list[Row], cache: str | Path,
        levels: dict[str, float], device: str = "cpu",
    ) -> None:  # fmt: skip
        self.config, self.task, self.device, self.levels = config, task, device, levels
        self.network = Attention(config).to(device)
        if task.start_from:
            kind = read_kind(task.start_from)
            fit = lambda tensors: shared_with(tensors, self.network)
            self.started_from = start_from(self.network, kind, task.start_from, fit)
        wanted = [row for row in rows if row.speaker in config.speakers]
        keep = lambda u: len(u.phones) > 2 and u.features.n_frames <= task.longest_frames
        self.corpus = Corpus(wanted, cache, config.mel, with_pcm=False, keep=keep)
        self.order = np.argsort([u.features.n_frames for u in self.corpus.utterances], kind="stable")

    @classmethod
    def complete(cls, plan: Settings, rows: list[Row]) -> tuple[Settings, dict[str, Any]]:
        """Everybody who was recorded becomes a voice, unless the settings name the speakers."""
        network: Any = plan.network
        if not network.speakers:
            network = msgspec.structs.replace(network, speakers=aligned_speakers(rows, plan.data.cache))
        once = list({(row.speaker, row.id): row for row in rows}.values())
        facts = {"voices": voice_facts(once, plan.data.cache, network.speakers, network.n_phones)}
        return replace(plan, network=network), facts

    @classmethod
    def make(
        cls, plan: Settings, rows: list[Row], facts: Mapping[str, Any], device: str, dev: bool = False
    ) -> AttentionTask:  # fmt: skip
        task = msgspec.structs.replace(plan.task, untold=0.0, own=0.0) if dev else plan.task
        levels = {name: known["log_f0_median"] for name, known in facts["voices"].items()}
        return cls(plan.network, task, rows, plan.data.cache, levels, device)

    def batch(self, rng: np.random.Generator, step: int) -> AttentionBatch:
        """Whole utterances of about one length."""
        size = min(self.task.batch_size, len(self.order))
        near = min(len(self.order), ALIKE * size)
        start = int(np.clip(rng.integers(-near // 2, len(self.order) - near // 2 + 1), 0, len(self.order) - near))
        chosen = self.order[start + rng.choice(near, size, replace=False)]
        return self.collate([self._item(int(i), rng.random() < self.task.untold) for i in chosen])

    def _item(self, number: int, untold: bool) -> dict[str, np.ndarray]:
        utterance, speaker = self.corpus.utterances[number], self.corpus.speakers[number]
        features, durations = utterance.features, utterance.durations.astype(np.int64)
        contour = features.log_f0 - self.levels[speaker]
        keep = () if untold else ALL
        told = told_of_phones(durations, contour, features.voiced, features.energy_db, keep)
        return {
            "phones": np.eye(self.config.n_phones, dtype=np.float32)[utterance.phones],
            "stress": utterance.stress.astype(np.int64), "durations": durations, "told": told,
            "mel": np.maximum(features.mel, MEL_FLOOR).T, "log_f0": (contour / F0_SCALE).astype(np.float32),
            "voiced": features.voiced.astype(np.float32), "speaker": np.array(self.config.speakers.index(speaker)),
        }  # fmt: skip

    def collate(self, items: list[dict[str, np.ndarray]]) -> AttentionBatch:
        """Padded to the longest, and that to whole steps of the decoder."""
        step = self.config.frames_per_step
        count, frames = max(len(i["phones"]) for i in items), max(len(i["mel"]) for i in items)
        frames = -(-frames // step) * step

        def padded(name: str, size: int) -> Tensor:
            widths = lambda v: [(0, size - len(v))] + [(0, 0)] * (v.ndim - 1)
            return torch.from_numpy(np.stack([np.pad(i[name], widths(i[name])) for i in items]))

        real = lambda name, size: torch.arange(size)[None] < torch.tensor([len(i[name]) for i in items])[:, None]
        return AttentionBatch(
            padded("phones", count), padded("stress", count), padded("durations", count), real("phones", count),
            padded("told", count), padded("mel", frames).transpose(1, 2).contiguous(), real("mel", frames),
            padded("log_f0", frames), padded("voiced", frames), torch.tensor([int(i["speaker"]) for i in items]),
        )  # fmt: skip

    def loss(self, batch: AttentionBatch, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        task, network = self.task, self.network
        b = AttentionBatch(*(t.to(self.device) for t in batch))
        memory = network.remember(b.phones, b.stress, b.phone_mask, b.told, b.speaker)
        passed = step / max(1, total_steps)
        coarse, contexts, weights = network.forced(b.mel, memory, task.own * passed if torch.is_grad_enabled() else 0.0)
        decoded = network.refine(coarse, contexts, b.mask, memory)
        off = self._unguided(weights.float(), b)
        guide = task.guide_weight * max(task.guide_last, 1 - passed / task.guided * (1 - task.guide_last))
        spectral = mel_l1(decoded.mel, b.mel, b.mask)
        early = masked_mean((decoded.early_mel - b.mel).abs(), b.mask)
        voiced = b.mask & (b.voiced > 0.5)
        pitch = masked_mean((decoded.log_f0 - b.log_f0).abs(), voiced)
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(decoded.voicing_logit, b.voiced, reduction="none")
        voicing = masked_mean(wrong, b.mask)
        loss = spectral + task.early_weight * early + task.pitch_weight * (pitch + voicing) + guide * off
        figures = {"mel": spectral, "early": early, "pitch": pitch, "voicing": voicing, "off": off}
        return loss, {name: value.item() for name, value in figures.items()}

    def _unguided(self, weights: Tensor, batch: AttentionBatch) -> Tensor:
        """- ln of how much of each step's attention the phone that is said, and its neighbours, have.

        Source: Tachibana et al. 2018, guided attention; where the phones are is known here, so no diagonal is assumed.
        """
        size = self.config.frames_per_step
        said = frame_to_phone(batch.durations, batch.mask.shape[1])[:, size // 2 :: size]  # (B, S)
        near = torch.arange(weights.shape[2], device=weights.device)[None, None] - said[..., None]
        share = (weights * (near.abs() == 0)).sum(2) + 0.3 * (weights * (near.abs() == 1)).sum(2)
        return masked_mean(-torch.log(share + 1e-4), batch.mask[:, size // 2 :: size])

    def speech_seconds(self, batch: AttentionBatch) -> float:
        """Of recorded speech in a batch."""
        return float(batch.mask.sum()) * self.config.mel.hop_length / self.config.mel.sample_rate

    def sample(self, number: int) -> Sample:
        """A recording said again in its own voice, spoken by the shipped vocoder."""
        utterance, speaker = self.corpus.utterances[number], self.corpus.speakers[number]
        row, level = self.config.speakers.index(speaker), self.levels[speaker]
        return spoken_sample(speaker, utterance.features, self_transfer(self.network, utterance, row, level))


def shared_with(tensors: Mapping[str, Tensor], network: Attention) -> dict[str, Tensor]:
    """A network's weights, with those of a checkpoint in the place of what both have in the same shape."""
    own = network.state_dict()
    return {name: tensors[name] if name in tensors and tensors[name].shape == value.shape else value
            for name, value in own.items()}  # fmt: skip
