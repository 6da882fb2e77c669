"""What is trained: a network, its batches and its loss, as the loop, the validation and `ptx train` know it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from prosody_transfer.core.config import Config
from prosody_transfer.data.manifest import Row
from prosody_transfer.training.samples import Sample
from prosody_transfer.training.settings import Settings


class Task(ABC):
    """One kind of network in training; a model's folder has one, see `models.registry.Model.task`.

    Attributes:
        kind: Of its checkpoints.
        settings_class: Of `task`.
        criterion: The figure whose least value on dev recordings makes a checkpoint the best.
        measured: Whether it learns from mels and aligned phones, which are made where a config's manifests lack them.
        network: What learns, a torch module; its settings are `config`, a `Config`.
        task: Batch and loss settings, a `settings_class`, kept in the checkpoint.
        corpus: The `data.dataset.Corpus` that it learns from; None where samples of it make no sense.
        started_from: How the weights that it began with were trained; kept in the checkpoint.
    """

    kind: ClassVar[str]
    settings_class: ClassVar[type[Config]]
    criterion: ClassVar[str] = "loss"
    measured: ClassVar[bool] = True
    config: Any
    task: Any
    network: Any
    corpus: Any = None
    started_from: list[dict[str, Any]] | None = None

    @abstractmethod
    def batch(self, rng: np.random.Generator, step: int) -> Any:
        """The tensors of a step; they depend on `rng` and `step` alone."""

    @abstractmethod
    def loss(self, batch: Any, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        """What is made small, and figures to report."""

    def speech_seconds(self, batch: Any) -> float:
        """Of recorded speech in a batch, for the throughput."""
        return 0.0

    def beside(self) -> dict[str, Tensor]:
        """What is learnt beside the network, kept in the state to go on from."""
        return {}

    def load_beside(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `beside` gave."""
        del tensors

    def sample(self, number: int) -> Sample | None:
        """Recording `number` of the corpus through the network, to look at and listen to; None where there is none."""
        return None

    @classmethod
    def complete(cls, plan: Settings, rows: list[Row]) -> tuple[Settings, dict[str, Any]]:
        """Settings with what only the recordings tell, and facts about them for the checkpoint."""
        return plan, {}

    @classmethod
    def make(cls, plan: Settings, rows: list[Row], facts: Mapping[str, Any], device: str, dev: bool = False) -> Task:
        """The task of a run.

        Args:
            facts: From `complete`.
            dev: The recordings are measured, not learnt from.
        """
        return cls(plan.network, plan.task, rows, plan.data.cache, device)  # type: ignore[call-arg]

    def finish(self, average: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Add to the facts what is known once the training is over."""
        del average, facts
