"""ptx: move how a line was said into another voice.

Public names are loaded when first used, so that importing the package costs nothing. Import it before torch: then
torch's threads sleep while they wait (OMP_WAIT_POLICY, where you have not set it).
"""

from __future__ import annotations

from typing import Any

from prosody_transfer.core.sharing import send_nothing, wait_without_spinning

wait_without_spinning()  # before anything here imports torch
send_nothing()  # before anything here imports onnxruntime
__version__ = "0.1.0"
_PUBLIC = {
    "transfer": "prosody_transfer.synthesis.transfer",
    "Alignment": "prosody_transfer.core.types",
    "PhoneInterval": "prosody_transfer.core.types",
    "PtxError": "prosody_transfer.core.errors",
}
__all__ = ["Alignment", "PhoneInterval", "PtxError", "__version__", "transfer"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(_PUBLIC[name])
    return module if name == "transfer" else getattr(module, name)
