"""ONNX Runtime: graphs without weights, filled with the addon's parameters when a session is made."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from prosody_transfer.core.errors import DependencyError, ModelError, ShapeError
from prosody_transfer.integration.addon import Addon
from prosody_transfer.integration.runtimes import Tensors

PROVIDERS = {
    "cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}  # fmt: skip


def provider_of(name: str) -> tuple[str, dict[str, str]]:
    """ONNX Runtime's name of a provider or device, and its options.

    Raises:
        ModelError: It is not installed, or nothing is called so.

    >>> provider_of("cpu")
    ('CPUExecutionProvider', {})
    """
    import onnxruntime

    short, _, number = name.partition(":")
    provider = PROVIDERS.get(short.lower(), short)
    installed = onnxruntime.get_available_providers()
    if provider not in installed or (number and not number.isdigit()):
        known = ", ".join(key for key, value in PROVIDERS.items() if value in installed)
        raise ModelError(f"the provider {name[:60]!r} is not installed", place="onnx", remedy=f"installed: {known}")
    return provider, {"device_id": number} if number else {}


class OnnxRuntime:
    """Sessions of one addon's networks, made when first used.

    Sessions use one thread each and do not spin while they wait: several processes beat several threads here.

    Args:
        provider: See `provider_of`. What it can't run is run on the CPU.
    """

    name = "onnx"

    def __init__(self, addon: Addon, provider: str = "cpu") -> None:
        try:
            import onnxruntime
        except ImportError:
            remedy = "pip install 'onnxruntime>=1.24,<2'"
            raise DependencyError("ONNX Runtime is not installed", place="--runtime onnx", remedy=remedy) from None
        self.addon, self._ort = addon, onnxruntime
        first = provider_of(provider)
        self.providers = [first] if first[0] == PROVIDERS["cpu"] else [first, (PROVIDERS["cpu"], {})]
        self._sessions: dict[tuple[str, tuple[tuple[str, int], ...]], Any] = {}
        self._weights: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def run(self, network: str, inputs: Mapping[str, np.ndarray], sizes: Mapping[str, int] | None = None) -> Tensors:
        """See `Runtime.run`; with `sizes` a session is made in which every tensor has one size."""
        key = (network, tuple(sorted((sizes or {}).items())))
        session, names = self._sessions.get(key) or self._open(key)
        try:
            return dict(zip(names, session.run(names, dict(inputs)), strict=True))
        except Exception as error:  # ONNX Runtime raises many kinds, all of them about the graph or what it is fed
            problem = " ".join(str(error).split())[:200]
            raise ShapeError(f"does not take what it was given ({problem})", place=f"network {network}") from None

    def _open(self, key: tuple[str, tuple[tuple[str, int], ...]]) -> Any:
        network, sizes = key
        with self._lock:
            if key in self._sessions:
                return self._sessions[key]
            spec = self.addon.network(network)
            options = self._ort.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            options.log_severity_level = 3
            for axis, size in sizes:
                options.add_free_dimension_override_by_name(axis, size)
            if network not in self._weights:
                values = self.addon.parameters(network)
                self._weights[network] = {k: self._ort.OrtValue.ortvalue_from_numpy(v) for k, v in values.items()}
            weights = self._weights[network]
            options.add_external_initializers(list(weights), list(weights.values()))
            try:
                session = self._ort.InferenceSession(self.addon.symbols(network), options, providers=self.providers)
            except Exception as error:  # many kinds, all of them the file's fault
                place = str(self.addon.folder / spec.symbols)
                problem = f"is no graph that ONNX Runtime takes ({' '.join(str(error).split())[:160]})"
                raise ModelError(problem, place=place, remedy="export it again") from None
            self._compare(session, network)
            names = [*(p.name for p in spec.outputs), *(f"next_{p.name}" for p in spec.state)]
            self._sessions[key] = session, names
            return self._sessions[key]

    def _compare(self, session: Any, network: str) -> None:
        """Refuse a graph whose inputs and outputs are not those that addon.json names."""
        spec = self.addon.network(network)
        graph = {value.name: value for value in (*session.get_inputs(), *session.get_outputs())}
        wanted = [*spec.inputs, *spec.state, *spec.outputs]
        wanted += [type(p)(name=f"next_{p.name}", axes=p.axes, dtype=p.dtype) for p in spec.state]
        for port in wanted:
            there = graph.get(port.name)
            shape = () if there is None else tuple(there.shape)
            fits = there is not None and len(shape) == len(port.axes)
            numbers = fits and all(
                a == b for a, b in zip(shape, port.axes, strict=True) if isinstance(a, int) and isinstance(b, int)
            )
            if not numbers:
                got = "nothing of that name" if there is None else f"{shape}"
                place = str(self.addon.folder / spec.symbols)
                raise ModelError(f"has {got} where addon.json has {port.text()}", place=place, remedy="export it again")
