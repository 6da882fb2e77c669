"""Training it in two stages: the utterance's networks, and then the sampler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prosody_transfer.core.errors import ModelError
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.kathaka.network import Kathaka, Words
from prosody_transfer.models.utterance.network import Posterior, Said
from prosody_transfer.models.utterance.task import UtteranceBatch, UtteranceTask, UtteranceTaskConfig
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.store.header import read_kind


class KathakaTaskConfig(UtteranceTaskConfig):
    """As `UtteranceTaskConfig`, and `start_from`: a checkpoint with stage 1, which is then left as it is.

    Without it, stage 1 is trained for `stage_one` of the steps, and then the sampler alone.
    """

    start_from: str = ""
    stage_one: float = 0.75


class KathakaTask(UtteranceTask):
    """Stage 1 as `UtteranceTask`; stage 2: the predicted distribution is to be that of the recording."""

    kind, settings_class, network_class = "kathaka", KathakaTaskConfig, Kathaka

    def __init__(
        self, config: Any, task: Any, rows: list[Row], cache: str | Path, voices: Mapping[str, Mapping[str, Any]],
        device: str = "cpu", dev: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(config, task, rows, cache, voices, device, dev)
        if task.start_from:
            self.started_from = [_stage_one(self.network, task.start_from)]

    def loss(self, batch: UtteranceBatch, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        first = not self.task.start_from and step < self.task.stage_one * total_steps
        said, words = (tuple(t.to(self.device) for t in part) for part in (batch.said, batch.words))
        self.network.train(not self.dev and not first)
        if first:
            return self.reconstruct(batch, self.network.encode(Said(*said)))
        with torch.no_grad():
            known = self.network.encode(Said(*said))
        lost = divergence(known, self.network.predict(Words(*words))).mean()
        return lost, {"divergence": lost.item()}


def divergence(known: Posterior, predicted: Posterior) -> Tensor:
    """KL of the recording's distribution from the predicted one, nats, (B,)."""
    mean, log_variance = known.mean.float(), known.log_variance.float()
    ratio = ((mean - predicted.mean.float()) ** 2 + log_variance.exp()) * torch.exp(-predicted.log_variance.float())
    return 0.5 * (predicted.log_variance.float() - log_variance - 1 + ratio).sum(1)


def _stage_one(network: Kathaka, path: str) -> dict[str, Any]:
    """Give the network another's stage 1 and bank.

    Raises:
        ModelError: The checkpoint can't be read, or has not all of it.
    """
    tensors, header = load_checkpoint(path, read_kind(path), lambda header, shapes: None)
    own = network.state_dict()
    asked = {name for name in own if not name.startswith("sampler.")}
    fits = {name for name in asked if name in tensors and tensors[name].shape == own[name].shape}
    if lacking := sorted(asked - fits):
        problem = f"has no {lacking[0]!r} of the network's shape"
        raise ModelError(problem, place=path, remedy="start from a model of the same [network], or train stage 1 too")
    network.load_state_dict({**own, **{name: tensors[name] for name in asked}})
    return {name: header[name] for name in ("step", "seconds", "loop", "task", "data") if name in header}
