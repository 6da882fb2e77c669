"""Self-transfer: every target speaker's recordings onto themselves, with the encoders' inputs perturbed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.copycat.batches import Batcher, CopyCatBatch, CopyCatTaskConfig, on_crops
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.detail import add_sharpening
from prosody_transfer.models.copycat.network import CopyCat, Decoded, Posterior
from prosody_transfer.models.copycat.self_transfer import self_transfer
from prosody_transfer.store.header import read_kind
from prosody_transfer.training import distributed
from prosody_transfer.training.adversary import SpeakerAdversary
from prosody_transfer.training.losses import capacity_kl, masked_mean, mel_l1
from prosody_transfer.training.samples import Sample, spoken_sample
from prosody_transfer.training.settings import Settings
from prosody_transfer.training.start import start_from
from prosody_transfer.training.task import Task
from prosody_transfer.training.voices import aligned_speakers, voice_facts

WHOLE = {"soft_phones": 0.0, "unknown_source": 1.0, "drop_pitch": 0.0, "drop_energy": 0.0, "drop_latent": 0.0}


class CopyCatTask(Task):
    """The acoustic model's training task."""

    kind, settings_class, criterion = "copycat", CopyCatTaskConfig, "mel"
    network_class: ClassVar[type[CopyCat]] = CopyCat
    ancestors: ClassVar[tuple[str, ...]] = ()  # kinds whose checkpoints it may start from, beside its own

    def __init__(
        self,
        config: CopyCatConfig,
        task: CopyCatTaskConfig,
        rows: list[Row],
        cache: str | Path,
        levels: dict[str, float],
        device: str = "cpu",
    ) -> None:
        self.config, self.task, self.device = config, task, device
        self.network = self.network_class(config).to(device)
        if task.start_from:
            first = task.start_from if isinstance(task.start_from, str) else task.start_from[0]
            kind = found if (found := read_kind(first)) in self.ancestors else self.kind
            fit = lambda tensors: self.fit(tensors, self.network)
            self.started_from = start_from(self.network, kind, task.start_from, fit)
        self.batcher = Batcher(config, task, rows, cache, levels)
        self.corpus = self.batcher.corpus
        self.adversary = None
        if len(set(self.corpus.speakers)) > 1:
            chances = [
                sum(w for w, s in zip(self.batcher.weights, self.corpus.speakers, strict=True) if s == name)
                for name in config.speakers
            ]
            self.adversary = SpeakerAdversary(config.latent_channels, chances, device)

    @staticmethod
    def fit(tensors: dict[str, Tensor], network: CopyCat) -> dict[str, Tensor]:
        """Weights that were trained before, for this task's network."""
        return grown(tensors, network)

    def batch(self, rng: np.random.Generator, step: int) -> CopyCatBatch:
        return self.batcher.batch(rng, step)

    def speech_seconds(self, batch: CopyCatBatch) -> float:
        return self.batcher.speech_seconds(batch)

    def loss(self, batch: CopyCatBatch, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        task, network = self.task, self.network
        batch = batch.to(self.device)
        up, position, units = on_crops(network, batch)
        posterior = network.encode_reference(batch.heard, batch.mask, up, batch.known, units)
        latent = network.spread(self._sample(posterior), up.shape[2], units)
        decoded = network.decode(up, position, batch.mask, batch.prosody, latent, batch.speaker, batch.level)
        steps_per_second = self._steps_per_second(batch, posterior)
        ramp = 1.0 if task.start_from else min(1.0, step / (0.3 * total_steps))
        capacity = task.capacity_bits * np.log(2) / steps_per_second * ramp
        off, kl = capacity_kl(posterior.mean, posterior.log_variance, posterior.mask, capacity)
        recorded, seen = recorded_loss(decoded, batch, task.early_weight, task.pitch_weight)
        loss = recorded + task.kl_weight * off
        rate = kl.item() / np.log(2) * steps_per_second
        figures = {**seen, "latent_bits_per_second": rate}
        if self.adversary and torch.is_grad_enabled():
            figures |= self.adversary.learn(posterior.mean.detach(), posterior.mask, batch.speaker)
            if task.adversary_weight > 0:
                against = self.adversary.against(posterior.mean, posterior.mask, batch.speaker)
                loss = loss - task.adversary_weight * min(1.0, step / (0.3 * total_steps)) * against
        return loss, figures

    def _steps_per_second(self, batch: CopyCatBatch, posterior: Posterior) -> float:
        """Of the latent."""
        frames_per_second = self.config.mel.sample_rate / self.config.mel.hop_length
        if self.config.latent_unit == "frames":
            return frames_per_second / self.config.temporal_downsampling
        steps, frames = (distributed.total(mask.sum().float()).item() for mask in (posterior.mask, batch.mask))
        return frames_per_second * steps / frames

    def _sample(self, posterior: Posterior) -> Tensor:
        """A sample of the latent; of several processes each draws the noise that its rows have in one alone."""
        if distributed.size() == 1:
            return posterior.sample()
        _, size, count = posterior.mean.shape
        whole = posterior.mean.new_empty(self.task.batch_size, count, size).transpose(1, 2)  # as `mean` lies in memory
        noise = torch.randn_like(whole)[distributed.rows_of(self.task.batch_size)]
        return posterior.mean + noise * torch.exp(0.5 * posterior.log_variance)

    def beside(self) -> dict[str, Tensor]:
        """The classifier of speakers, to go on from."""
        return self.adversary.tensors() if self.adversary else {}

    def load_beside(self, tensors: dict[str, Tensor]) -> None:
        if self.adversary:
            self.adversary.load(tensors)


    @classmethod
    def complete(cls, plan: Settings, rows: list[Row]) -> tuple[Settings, dict[str, Any]]:
        """Everybody who was recorded becomes a voice, unless the settings name the speakers."""
        network: Any = plan.network
        if not network.speakers and not plan.prepared:
            problem, remedy = "names no speakers", "list the target voices: speakers = [...]"
            raise UsageError(problem, place=f"{plan.place} [network]", remedy=remedy)
        if not network.speakers:
            network = msgspec.structs.replace(network, speakers=aligned_speakers(rows, plan.data.cache))
        once = list({(row.speaker, row.id): row for row in rows}.values())  # whatever is named twice weighs twice
        facts = {"voices": voice_facts(once, plan.data.cache, network.speakers, network.n_phones)}
        return replace(plan, network=network), facts

    @classmethod
    def make(
        cls, plan: Settings, rows: list[Row], facts: Mapping[str, Any], device: str, dev: bool = False
    ) -> CopyCatTask:  # fmt: skip
        task = msgspec.structs.replace(plan.task, **WHOLE) if dev else plan.task  # dev: as a transfer is asked for
        levels = {name: known["log_f0_median"] for name, known in facts["voices"].items()}
        return cls(plan.network, task, rows, plan.data.cache, levels, device)

    def finish(self, average: dict[str, Tensor], facts: dict[str, Any]) -> None:
        add_sharpening(self, average, facts["voices"])

    def sample(self, number: int) -> Sample:
        """A recording said again in its own voice, spoken by the shipped vocoder."""
        utterance, speaker = self.corpus.utterances[number], self.corpus.speakers[number]
        row, level = self.config.speakers.index(speaker), self.batcher.levels[speaker]
        mel = self_transfer(self.network, utterance, row, level, self.corpus.texts[number])
        return spoken_sample(speaker, utterance.features, mel)


def recorded_loss(
    decoded: Decoded, batch: CopyCatBatch, early_weight: float, pitch_weight: float
) -> tuple[Tensor, dict[str, float]]:
    """How far what was decoded is from what was recorded: mel, early mel, F0 where voiced, and voicing."""
    spectral = mel_l1(decoded.mel, batch.mel, batch.mask)
    early = masked_mean((decoded.early_mel - batch.mel).abs(), batch.mask)
    voiced = batch.mask & (batch.prosody.voiced > 0.5)
    pitch = masked_mean((decoded.log_f0 - batch.prosody.log_f0).abs(), voiced)
    wrong = F.binary_cross_entropy_with_logits(decoded.voicing_logit, batch.prosody.voiced, reduction="none")
    voicing = masked_mean(wrong, batch.mask)
    loss = spectral + early_weight * early + pitch_weight * (pitch + voicing)
    return loss, {"mel": spectral.item(), "pitch": pitch.item(), "voicing": voicing.item()}


def grown(tensors: dict[str, Tensor], network: CopyCat) -> dict[str, Tensor]:
    """Weights for a network with more decoder blocks than they are of: the new blocks add nothing until they learn."""
    new = {k: v for k, v in network.state_dict().items() if k not in tensors and k.startswith("decoder_")}
    return {**tensors, **{k: torch.zeros_like(v) if k.endswith(".gain") else v for k, v in new.items()}}
