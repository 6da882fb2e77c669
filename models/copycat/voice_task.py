"""A new voice on the shipped acoustic model: its own row, the speaker conditioning and the last blocks learn."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.data.manifest import Row
from prosody_transfer.models.copycat.batches import Batcher, CopyCatBatch, CopyCatTaskConfig, on_crops
from prosody_transfer.models.copycat.config import CopyCatConfig, adaptable
from prosody_transfer.models.copycat.detail import measure_sharpening
from prosody_transfer.models.copycat.network import CopyCat, Decoded
from prosody_transfer.models.copycat.task import recorded_loss
from prosody_transfer.store.voice_network import ROW
from prosody_transfer.training.losses import masked_mean, mel_l1
from prosody_transfer.training.task import Task
from prosody_transfer.voices.settings import VoiceTaskConfig


class VoiceBatch(NamedTuple):
    """Crops of the new voice, the shipped voices that the first of them are also asked for (K,), and old crops."""

    new: CopyCatBatch
    others: Tensor
    old: CopyCatBatch | None


class Table(nn.Module):
    """A speaker table whose last row learns; the others, (S, D), are as they were."""

    def __init__(self, old: Tensor, row: Tensor) -> None:
        super().__init__()
        self.register_buffer("old", old.detach().clone())
        self.row = nn.Parameter(row.detach().clone())

    @property
    def weight(self) -> Tensor:
        return torch.cat([self.old, self.row[None]])  # type: ignore[list-item]

    def forward(self, speaker: Tensor) -> Tensor:
        return F.embedding(speaker, self.weight)


class Along(nn.Module):
    """A block's speaker conditioning that learns what it does along one direction of the speaker embedding.

    No shipped voice has a component in that direction, so whatever is learnt here is nothing to them.
    """

    def __init__(self, linear: nn.Linear, direction: Tensor) -> None:
        super().__init__()
        self.linear = linear
        self.register_buffer("direction", direction)
        self.shift = nn.Parameter(torch.zeros_like(linear.bias))

    def forward(self, context: Tensor) -> Tensor:
        return self.linear(context) + (context @ self.direction)[..., None] * self.shift  # type: ignore[operator]

    def weight(self, shift: Tensor) -> Tensor:
        """The plain layer's weight once `shift` is learnt."""
        return self.linear.weight.detach() + shift[:, None] * self.direction  # type: ignore[operator]


def free_direction(table: Tensor, layers: list[Tensor]) -> Tensor:
    """(D,) unit vector orthogonal to every row of the speaker table (S, D); the layers (C, D) answer it least."""
    _, _, rows = torch.linalg.svd(table, full_matrices=True)
    free = rows[len(table) :]  # (D - S, D)
    _, _, answers = torch.linalg.svd(torch.cat(layers) @ free.T, full_matrices=False)
    return answers[-1] @ free


class Learned(nn.Module):
    """The parameters that learn, under names of their own: all that a checkpoint of a new voice holds."""

    def __init__(self, network: CopyCat) -> None:
        super().__init__()
        network.requires_grad_(False)
        self.register_parameter(ROW, network.speaker_table.row)  # type: ignore[arg-type]
        for name, module in network.named_modules():
            if isinstance(module, Along):
                self.register_parameter(f"{name}.weight".replace(".", ":"), module.shift)
        for name, parameter in network.named_parameters():
            if name in adaptable([name]) and ".modulation." not in name:
                self.register_parameter(name.replace(".", ":"), parameter)
        self.requires_grad_(True)


class VoiceTask(Task):
    """What `training.loop` trains.

    Args:
        base: The shipped acoustic model, with S voices; it is not changed.
        levels: ln Hz, median F0 of the S voices, in their order, and of the new one, last.
        task: Settings.
        rows: Recordings of the new voice, all of one speaker.
        cache: Where they are measured.
        fisher: Importance of the adaptable parameters by name (see `voices.fisher`); None: no consolidation.
        replay: Recordings of shipped voices and their cache; None: none.
    """

    kind, settings_class = "new-voice", VoiceTaskConfig

    def __init__(
        self, base: CopyCat, levels: list[float], task: VoiceTaskConfig, rows: list[Row], cache: Any,
        fisher: Mapping[str, Tensor] | None = None, replay: tuple[list[Row], Any] | None = None, device: str = "cpu",
    ) -> None:  # fmt: skip
        self.task, self.device, self.base = task, device, base.to(device).eval().requires_grad_(False)
        new = rows[0].speaker
        old = tuple(f"{s} as shipped" if s == new else s for s in base.config.speakers)
        self.config = CopyCatConfig(**{**_fields(base.config), "speakers": (*old, new)})
        crops = lambda size: CopyCatTaskConfig(batch_size=size, crop_frames=task.crop_frames)
        known = dict(zip(self.config.speakers, levels, strict=True))
        self.new = Batcher(self.config, crops(task.batch_size), rows, cache, known)
        self.corpus = self.new.corpus
        self.old = None
        if replay and task.replay_size:
            self.old = Batcher(self.config, crops(task.replay_size), replay[0], replay[1], known)
        self.levels = torch.tensor(levels, dtype=torch.float32)
        self.known_level = levels[-1]
        self.model = copy.deepcopy(self.base)
        table = self.base.speaker_table.weight
        self.model.speaker_table = Table(table, table.mean(0))  # type: ignore[assignment]
        norms = [m for m in self.model.modules() if isinstance(getattr(m, "modulation", None), nn.Linear)]
        self.direction = free_direction(table, [norm.modulation.weight for norm in norms])  # type: ignore[union-attr, misc]
        for norm in norms:
            norm.modulation = Along(norm.modulation, self.direction)  # type: ignore[arg-type]
        self.network = Learned(self.model).to(device)
        shared = [k for k in self.network.state_dict() if k != ROW and ":modulation:" not in k]
        self.start = {k: dict(self.network.named_parameters())[k].detach().clone() for k in shared}
        self.fisher = {k: fisher[k.replace(":", ".")].to(device) for k in self.start} if fisher else {}

    def speech_seconds(self, batch: VoiceBatch) -> float:
        """Of the new voice's speech in a batch."""
        return self.new.speech_seconds(batch.new)

    def batch(self, rng: np.random.Generator, step: int) -> VoiceBatch:
        new = self.new.batch(rng, step)
        others = rng.integers(0, len(self.levels) - 1, self.task.distil_size if self.task.distil_weight else 0)
        return VoiceBatch(new, torch.from_numpy(others), self.old.batch(rng, step) if self.old else None)

    def loss(self, batch: VoiceBatch, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        task = self.task
        new = batch.new.to(self.device)
        count = min(len(batch.others), len(new.speaker))
        inputs = self._inputs(new)
        others = batch.others[:count].to(self.device)
        level = self.levels.to(self.device)[others]
        both = self._decode(self.model, inputs, [new.speaker, others], [new.level, level])
        loss, figures = self._recorded(_rows(both, slice(None, len(new.speaker))), new)
        if count:
            with torch.no_grad():
                teacher = self._decode(self.base, inputs, [others], [level])
            replayed = _distance(_rows(both, slice(len(new.speaker), None)), teacher, new, count, task)
            loss, figures["distilled"] = loss + task.distil_weight * replayed, replayed.item()
        if batch.old is not None:
            old = batch.old.to(self.device)
            decoded = self._decode(self.model, self._inputs(old), [old.speaker], [old.level])
            replayed, seen = self._recorded(decoded, old)
            loss, figures["replayed_mel"] = loss + task.replay_weight * replayed, seen["mel"]
        if self.fisher and task.ewc_weight:
            consolidation = self.consolidation()
            loss, figures["ewc"] = loss + 0.5 * task.ewc_weight * consolidation, consolidation.item()
        return loss, figures

    def tensors(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a checkpoint of this task holds, as the tensors of the acoustic model that differ, and `ROW`."""
        modules, found = dict(self.model.named_modules()), {}
        for key, value in weights.items():
            name = key.replace(":", ".")
            owner = modules.get(name.rpartition(".")[0])
            found[name] = owner.weight(value.to(self.device)) if isinstance(owner, Along) else value
        return found

    def consolidation(self) -> Tensor:
        """sum_i F_i (theta_i - theta*_i)^2."""
        moved = dict(self.network.named_parameters())
        return torch.stack([(self.fisher[k] * (moved[k] - v) ** 2).sum() for k, v in self.start.items()]).sum()

    def _inputs(self, batch: CopyCatBatch) -> tuple[Tensor, ...]:
        """What the decoder reads of a batch, from the encoders, which do not learn."""
        with torch.no_grad():
            up, position, units = on_crops(self.base, batch)
            posterior = self.base.encode_reference(batch.heard, batch.mask, up, batch.known, units)
            latent = self.base.spread(posterior.sample(), up.shape[2], units)
        prosody = batch.prosody
        return up, position, batch.mask, prosody.log_f0, prosody.voiced, prosody.energy, prosody.keep, latent

    @staticmethod
    def _decode(network: Any, inputs: tuple[Tensor, ...], speakers: list[Tensor], levels: list[Tensor]) -> Decoded:
        """All speakers in one pass; those after the first are asked for the first rows of the inputs."""
        from prosody_transfer.models.copycat.inputs import ProsodyInputs

        stack = lambda values: torch.cat([values[: len(s)] for s in speakers])
        up, position, mask, log_f0, voiced, energy, keep, latent = (stack(values) for values in inputs)
        prosody = ProsodyInputs(log_f0, voiced, energy, keep)
        return network.decode(up, position, mask, prosody, latent, torch.cat(speakers), torch.cat(levels))

    def _recorded(self, decoded: Decoded, batch: CopyCatBatch) -> tuple[Tensor, dict[str, float]]:
        """The usual loss of self-transfer, without the latent's rate: its encoder does not learn."""
        return recorded_loss(decoded, batch, self.task.early_weight, self.task.pitch_weight)

    def begin_like(self, tries: int = 2) -> str:
        """Set the new row to that of the shipped voice which says the new recordings best; gives its name.

        Args:
            tries: Batches that every voice is tried on.
        """
        names, total = self.base.config.speakers, np.zeros(len(self.base.config.speakers))
        with torch.no_grad():
            for step in range(tries):
                torch.manual_seed(step)
                batch = self.new.batch(np.random.default_rng([step]), step).to(self.device)
                inputs = self._inputs(batch)
                for row in range(len(names)):
                    decoded = self._decode(self.base, inputs, [torch.full_like(batch.speaker, row)], [batch.level])
                    total[row] += mel_l1(decoded.mel, batch.mel, batch.mask).item()
            nearest = int(total.argmin())
            table = self.base.speaker_table.weight  # as far along the free direction as a voice is from none
            row = table[nearest] + table.norm(dim=1).mean() * self.direction
            self.model.speaker_table.row.copy_(row)  # type: ignore[operator, union-attr]
        return names[nearest]


    def sharpening(self, network: CopyCat) -> tuple[float, float]:
        """How much detail of the new voice is lost, once it is learnt: by `network`, whose last row it is."""
        row, level = len(self.levels) - 1, float(self.known_level)
        own = list(zip(self.corpus.utterances, self.corpus.texts, strict=True))
        return measure_sharpening(network, own, row, level)


def _fields(config: CopyCatConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__struct_fields__}  # type: ignore[attr-defined]


def _rows(decoded: Decoded, part: slice) -> Decoded:
    return Decoded(*(values[part] for values in decoded))


def _distance(said: Decoded, wanted: Decoded, batch: CopyCatBatch, count: int, task: VoiceTaskConfig) -> Tensor:
    """How far the first `count` rows are from what the shipped network says."""
    mask = batch.mask[:count]
    voicing = (torch.sigmoid(said.voicing_logit) - torch.sigmoid(wanted.voicing_logit)).abs()
    pitch = masked_mean((said.log_f0 - wanted.log_f0).abs() + voicing, mask)
    early = masked_mean((said.early_mel - wanted.early_mel).abs(), mask)
    return mel_l1(said.mel, wanted.mel, mask) + task.early_weight * early + task.pitch_weight * pitch
