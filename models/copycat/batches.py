"""Crops of recordings, perturbed, as tensors: what self-transfer learns from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prosody_transfer.analysis.phone_words import words_of_phones
from prosody_transfer.core.config import Config
from prosody_transfer.data.dataset import Corpus, speaker_weights
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import ENERGY_SCALE_DB, F0_SCALE, PhoneInputs, ProsodyInputs
from prosody_transfer.models.copycat.network import MEL_FLOOR, CopyCat
from prosody_transfer.text.phones import PHONES, VOWELS
from prosody_transfer.training.heard import heard_phones
from prosody_transfer.training.perturb import perturb_energy, perturb_mel, soften_phones


class CopyCatTaskConfig(Config):
    """Batch and loss settings.

    `capacity_bits` is the latent's rate per second at the end of its ramp; `start_from` a CopyCat checkpoint with the
    same network settings, or fewer decoder layers, to go on from, or several, of which the mean; then there is no ramp.
    `adversary_weight`: how strongly the latent is trained against the classifier of speakers that learns beside the
    network; at 0 that only reports. `perturb`: whether the reference encoder hears a perturbed mel, its bands moved by
    up to `warp`, relative. `recogniser`: a checkpoint ("shipped": the one that ships) whose posteriors stand for heard
    phones in a share `soft_phones` of the crops; "" for made-up doubt.
    """

    batch_size: int = 12
    crop_frames: int = 192
    soft_phones: float = 0.25
    unknown_source: float = 0.5
    drop_pitch: float = 0.15
    drop_energy: float = 0.15
    drop_latent: float = 0.25
    capacity_bits: float = 15.0
    kl_weight: float = 0.1
    pitch_weight: float = 0.1
    early_weight: float = 0.3
    start_from: str | tuple[str, ...] = ""
    adversary_weight: float = 0.0
    perturb: bool = True
    warp: float = 0.15
    recogniser: str = ""


@dataclass(frozen=True)
class CopyCatBatch:
    """Tensors of one step: phones of whole utterances, and a crop of T frames from each starting at `start` (B,)."""

    phones: PhoneInputs
    prosody: ProsodyInputs
    start: Tensor
    total_frames: int
    mel: Tensor
    heard: Tensor
    mask: Tensor
    speaker: Tensor
    level: Tensor
    known: Tensor

    def to(self, device: str) -> CopyCatBatch:
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        moved: dict[str, Any] = {k: v if isinstance(v, int) else v.to(device) for k, v in parts.items()}
        return CopyCatBatch(**moved)


def default_confusion() -> np.ndarray:
    """Which phones are taken for which, (V, V): uniform over vowels for vowels and over consonants for consonants."""
    size = len(PHONES)
    vowel = np.array([p in VOWELS for p in PHONES])
    table = np.where(vowel[:, None] == vowel[None], 1.0, 0.05)
    table[:, 0] = 0.3
    table[0] = 0.2
    return table / table.sum(1, keepdims=True) if size else table


class Batcher:
    """Batches of a corpus; needs no network.

    Args:
        rows: Those of other speakers than `config.speakers` are not used.
        cache: Where they are measured.
        levels: ln Hz, the median F0 of each speaker.

    Attributes:
        words: Of each utterance (P,) which word each phone belongs to; [] where the network does not ask.
        weights: How often each utterance is drawn; they sum to 1.
    """

    def __init__(
        self, config: CopyCatConfig, task: CopyCatTaskConfig, rows: list[Row], cache: str | Path,
        levels: dict[str, float],
    ) -> None:  # fmt: skip
        self.config, self.task = config, task
        wanted = [r for r in rows if r.speaker in config.speakers]
        keep = lambda u: len(u.phones) > 2 and u.features.n_frames >= task.crop_frames // 2
        self.corpus = Corpus(wanted, cache, config.mel, with_pcm=False, keep=keep)
        self.weights = speaker_weights(self.corpus.speakers, [u.features.n_frames for u in self.corpus.utterances])
        self.levels = levels
        self.confusion = default_confusion()
        told = task.recogniser and task.soft_phones > 0
        self.posteriors = heard_phones(task.recogniser, self.corpus.utterances) if told else []
        spoken = zip(self.corpus.utterances, self.corpus.texts, strict=True)
        self.words = [words_of_phones(u.phones, t) for u, t in spoken] if config.latent_unit == "word" else []

    def _item(self, i: int, rng: np.random.Generator) -> dict[str, Any]:
        task, utterance, speaker = self.task, self.corpus.utterances[i], self.corpus.speakers[i]
        features, size = utterance.features, task.crop_frames
        start = int(rng.integers(0, max(1, features.n_frames - size + 1)))
        part = slice(start, start + size)
        count = min(size, features.n_frames - start)
        pad = lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, size - count)]).astype(np.float32)
        one_hot = np.eye(self.config.n_phones, dtype=np.float32)[utterance.phones]
        stress = utterance.stress.astype(np.int64)
        if rng.random() < task.soft_phones:
            known = self.posteriors
            one_hot = known[i].astype(np.float32) if known else soften_phones(one_hot, self.confusion, rng)
            stress = np.zeros_like(stress)
        level = self.levels[speaker]
        return {
            "phones": one_hot, "stress": stress, "durations": utterance.durations.astype(np.int64), "start": start,
            **({"words": self.words[i]} if self.words else {}),
            "mel": pad(np.maximum(features.mel[:, part], MEL_FLOOR)),
            "heard": pad(self._heard(features.mel[:, part], rng)),
            "log_f0": pad((features.log_f0[part] - level) / F0_SCALE),
            "voiced": pad(features.voiced[part].astype(np.float32)),
            "energy": pad(perturb_energy(features.energy_db, rng)[part] / ENERGY_SCALE_DB),
            "mask": np.arange(size) < count,
            "speaker": self.config.speakers.index(speaker), "level": level,
            "known": float(rng.random() >= task.unknown_source),
            "keep": (rng.random(3) >= (task.drop_pitch, task.drop_energy, task.drop_latent)).astype(np.float32),
        }  # fmt: skip

    def _heard(self, mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What the reference encoder hears of a mel, (M, T)."""
        return perturb_mel(mel, rng, warp=self.task.warp) if self.task.perturb else mel

    def batch(self, rng: np.random.Generator, step: int) -> CopyCatBatch:
        chosen = rng.choice(len(self.weights), self.task.batch_size, p=self.weights)
        return collate([self._item(int(i), rng) for i in chosen])

    def speech_seconds(self, batch: CopyCatBatch) -> float:
        """Of recorded speech in a batch."""
        return float(batch.mask.sum()) * self.config.mel.hop_length / self.config.mel.sample_rate


def on_crops(network: CopyCat, batch: CopyCatBatch) -> tuple[Tensor, Tensor, Tensor | None]:
    """`CopyCat.expand` and `CopyCat.units` of whole utterances, on the frames of their crops."""
    up, position = network.expand(batch.phones, batch.total_frames)
    at = batch.start[:, None] + torch.arange(batch.mel.shape[2], device=up.device)
    at = at.clamp(max=batch.total_frames - 1)
    crop = lambda values: values.gather(2, at[:, None].expand(-1, values.shape[1], -1))
    units = network.units(batch.phones, batch.total_frames)
    return crop(up), crop(position), units if units is None else units.gather(1, at)


def collate(items: list[dict[str, Any]]) -> CopyCatBatch:
    """Pad the phones to the longest utterance and stack everything."""
    longest = max(len(i["phones"]) for i in items)
    rows = lambda key: torch.from_numpy(
        np.stack([np.pad(i[key], [(0, longest - len(i[key]))] + [(0, 0)] * (i[key].ndim - 1)) for i in items])
    )
    stack = lambda key: torch.from_numpy(np.stack([i[key] for i in items]))
    count = torch.tensor([len(i["phones"]) for i in items])
    phones = PhoneInputs(
        rows("phones"), rows("stress"), rows("durations"), torch.arange(longest)[None] < count[:, None],
        rows("words") if "words" in items[0] else None,
    )  # fmt: skip
    prosody = ProsodyInputs(stack("log_f0"), stack("voiced"), stack("energy"), stack("keep"))
    total = int(phones.durations.sum(1).max())
    numbers = lambda key, kind: torch.tensor([i[key] for i in items], dtype=kind)
    return CopyCatBatch(
        phones, prosody, numbers("start", torch.long), total, stack("mel"), stack("heard"), stack("mask"),
        numbers("speaker", torch.long), numbers("level", torch.float32), numbers("known", torch.float32),
    )  # fmt: skip
