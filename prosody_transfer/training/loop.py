"""The training loop: model-agnostic, resumable to the bit, safe to kill, in one process or several."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from prosody_transfer.core.atomic import make_folder
from prosody_transfer.core.errors import ModelError
from prosody_transfer.store.checkpoint import load_checkpoint, load_into, save_checkpoint
from prosody_transfer.store.header import read_header
from prosody_transfer.training import distributed
from prosody_transfer.training.logs import CsvLog, TensorBoard
from prosody_transfer.training.provenance import plain_settings, provenance
from prosody_transfer.training.records import Records
from prosody_transfer.training.settings import LoopConfig
from prosody_transfer.training.state import check_state
from prosody_transfer.training.task import Task
from prosody_transfer.training.watch import Watch, stop_flag


class Validator(Protocol):
    """Measures averaged weights on recordings that are not trained on; see `validation.Validation`."""

    criterion: str

    def measure(self, weights: dict[str, Tensor], seed: int) -> dict[str, float]: ...

    def show(self, folder: Path, step: int, board: TensorBoard) -> None: ...


def learning_rate(config: LoopConfig, step: int) -> float:
    """Linear warm-up, then half a cosine down to `final_rate` of the peak.

    >>> round(learning_rate(LoopConfig(), 0), 8), round(learning_rate(LoopConfig(), 5000), 8)
    (5e-06, 2e-05)
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = min(1.0, (step - config.warmup_steps) / max(1, config.total_steps - config.warmup_steps))
    return config.learning_rate * (
        config.final_rate + (1 - config.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
    )


def half_precision(config: LoopConfig, device: str) -> bool:
    """Whether matrix products run in bfloat16: asked for, and on a GPU only where it has the units for it."""
    emulated = device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    return config.precision == "bfloat16" and not emulated


class _Loss(nn.Module):
    """A task's loss as a module's forward pass: what DistributedDataParallel wraps."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network, self._loss = task.network, task.loss

    def forward(self, batch: Any, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        return self._loss(batch, step, total_steps)


class Trainer:
    """Runs a task in `run_dir`.

    There lie state.safetensors (to resume), model.safetensors (averaged weights), log.csv; with a validation also
    best.safetensors (averaged weights of the step that did best) and validation/. Of several processes, only the
    first writes.
    """

    def __init__(
        self, task: Task, config: LoopConfig, run_dir: Path, facts: dict[str, Any] | None = None,
        validation: Validator | None = None,
    ) -> None:  # fmt: skip
        self.task, self.config, self.run_dir, self.facts = task, config, run_dir, facts or {}
        self.validation = validation
        self.parameters = dict(task.network.named_parameters())
        self._loss: Callable[..., tuple[Tensor, dict[str, float]]] = task.loss
        if distributed.size() > 1:  # also gives every process the first one's weights
            self._loss = DistributedDataParallel(_Loss(task), forward_sync_buffers=False)
        self.optimiser = torch.optim.AdamW(
            self.parameters.values(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
        )
        self.average = {k: v.detach().clone() for k, v in task.network.state_dict().items()}
        self.watch = Watch(config.explosion_factor)
        self.step, self.seconds, self.speech_seconds = 0, 0.0, 0.0
        self.best: dict[str, Any] = {}
        self.ending = ""  # once `run` has returned: "finished", "time" or "asked"

    def _state(self) -> dict[str, Tensor]:
        tensors = {f"network.{k}": v for k, v in self.task.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for name, parameter in self.parameters.items():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                tensors[f"optimiser.{key}.{name}"] = torch.as_tensor(value)
        return tensors | {f"beside.{k}": v for k, v in self.task.beside().items()}

    def _facts(self) -> dict[str, Any]:
        facts = {"step": self.step, "seconds": round(self.seconds, 1), "loop": self.config.to_dict()}
        facts["task"] = plain_settings(self.task.task)
        if self.task.started_from:
            facts["started_from"] = self.task.started_from
        return {**facts, "made_with": provenance(), **self.facts}

    def _write(self, name: str, kind: str, tensors: dict[str, Tensor], **facts: Any) -> None:
        if distributed.is_leader():
            make_folder(self.run_dir)
            save_checkpoint(self.run_dir / name, kind, tensors, self.task.config.to_dict(), **self._facts(), **facts)

    def save(self) -> None:
        """Write both checkpoints; each is whole or the old one stays."""
        level = {"loss_level": self.watch.level} if math.isfinite(self.watch.level) else {}
        self._write("state.safetensors", f"{self.task.kind}-training", self._state(), **level)
        self._write("model.safetensors", self.task.kind, self.average)

    def resume(self) -> bool:
        """Continue where `state.safetensors` stopped; False when there is none.

        Raises:
            ModelError: The state is damaged, or was made with other settings of the network.
        """
        path = self.run_dir / "state.safetensors"
        if not path.exists():
            return False
        check = functools.partial(check_state, self.task, place=str(path))
        tensors, header = load_checkpoint(path, f"{self.task.kind}-training", check)
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "optimiser": {}, "beside": {}}
        for name, value in tensors.items():
            part, rest = name.split(".", 1)
            parts[part][rest] = value
        load_into(self.task.network, parts["network"], str(path))
        self.average = {k: parts["average"][k].to(v.device) for k, v in self.average.items()}
        for name, parameter in self.parameters.items():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                if (kept := parts["optimiser"].get(f"{key}.{name}")) is not None:
                    self.optimiser.state[parameter][key] = kept if key == "step" else kept.to(parameter.device)
        if parts["beside"]:
            self.task.load_beside(parts["beside"])
        self.step, self.seconds = header["step"], header["seconds"]
        self.watch = Watch(self.config.explosion_factor, header.get("loss_level", math.inf))
        if (best := self.run_dir / "best.safetensors").exists():
            found = read_header(best, self.task.kind)[0].get("validation")
            self.best = found if isinstance(found, dict) and isinstance(found.get("value"), float | int) else {}
        return True

    def _diverged(self, problem: str) -> NoReturn:
        path = self.run_dir / "state.safetensors"
        remedy = "there is no checkpoint yet: start again with a lower learning_rate"
        if path.exists():
            kept = read_header(path, f"{self.task.kind}-training")[0].get("step")
            remedy = f"the last good checkpoint is kept ({path.name}, step {kept}): lower learning_rate and --resume"
        raise ModelError(f"{problem} at step {self.step}", place=str(self.run_dir), remedy=remedy)

    def advance(self) -> dict[str, float]:
        """One step. The batch and all noise depend on the seed and the step alone, so a resumed run repeats nothing.

        Raises:
            ModelError: The loss or a gradient is no longer finite, or the loss has exploded.
        """
        config = self.config
        torch.manual_seed(config.seed * 1_000_003 + self.step)
        batch = self.task.batch(np.random.default_rng([config.seed, self.step]), self.step)
        self.speech_seconds += self.task.speech_seconds(batch)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(config, self.step)
        self.optimiser.zero_grad(set_to_none=True)
        device = next(iter(self.parameters.values())).device.type
        with torch.autocast(device, torch.bfloat16, enabled=half_precision(config, device)):
            loss, figures = self._loss(distributed.part(batch), self.step, config.total_steps)
        value = distributed.shared_mean(loss.detach(), 1).item()
        if not math.isfinite(value):
            self._diverged(f"the loss is {value}")
        if problem := self.watch.add(value):
            self._diverged(problem)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters.values(), config.clip_norm)
        if not torch.isfinite(norm):
            self._diverged(f"the gradient is {float(norm)}")
        self.optimiser.step()
        # A short horizon at first: an average that still remembers the initial weights is worse than none.
        decay = min(config.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, now in self.task.network.state_dict().items():
                self.average[key].lerp_(now, 1 - decay) if now.is_floating_point() else self.average[key].copy_(now)
        self.step += 1
        return {"loss": value, **figures, "norm": float(norm)}

    def validate(self, log: CsvLog, board: TensorBoard) -> dict[str, float]:
        """Measure the averaged weights on the dev recordings, show samples, and keep the weights if they are the best.

        Returns:
            The figures; {} in processes that are not the first, and without a validation.
        """
        if self.validation is None or not distributed.is_leader():
            return {}
        with distributed.apart():
            figures = self.validation.measure(self.average, self.config.seed)
            self.validation.show(self.run_dir / "validation", self.step, board)
        log.add(self.step, self.seconds, figures)
        board.figures("dev", self.step, figures)
        value = figures[self.validation.criterion]
        if value < self.best.get("value", math.inf):
            self.best = {"criterion": self.validation.criterion, "value": value, "step": self.step}
            self._write("best.safetensors", self.task.kind, self.average, validation=self.best)
        return {**figures, "best_step": self.best.get("step", 0)}


def run(
    trainer: Trainer,
    *,
    resume: bool = False,
    max_minutes: float | None = None,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
    on_validation: Callable[[int, dict[str, float]], None] | None = None,
) -> Path:
    """Train to the end of the schedule, until `max_minutes` are used up, or until asked to stop (`trainer.ending`).

    Returns:
        The path of the averaged weights.

    Raises:
        ModelError: The run folder already holds a run and `resume` is False, or the loss diverged.
    """
    path = trainer.run_dir / "state.safetensors"
    if path.exists() and not resume:
        raise ModelError(
            "already holds a run", place=str(trainer.run_dir), remedy="give --resume to continue it, or another folder"
        )
    make_folder(trainer.run_dir)
    distributed.wait()
    trainer.resume()
    records = Records(trainer)
    try:
        with stop_flag() as stopped:
            trainer.ending = _steps(trainer, records, stopped, max_minutes, on_step, on_validation)
    finally:
        records.close()
    if trainer.ending == "finished" or trainer.watch.calm() or not path.exists():
        trainer.save()
    return trainer.run_dir / "model.safetensors"


def _steps(
    trainer: Trainer, records: Records, stopped: Callable[[], bool], max_minutes: float | None,
    on_step: Callable[[int, dict[str, float]], None] | None,
    on_validation: Callable[[int, dict[str, float]], None] | None,
) -> str:  # fmt: skip
    """Step after step; returns why it ended: "finished", "time" or "asked"."""
    config, before = trainer.config, trainer.seconds
    began = last_save = time.monotonic()
    while trainer.step < config.total_steps:
        if distributed.any_of(stopped()):
            return "asked"
        figures = trainer.advance()
        now = time.monotonic()
        trainer.seconds = before + now - began
        figures = records.add(figures)
        if on_step:
            on_step(trainer.step, figures)
        due = config.validation_steps and trainer.step % config.validation_steps == 0
        if trainer.validation and (due or trainer.step == config.total_steps):
            measured = records.validate()
            if on_validation and measured:
                on_validation(trainer.step, measured)
        if now - last_save > 60 * config.checkpoint_minutes and trainer.watch.calm():
            trainer.save()
            last_save = now
        if distributed.any_of(max_minutes is not None and now - began > 60 * max_minutes):
            return "time" if trainer.step < config.total_steps else "finished"
    return "finished"
