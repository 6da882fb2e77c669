"""Networks whose tensors take no memory, to compare a file with before anything of it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from prosody_transfer.core.errors import ModelError

M = TypeVar("M", bound=nn.Module)
_RANDOM = ("normal_", "uniform_", "trunc_normal_")


class _Hollow(TorchFunctionMode):
    """Weights are made on torch's meta device, and not drawn: torch imports for a second what draws them there.

    What is computed (windows, filters) is made as ever.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty:
            kwargs = {**kwargs, "device": "meta"}
        elif getattr(func, "__name__", "") in _RANDOM:
            tensor = args[0] if args else kwargs.get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **kwargs)


def hollow(build: Callable[[], M], place: str) -> M:
    """A network without weights; `load_state_dict(..., assign=True)` gives it some.

    Raises:
        ModelError: Its settings fit no network.
    """
    try:
        with _Hollow():
            return build()
    except (ArithmeticError, AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        problem = f"has settings that make no network ({reason})"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it") from None


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """What its state dict holds: shapes by name."""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
