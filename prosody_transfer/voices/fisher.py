"""How much each adaptable parameter matters to the shipped voices: the diagonal of the Fisher information."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prosody_transfer.core.atomic import check_target
from prosody_transfer.core.errors import ModelError
from prosody_transfer.data.manifest import Row
from prosody_transfer.models import registry
from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint
from prosody_transfer.store.header import checksum
from prosody_transfer.store.weights import load_acoustic, shipped_acoustic, voice_level

KIND = "fisher"
_REMEDY = "make it again: ptx voice fisher DATA -o FILE"


def shipped_fisher() -> Path:
    """Where the file for the shipped acoustic model lies."""
    return shipped_acoustic().with_name("fisher.safetensors")


def estimate(
    rows: list[Row], cache: str | Path, *, model: str | Path | None = None, batches: int = 400, batch_size: int = 2,
    seed: int = 1, on_step: Callable[[int, int], None] | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """Measure it on recordings of the model's own voices.

    F_i = mean over batches of (d loss / d theta_i)^2, of the loss that the model was trained with. A batch is small,
    because gradients of many crops cancel.

    Args:
        rows: Prepared recordings of any of the model's voices.
        model: An acoustic model's checkpoint; None for the shipped one.
        on_step: Called with how many batches are done, and of how many.

    Returns:
        By name of the parameter, of its shape, float32, not negative.
    """
    path = Path(model) if model is not None else shipped_acoustic()
    network, header = load_acoustic(path)
    levels = {name: voice_level(header, name, path) for name in header.get("voices", {})}
    model_kind = registry.of(network)
    task_class = model_kind.load("task")
    settings = task_class.settings_class(batch_size=batch_size, start_from=str(path))
    task = task_class(network.config, settings, rows, cache, levels)
    wanted = set(model_kind.load("adaptable")(name for name, _ in task.network.named_parameters()))
    learned = {}
    for name, parameter in task.network.named_parameters():
        parameter.requires_grad_(name in wanted)
        if name in wanted:
            learned[name] = parameter
    sums = {name: torch.zeros_like(parameter) for name, parameter in learned.items()}
    for step in range(batches):
        torch.manual_seed(seed * 1_000_003 + step)
        loss, _ = task.loss(task.batch(np.random.default_rng([seed, step]), step), step, batches)
        found: tuple[Any, ...] = torch.autograd.grad(loss, list(learned.values()), allow_unused=True)
        for total, gradient in zip(sums.values(), found, strict=True):
            if gradient is not None:
                total += gradient.square()
        if on_step:
            on_step(step + 1, batches)
    return {name: total / batches for name, total in sums.items()}


def save_fisher(path: str | Path, fisher: Mapping[str, Tensor], base: str, **facts: Any) -> None:
    """Write it: square roots, scaled to at most 1 within each tensor, in half precision.

    Args:
        base: Checksum of the acoustic model that it belongs to.
    """
    roots = {name: values.sqrt() for name, values in fisher.items()}
    scales = {name: max(float(values.max()), 1e-20) for name, values in roots.items()}
    half = {name: (values / scales[name]).half() for name, values in roots.items()}
    save_checkpoint(path, KIND, half, {"base": base}, scales=scales, **facts)


def load_fisher(path: str | Path, base: str) -> dict[str, Tensor]:
    """What `save_fisher` wrote, in full precision.

    Raises:
        ModelError: The file is missing or damaged, or belongs to another acoustic model.
    """
    tensors, header = load_checkpoint(path, KIND)
    if header["config"].get("base") != base:
        raise ModelError("belongs to another acoustic model", place=str(path), remedy=_REMEDY)
    scales = header.get("scales")
    known = scales if isinstance(scales, dict) else {}
    if not all(isinstance(known.get(name), float | int) for name in tensors):
        raise ModelError("does not say the scale of a tensor", place=str(path), remedy=_REMEDY)
    return {name: (values.float() * known[name]).square() for name, values in tensors.items()}


def make_fisher(
    rows: list[Row], cache: str | Path, output: str | Path | None = None, *, model: str | Path | None = None,
    batches: int = 400, on_step: Callable[[int, int], None] | None = None,
) -> Path:  # fmt: skip
    """`estimate` and `save_fisher`, for the shipped model and its place where nothing else is said."""
    target = Path(output) if output is not None else shipped_fisher()
    check_target(target)
    found = estimate(rows, cache, model=model, batches=batches, on_step=on_step)
    save_fisher(target, found, checksum(model or shipped_acoustic()), batches=batches)
    return target
