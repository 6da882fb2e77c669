"""PyTorch as a runtime: the network itself, with the addon's parameters. Only this file imports torch to run it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prosody_transfer.core import extras
from prosody_transfer.core.errors import DependencyError, ModelError, ShapeError
from prosody_transfer.integration.addon import Addon
from prosody_transfer.integration.runtimes import Tensors


class TorchRuntime:
    """The networks of one addon as modules.

    Args:
        provider: A torch device.
    """

    name = "torch"

    def __init__(self, addon: Addon, provider: str = "cpu") -> None:
        try:
            import torch
        except ImportError:
            remedy = f"{extras.remedy('train')}, or use onnx"
            raise DependencyError("torch is not installed", place="--runtime torch", remedy=remedy) from None
        from prosody_transfer.models import registry
        from prosody_transfer.store.weights import load_network

        self.addon, self._torch = addon, torch
        if addon.config.kind not in registry.exportable():
            known = ", ".join(registry.exportable())
            problem = f"is of the kind {addon.config.kind[:40]!r}, which torch has no network for"
            raise ModelError(problem, place=addon.place, remedy=f"use --runtime onnx; torch has: {known}")
        try:
            self.device = torch.device(provider)
            torch.empty(1, device=self.device)
        except (RuntimeError, AssertionError):
            problem = f"torch has no device {provider[:40]!r} here"
            raise ModelError(problem, place="torch", remedy="use cpu") from None
        model = registry.get(addon.config.kind)
        network, _ = load_network(model.kind, addon.parameters_file(next(iter(addon.config.networks))))
        with torch.no_grad():
            state = network.state_dict()
            for name, value in addon.overlay.items():
                if name in state:
                    state[name].copy_(torch.from_numpy(np.array(value, dtype=np.float32)))
        self._parts = model.load("parts")(network.to(self.device))

    def run(self, network: str, inputs: Mapping[str, np.ndarray], sizes: Mapping[str, int] | None = None) -> Tensors:
        """See `Runtime.run`."""
        spec, torch = self.addon.network(network), self._torch
        given = [torch.from_numpy(inputs[port.name]).to(self.device) for port in (*spec.inputs, *spec.state)]
        names = [*(p.name for p in spec.outputs), *(f"next_{p.name}" for p in spec.state)]
        try:
            with torch.inference_mode():
                found = self._parts[network].module(*given)
        except RuntimeError as error:
            problem = " ".join(str(error).split())[:200]
            raise ShapeError(f"does not take what it was given ({problem})", place=f"network {network}") from None
        return {name: value.cpu().numpy() for name, value in zip(names, found, strict=True)}
