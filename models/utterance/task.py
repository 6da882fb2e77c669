"""Training on readings what models share that know an utterance by one vector, and their bank of sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor

from prosody_transfer.analysis.readings import Reading
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import PtxError, UsageError
from prosody_transfer.core.extras import LANGUAGE, require
from prosody_transfer.core.keys import sentence_key
from prosody_transfer.data.dataset import Corpus
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.utterance.network import LONGEST_SENTENCE, Posterior, Said, Text, Utterance
from prosody_transfer.models.utterance.speaking import ENERGY_SCALE_DB, said_tensors
from prosody_transfer.selection.described import Described, describe
from prosody_transfer.training.prosody_losses import prosody_losses
from prosody_transfer.training.readings import reading_of
from prosody_transfer.training.samples import Sample
from prosody_transfer.training.settings import Settings
from prosody_transfer.training.task import Task
from prosody_transfer.training.voices import aligned_speakers, voice_facts

ALIKE = 4  # batches of readings, among whose lengths those of one batch are
MOST_SENTENCES = 2500  # of the bank
HEARD = slice(3, 5)  # rows of the numbers of a token that say how prominent it was: never told, the vector has to


class UtteranceTaskConfig(Config):
    """Batch and loss settings.

    `unread`: share of readings that is told nothing of prominence and boundaries. `capacity`: nats that the vector may
    carry for nothing, beyond which each costs `kl_weight`.
    """

    batch_size: int = 16
    unread: float = 0.3
    capacity: float = 8.0
    kl_weight: float = 0.1
    pause_weight: float = 0.5
    melody_weight: float = 8.0
    voicing_weight: float = 0.3
    energy_weight: float = 0.3


@dataclass(frozen=True)
class Spoken:
    """A reading that is learnt from.

    Attributes:
        reading: What was measured.
        numbers: (N, P), those of its tokens that are told.
        said: As `speaking.said_tensors` has it.
        noise: (D,) of the vector; 0 for its mean.
        described: What its sentence is compared by; None where it is not one sentence, or a long one.
        words: As `selection.described.graph` has them.
    """

    reading: Reading
    numbers: np.ndarray
    said: Mapping[str, np.ndarray]
    noise: np.ndarray
    described: Described | None
    words: tuple[np.ndarray, np.ndarray, np.ndarray]


class UtteranceBatch(NamedTuple):
    """`target`: frames (B, P), then (B, 4, P) each of F0, voicing and energy; `noise` (B, D); `words` for a sampler."""

    text: Text
    said: Said
    target: tuple[Tensor, Tensor, Tensor, Tensor]
    noise: Tensor
    words: tuple[Tensor, Tensor, Tensor, Tensor]


class UtteranceTask(Task):
    """Durations, pauses and contours of readings, by their text and one vector that the encoder makes of them.

    Nothing of the voice is told but its level, nothing of pace, range or prominence: the vector has to carry that.
    """

    settings_class = UtteranceTaskConfig
    network_class: ClassVar[type[Utterance]] = Utterance

    def __init__(
        self, config: Any, task: Any, rows: list[Row], cache: str | Path, voices: Mapping[str, Mapping[str, Any]],
        device: str = "cpu", dev: bool = False,
    ) -> None:  # fmt: skip
        require("speak", LANGUAGE, f"ptx train {self.kind}")
        self.config, self.task, self.device, self.dev = config, task, device, dev
        self.network = self.network_class(config).to(device)
        wanted = [row for row in rows if row.speaker in voices]
        self.corpus = Corpus(wanted, cache, config.mel, with_pcm=False, keep=lambda u: len(u.phones) > 2)
        self.readings: list[Spoken] = []
        for utterance, name, text in zip(
            self.corpus.utterances, self.corpus.speakers, self.corpus.texts, strict=True
        ):
            found = self._spoken(utterance, text, voices[name]["log_f0_median"])
            self.readings += [found] if found is not None else []
        if not self.readings:
            raise UsageError("no text fits its recording", place=str(cache), remedy="check the texts")
        self.readings.sort(key=lambda spoken: len(spoken.reading.frames))
        self._standardise()

    def _standardise(self) -> None:
        """What the encoder reads off is told in deviations from the mean of the readings that are learnt from."""
        said = [Said(*self.collate([spoken]).said) for spoken in self.readings]
        rows = torch.cat([self.network.encoder.read_off(one) for one in said])
        self.network.encoder.middle.copy_(rows.mean(0))
        self.network.encoder.scale.copy_(rows.std(0, correction=0).clamp(min=0.01))

    def _spoken(self, utterance: Any, text: str, level: float) -> Spoken | None:
        from prosody_transfer.selection.described import graph
        from prosody_transfer.text.linguistics.analysis import analyse

        try:
            sentences = analyse(text)
        except PtxError:
            return None
        reading = reading_of(utterance, text, level, analysed=sentences)
        if reading is None:
            return None
        tokens = reading.tokens
        said = said_tensors(tokens.classes[0], reading.frames, reading.log_f0, reading.voiced, reading.energy)
        numbers = tokens.numbers.copy()
        numbers[HEARD] = 0.0
        alone = len(sentences) == 1 and len(sentences[0].words) < LONGEST_SENTENCE
        described = describe(sentences[0]) if alone else None
        noise = np.zeros(self.config.latent_channels, np.float32)
        return Spoken(reading, numbers, said, noise, described, graph(sentences))

    @classmethod
    def complete(cls, plan: Settings, rows: list[Row]) -> tuple[Settings, dict[str, Any]]:
        """Everybody who was recorded is learnt from, unless the settings name the speakers; the bank has room."""
        network: Any = plan.network
        if not network.speakers:
            network = msgspec.structs.replace(network, speakers=aligned_speakers(rows, plan.data.cache))
        if not network.bank:
            network = msgspec.structs.replace(network, bank=min(MOST_SENTENCES, len(rows)))
        known = voice_facts(rows, plan.data.cache, network.speakers, network.classes[0])
        return replace(plan, network=network), {"voices": known, "texts": text_keys(row.text for row in rows)}

    @classmethod
    def make(
        cls, plan: Settings, rows: list[Row], facts: Mapping[str, Any], device: str, dev: bool = False
    ) -> UtteranceTask:  # fmt: skip
        return cls(plan.network, plan.task, rows, plan.data.cache, facts["voices"], device, dev)

    def batch(self, rng: np.random.Generator, step: int) -> UtteranceBatch:
        """Whole readings of about one length, drawn at random: little of a batch is padding."""
        size = min(self.task.batch_size, len(self.readings))
        near = min(len(self.readings), ALIKE * size)
        start = int(rng.integers(-near // 2, len(self.readings) - near // 2 + 1))
        start = min(max(start, 0), len(self.readings) - near)
        chosen = [self.readings[start + i] for i in rng.choice(near, size, replace=False)]
        return self.collate(chosen if self.dev else [self._drawn(spoken, rng) for spoken in chosen])

    def _drawn(self, spoken: Spoken, rng: np.random.Generator) -> Spoken:
        """The same with a vector that is drawn from its posterior, and perhaps nothing of what readers would do."""
        numbers = spoken.numbers.copy()
        if rng.random() < self.task.unread:
            numbers[:3] = 0.0
        noise = rng.standard_normal(self.config.latent_channels).astype(np.float32)
        return replace(spoken, numbers=numbers, noise=noise)

    @staticmethod
    def collate(chosen: Sequence[Spoken]) -> UtteranceBatch:
        """Padded to the longest."""
        readings = [spoken.reading for spoken in chosen]
        sizes = torch.tensor([len(r.frames) for r in readings])
        mask = torch.arange(int(sizes.max()))[None] < sizes[:, None]
        text = Text(
            _padded([r.tokens.classes for r in readings]), _padded([s.numbers for s in chosen]), mask,
            torch.tensor([r.level for r in readings], dtype=torch.float32),
        )  # fmt: skip
        said = {name: _padded([spoken.said[name] for spoken in chosen]) for name in chosen[0].said}
        target = (
            _padded([r.frames for r in readings]), _padded([r.log_f0 for r in readings]),
            _padded([r.voiced for r in readings]), _padded([r.energy for r in readings]) / ENERGY_SCALE_DB,
        )  # fmt: skip
        counts = torch.tensor([len(spoken.words[1]) for spoken in chosen])
        of_words = torch.arange(int(counts.max()))[None] < counts[:, None]
        vectors, tags = _padded([s.words[0].T for s in chosen]), _padded([s.words[1] for s in chosen])
        arcs = torch.zeros(len(chosen), of_words.shape[1], of_words.shape[1])
        for number, spoken in enumerate(chosen):
            arcs[number, : counts[number], : counts[number]] = torch.from_numpy(spoken.words[2])
        noise = torch.from_numpy(np.stack([spoken.noise for spoken in chosen]))
        return UtteranceBatch(text, Said(*said.values()), target, noise, (vectors, tags, arcs, of_words))

    def loss(self, batch: UtteranceBatch, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        posterior = self.network.encode(Said(*(t.to(self.device) for t in batch.said)))
        return self.reconstruct(batch, posterior)

    def reconstruct(self, batch: UtteranceBatch, posterior: Posterior) -> tuple[Tensor, dict[str, float]]:
        """What is lost with a vector from the posterior, and what that carries, in nats."""
        text = Text(*(t.to(self.device) for t in batch.text))
        frames, *contours = (t.to(self.device) for t in batch.target)
        mean, log_variance = posterior.mean.float(), posterior.log_variance.float()
        latent = mean + torch.exp(log_variance / 2) * batch.noise.to(self.device)
        timing, melody = self.network.timing(text, latent), self.network.melody(text, latent, frames)
        lost = prosody_losses(timing, melody, text.classes, text.mask, (frames, *contours))  # type: ignore[arg-type]
        carried = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
        task = self.task
        loss = lost["lasting"] + task.pause_weight * (lost["pause"] + 0.5 * lost["pausing"])
        loss = loss + task.melody_weight * lost["pitch"] + task.voicing_weight * lost["voicing"]
        loss = loss + task.energy_weight * lost["energy"] + task.kl_weight * (carried - task.capacity).clamp(min=0)
        return loss, {**{name: value.item() for name, value in lost.items()}, "nats": carried.item()}

    def speech_seconds(self, batch: UtteranceBatch) -> float:
        """Of recorded speech in a batch."""
        return float(batch.target[0].sum()) * self.config.mel.hop_length / self.config.mel.sample_rate

    def sample(self, number: int) -> Sample | None:
        """F0 above the level, voicing and energy of a reading, four rows each, over its tokens."""
        if number >= len(self.readings):
            return None
        spoken = self.readings[number]
        reading, batch = spoken.reading, self.collate([spoken])
        with torch.inference_mode():
            latent = self.network.encode(Said(*(t.to(self.device) for t in batch.said))).mean
            text = Text(*(t.to(self.device) for t in batch.text))
            found = self.network.melody(text, latent, batch.target[0].to(self.device))
        rows = [found.log_f0, torch.sigmoid(found.voicing_logit), found.energy / 3]
        predicted = torch.cat([r[0] for r in rows]).float().cpu().numpy()
        target = np.concatenate([reading.log_f0, reading.voiced, reading.energy / ENERGY_SCALE_DB / 3])
        step = float(reading.frames.sum()) * self.config.mel.hop_length / self.config.mel.sample_rate / target.shape[1]
        return Sample("reading", "prosody", target, predicted, step)

    def finish(self, average: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Fill the bank with the posteriors of what is one sentence."""
        self.network.load_state_dict(average)
        self.network.eval()
        chosen = [spoken for spoken in self.readings if spoken.described is not None]
        if len(chosen) > self.config.bank:  # of all lengths alike
            chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, self.config.bank).astype(int)]
        for row, spoken in enumerate(chosen):
            assert (asked := spoken.described) is not None
            with torch.inference_mode():
                found = self.network.encode(Said(*(t.to(self.device) for t in self.collate([spoken]).said)))
            average["bank_means"][row] = found.mean[0]
            average["bank_log_variances"][row] = found.log_variance[0]
            for name, values in (("bank_distances", asked.distances), ("bank_tags", asked.tags)):
                average[name][row, : len(values)] = torch.from_numpy(values).to(average[name])
            average["bank_words"][row], average["bank_kinds"][row] = len(asked.tags), asked.kind
            average["bank_vectors"][row] = torch.from_numpy(asked.vector)
        self.network.load_state_dict(average)
        facts["sentences"] = len(chosen)


def text_keys(texts: Iterable[str]) -> list[str]:
    """What tells whether a text was learnt from, however it is punctuated: ten hex digits of each, sorted."""
    keys = {sentence_key(text) for text in texts} - {""}
    return sorted(hashlib.sha256(key.encode()).hexdigest()[:10] for key in keys)


def _padded(values: Sequence[np.ndarray]) -> Tensor:
    longest = max(v.shape[-1] for v in values)
    widths = [[(0, 0)] * (v.ndim - 1) + [(0, longest - v.shape[-1])] for v in values]
    return torch.from_numpy(np.stack([np.pad(v, w) for v, w in zip(values, widths, strict=True)]))
