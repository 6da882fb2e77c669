"""What runs a network: one small interface, and who implements it by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import numpy as np

from prosody_transfer.core.errors import UsageError
from prosody_transfer.integration.addon import Addon

Tensors = dict[str, np.ndarray]
Shapes = Literal["dynamic", "fixed"]
DTYPES = {"float32": np.float32, "int64": np.int64, "bool": np.bool_}


class Runtime(Protocol):
    """Networks of one addon, ready to run. Safe to use from several threads."""

    name: str

    def run(self, network: str, inputs: Mapping[str, np.ndarray], sizes: Mapping[str, int] | None = None) -> Tensors:
        """Run a network once.

        Args:
            network: Its name in the addon.
            inputs: Every input and every state, with the dtypes and axes that the addon names.
            sizes: Of each axis, where it is one of few: a runtime that compiles for sizes may keep what it made.

        Returns:
            Every output, and every new state as `next_NAME`.
        """
        ...


def _onnx(addon: Addon, provider: str) -> Runtime:
    from prosody_transfer.integration.runtimes.onnx import OnnxRuntime

    return OnnxRuntime(addon, provider)


def _torch(addon: Addon, provider: str) -> Runtime:
    from prosody_transfer.integration.runtimes.torch import TorchRuntime

    return TorchRuntime(addon, provider)


RUNTIMES: dict[str, Callable[[Addon, str], Runtime]] = {"onnx": _onnx, "torch": _torch}


def open_runtime(name: str, addon: Addon, provider: str = "cpu") -> Runtime:
    """A runtime by name.

    Args:
        name: "onnx" or "torch".
        provider: Where it runs: "cpu", "cuda", "cuda:1", "openvino", "coreml", or a provider's full name in ONNX
            Runtime; torch takes its devices.

    Raises:
        UsageError: There is no runtime of that name.
        ModelError: The provider is not installed.
        DependencyError: The runtime is not installed.
    """
    if name not in RUNTIMES:
        known = ", ".join(RUNTIMES)
        raise UsageError(f"no runtime is called {name[:40]!r}", place="--runtime", remedy=f"one of: {known}")
    return RUNTIMES[name](addon, provider)
