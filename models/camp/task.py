"""Training the predictors on readings: durations, melody and energy of phones, and how prominent words were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from prosody_transfer.analysis.readings import Reading
from prosody_transfer.core.config import Config
from prosody_transfer.core.extras import LANGUAGE, missing
from prosody_transfer.data.dataset import Corpus
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.camp.components import ENERGY_SCALE_DB
from prosody_transfer.models.camp.network import POINTS, Camp, CampConfig, CampInputs, Measured
from prosody_transfer.training.readings import pace_of, reading_of
from prosody_transfer.training.samples import Sample
from prosody_transfer.training.settings import Settings
from prosody_transfer.training.task import Task
from prosody_transfer.training.voices import aligned_speakers, voice_facts

ALIKE = 4  # batches of readings, among whose lengths those of one batch are


class CampTaskConfig(Config):
    """Batch and loss settings.

    Of the readings in a batch a share `unread` is told nothing of prominence and boundaries, so that punctuation alone
    can be spoken from; a share `unheard` of the words, and all words of some sentences, nothing of how prominent they
    were. `unknown_voice`: share that is told the voice's level alone; rows of who is none of the speakers always are.
    `shown`: share of readings of which some words' residual is told, of half of these all words'.
    """

    batch_size: int = 16
    unread: float = 0.3
    unheard: float = 0.7
    unknown_voice: float = 0.15
    unpaced: float = 0.3
    shown: float = 0.4
    pause_weight: float = 0.5
    melody_weight: float = 8.0
    voicing_weight: float = 0.3
    energy_weight: float = 0.3


@dataclass(frozen=True)
class Example:
    """A reading of P tokens that is learnt from.

    Attributes:
        reading: What was measured.
        numbers: (N, P), those of its tokens that are told.
        shown: (P,) float32, 1 in words whose residual is told.
        pace: See `pace_of`; 0 where it is not told.
        voice: Row of the voice; -1 for one that is none of the speakers.
    """

    reading: Reading
    numbers: np.ndarray
    shown: np.ndarray
    pace: float
    voice: int


class CampBatch(NamedTuple):
    """Inputs, what was measured, and `shown` (B, P): 1 in words whose residual is told."""

    inputs: CampInputs
    measured: Measured
    shown: Tensor


class CampTask(Task):
    """Durations by their logarithm, pauses by whether and how long, and contours where they are voiced."""

    kind, settings_class = "camp", CampTaskConfig

    def __init__(
        self, config: CampConfig, task: CampTaskConfig, rows: list[Row], cache: str | Path,
        voices: Mapping[str, Mapping[str, Any]], device: str = "cpu",
    ) -> None:  # fmt: skip
        self.config, self.task, self.device = config, task, device
        self.network = Camp(config).to(device)
        wanted = [row for row in rows if row.speaker in voices]
        self.corpus = Corpus(wanted, cache, config.mel, with_pcm=False, keep=lambda u: len(u.phones) > 2)
        reads = not missing(LANGUAGE)
        self.readings: list[Example] = []
        spoken = zip(self.corpus.utterances, self.corpus.speakers, self.corpus.texts, strict=True)
        for utterance, speaker, text in spoken:
            facts = voices[speaker]
            usual = np.array(facts["phone_log_frames"])
            found = reading_of(utterance, text, facts["log_f0_median"], reads=reads)
            if found is not None:
                row = config.speakers.index(speaker) if speaker in config.speakers else -1
                shown, pace = np.zeros(len(found.frames), np.float32), pace_of(utterance, usual)
                self.readings.append(Example(found, found.tokens.numbers, shown, pace, row))
        if not self.readings:
            from prosody_transfer.core.errors import UsageError

            raise UsageError("no text fits its recording", place=str(cache), remedy="check the texts")

        self.readings.sort(key=lambda example: len(example.shown))

    @classmethod
    def complete(cls, plan: Settings, rows: list[Row]) -> tuple[Settings, dict[str, Any]]:
        """Everybody who was recorded is a voice, unless the settings name the speakers; others are unknown voices."""
        network: Any = plan.network
        recorded = aligned_speakers(rows, plan.data.cache)
        if not network.speakers:
            network = msgspec.structs.replace(network, speakers=recorded)
        everybody = tuple(sorted({*recorded, *network.speakers}))
        known = voice_facts(rows, plan.data.cache, everybody, network.classes[0])
        return replace(plan, network=network), {"voices": known}

    @classmethod
    def make(
        cls, plan: Settings, rows: list[Row], facts: Mapping[str, Any], device: str, dev: bool = False
    ) -> CampTask:  # fmt: skip
        task = plan.task
        if dev:  # as a text is spoken: nothing is known of how it was said
            task = msgspec.structs.replace(task, unread=0.0, unheard=1.0, unknown_voice=0.0, unpaced=1.0, shown=0.0)
        return cls(plan.network, task, rows, plan.data.cache, facts["voices"], device)

    def batch(self, rng: np.random.Generator, step: int) -> CampBatch:
        """Whole readings of about one length, drawn at random: little of a batch is padding."""
        size = min(self.task.batch_size, len(self.readings))
        near = min(len(self.readings), ALIKE * size)
        start = int(rng.integers(-near // 2, len(self.readings) - near // 2 + 1))
        start = min(max(start, 0), len(self.readings) - near)
        chosen = [self.readings[start + i] for i in rng.choice(near, size, replace=False)]
        return self.collate([self._partly(example, rng) for example in chosen])

    def _partly(self, example: Example, rng: np.random.Generator) -> Example:
        """The same, of which some is not told."""
        task, numbers, word = self.task, example.numbers.copy(), example.reading.tokens.word
        if rng.random() < task.unread:
            numbers[:3] = 0.0
        words = rng.random(int(word.max()) + 2) < (1.0 if rng.random() < 0.3 else task.unheard)
        if task.unheard >= 1:
            words[:] = True
        shown = np.zeros(len(word), np.float32)
        if rng.random() < task.shown:
            among = rng.random(len(words)) < (1.0 if rng.random() < 0.5 else rng.random())
            shown[among[word + 1]] = 1.0
            words &= ~among
        numbers[3:5, words[word + 1]] = 0.0
        voice = -1 if rng.random() < task.unknown_voice else example.voice
        pace = 0.0 if rng.random() < task.unpaced or shown.any() else example.pace
        return replace(example, numbers=numbers, voice=voice, pace=pace, shown=shown)

    @staticmethod
    def collate(examples: list[Example]) -> CampBatch:
        """Padded to the longest."""
        longest = max(len(e.shown) for e in examples)

        def padded(values: list[np.ndarray]) -> Tensor:
            widths = [[(0, 0)] * (v.ndim - 1) + [(0, longest - v.shape[-1])] for v in values]
            return torch.from_numpy(np.stack([np.pad(v, w) for v, w in zip(values, widths, strict=True)]))

        readings = [e.reading for e in examples]
        mask = torch.arange(longest)[None] < torch.tensor([len(e.shown) for e in examples])[:, None]
        inputs = CampInputs(
            padded([r.tokens.classes for r in readings]), padded([e.numbers for e in examples]), mask,
            torch.tensor([e.voice for e in examples]), torch.tensor([r.level for r in readings], dtype=torch.float32),
            torch.tensor([e.pace for e in examples], dtype=torch.float32),
        )  # fmt: skip
        measured = Measured(
            padded([r.frames for r in readings]), padded([r.log_f0 for r in readings]),
            padded([r.voiced for r in readings]), padded([r.energy for r in readings]) / ENERGY_SCALE_DB,
            padded([r.tokens.word for r in readings]),
        )  # fmt: skip
        return CampBatch(inputs, measured, padded([e.shown for e in examples]))

    def loss(self, batch: CampBatch, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        inputs = CampInputs(*(t.to(self.device) for t in batch.inputs))
        measured = Measured(*(t.to(self.device) for t in batch.measured))
        frames, log_f0, voiced, energy, _ = measured
        inputs = self.network.told(inputs, measured, batch.shown.to(self.device))
        timing, melody = self.network(inputs, frames)
        gap = (inputs.classes[:, 0] == 0) & inputs.mask
        phone = inputs.mask & ~gap
        inner = gap.clone()  # how long it is silent before and after a recording tells nothing
        inner[:, 0] = False
        inner &= torch.roll(inputs.mask, -1, 1) & (torch.arange(gap.shape[1], device=gap.device) < gap.shape[1] - 1)
        paused = inner & (frames > 0)
        log_frames = torch.log(frames.clamp(min=1).float())
        lasting = _mean(F.smooth_l1_loss(timing.log_frames.float(), log_frames, reduction="none", beta=0.3), phone)
        pause = _mean(_binary(timing.pause_logit, (frames > 0).float()), inner)
        pausing = _mean(F.smooth_l1_loss(timing.log_pause.float(), log_frames, reduction="none", beta=0.3), paused)
        here = (inputs.mask & (frames > 0))[:, None].expand(-1, POINTS, -1)
        weight = voiced * here
        f0 = melody.log_f0.float()
        pitch = ((f0 - log_f0).abs() * weight).sum() / weight.sum().clamp(min=1)
        voicing = _mean(_binary(melody.voicing_logit, voiced), here)
        loudness = _mean((melody.energy.float() - energy).abs(), here)
        task = self.task
        loss = lasting + task.pause_weight * (pause + 0.5 * pausing) + task.melody_weight * pitch
        loss = loss + task.voicing_weight * voicing + task.energy_weight * loudness
        figures = {"lasting": lasting, "pause": pause, "pitch": pitch, "voicing": voicing, "energy": loudness}
        return loss, {name: value.item() for name, value in figures.items()}

    def speech_seconds(self, batch: CampBatch) -> float:
        """Of recorded speech in a batch."""
        return float(batch.measured.frames.sum()) * self.config.mel.hop_length / self.config.mel.sample_rate

    def sample(self, number: int) -> Sample | None:
        """F0 above the level, voicing and energy of a reading, four rows each, over its tokens."""
        if number >= len(self.readings):
            return None
        example = self.readings[number]
        reading, batch = example.reading, self.collate([example])
        with torch.inference_mode():
            inputs = CampInputs(*(t.to(self.device) for t in batch.inputs))
            inputs = self.network.told(inputs, batch.measured, batch.shown)
            said = self.network.melody(inputs, batch.measured.frames)
        rows = [said.log_f0, torch.sigmoid(said.voicing_logit), said.energy / 3]
        predicted = torch.cat([r[0] for r in rows]).float().cpu().numpy()
        target = np.concatenate([reading.log_f0, reading.voiced, reading.energy / ENERGY_SCALE_DB / 3])
        step = float(reading.frames.sum()) * self.config.mel.hop_length / self.config.mel.sample_rate / target.shape[1]
        name = self.config.speakers[example.voice] if example.voice >= 0 else "unknown"
        return Sample(name, "prosody", target, predicted, step)


def _binary(logit: Tensor, truth: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logit.float(), truth, reduction="none")


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
