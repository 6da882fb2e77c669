"""Training it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import torch

from prosody_transfer.core.config import Config
from prosody_transfer.data.dataset import Corpus
from prosody_transfer.training.task import Task
from prosody_transfer.training.voices import aligned_speakers, voice_facts
from toy_model.network import Toy


class ToyTaskConfig(Config):
    frames: int = 40


class ToyTask(Task):
    kind, settings_class, criterion = "toy", ToyTaskConfig, "loss"

    def __init__(self, config, task, rows, cache, device="cpu"):
        self.config, self.task, self.network = config, task, Toy(config).to(device)
        wanted = [row for row in rows if row.speaker in config.speakers]
        self.corpus = Corpus(wanted, cache, config.mel, with_pcm=False, keep=lambda u: len(u.phones) > 0)

    def batch(self, rng, step):
        number = int(rng.integers(len(self.corpus.utterances)))
        utterance, size = self.corpus.utterances[number], self.task.frames
        phones = np.repeat(utterance.phones.astype(np.int64), utterance.durations)[:size]
        row = self.config.speakers.index(self.corpus.speakers[number])
        return tuple(
            torch.from_numpy(np.asarray(part))[None]
            for part in (phones, utterance.features.energy_db[:size], row, utterance.features.mel[:, :size])
        )

    def loss(self, batch, step, total_steps):
        phones, energy, row, mel = batch
        loss = (self.network(phones, energy, row) - mel).abs().mean()
        return loss, {"mel": loss.item()}

    @classmethod
    def complete(cls, plan, rows):
        speakers = plan.network.speakers or aligned_speakers(rows, plan.data.cache)
        facts = {"voices": voice_facts(rows, plan.data.cache, speakers, plan.network.n_phones)}
        return replace(plan, network=msgspec.structs.replace(plan.network, speakers=speakers)), facts
