"""Several processes that train one network (torchrun): each has a part of every batch, and all take the same step.

Outside torchrun every function here does nothing: a sum over one process is the value itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from prosody_transfer.core.errors import UsageError

_apart = False  # inside `apart`: this process works for itself


def rank() -> int:
    """Which of the processes this is, 0 to size - 1."""
    return dist.get_rank() if size() > 1 else 0


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if not _apart and dist.is_available() and dist.is_initialized() else 1


def is_leader() -> bool:
    """Whether this process is the one that writes and prints; also right before the processes have joined."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def joined(device: str = "cpu") -> Iterator[str]:
    """Join the other processes where torchrun has started several; gives the device of this one.

    Args:
        device: "cpu" (gloo) or "cuda" (nccl; process k of a machine takes cuda:k).
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or dist.is_initialized():
        yield device
        return
    backend = "gloo"
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"
    # The leader may measure a corpus, validate or save for long while the others wait.
    dist.init_process_group(backend, timeout=timedelta(days=1))
    try:
        yield device
    finally:
        dist.destroy_process_group()


@contextmanager
def apart() -> Iterator[None]:
    """Work that one process does for itself, such as validation: nothing inside waits for the others."""
    global _apart
    before, _apart = _apart, True
    try:
        yield
    finally:
        _apart = before


def wait() -> None:
    """Until all processes are here."""
    if size() > 1:
        dist.barrier()


def any_of(flag: bool) -> bool:
    """Whether it is true in any of the processes, so that all decide alike."""
    if size() == 1:
        return flag
    told = torch.tensor([float(flag)])
    dist.all_reduce(told, dist.ReduceOp.MAX)
    return bool(told.item())


def part(batch: Any) -> Any:
    """This process's share of a batch: rows of every tensor in it, in the same order.

    Args:
        batch: Tensors with the batch first, in tuples or dataclasses; other things are passed on as they are.

    Raises:
        UsageError: The batch has fewer rows than there are processes.
    """
    if size() == 1:
        return batch
    return _rows(batch)


def rows_of(count: int) -> slice:
    """Which of `count` rows are this process's."""
    if count < size():
        problem = f"a batch of {count} cannot be shared by {size()} processes"
        raise UsageError(problem, place="task.batch_size", remedy="give a larger batch or fewer processes")
    return slice(count * rank() // size(), count * (rank() + 1) // size())


def _rows(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value[rows_of(len(value))]
    if isinstance(value, (tuple, list)):
        return type(value)(_rows(v) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _rows(getattr(value, f.name)) for f in fields(value)})
    return value


class _Total(torch.autograd.Function):
    """Sum over processes. All of them go on with the same number, and their gradients are averaged in the end, so each
    one's share of the gradient is the incoming one times their count."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # type: ignore[override]
        result = value.clone()
        dist.all_reduce(result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient * dist.get_world_size()


def total(value: Tensor) -> Tensor:
    """The sum of a tensor over the processes; made of such sums, a loss is the whole batch's in every process."""
    return value if size() == 1 else _Total.apply(value)


def shared_mean(mean: Tensor, count: int | Tensor) -> Tensor:
    """The mean over the whole batch from this process's mean over `count` values."""
    if size() == 1:
        return mean
    number = torch.as_tensor(count, dtype=mean.dtype, device=mean.device)
    return total(mean * number) / total(number)


def shared_norm(values: Tensor) -> Tensor:
    """The Euclidean norm over the whole batch."""
    return torch.linalg.norm(values) if size() == 1 else total(values.square().sum()).sqrt()


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace gradients by their mean over the processes; for small networks beside the one that is trained."""
    if size() > 1:
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= size()
