"""The networks that a transfer needs: checkpoints for torch, or addons on a runtime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.extras import TORCH, missing, require
from prosody_transfer.integration.runtimes import Shapes
from prosody_transfer.models import registry
from prosody_transfer.store.weights import named_acoustic, shipped, shipped_acoustic


class LoadedModels(NamedTuple):
    """What speaks, and what hears phones.

    Attributes:
        network: The acoustic model, or its addon.
        voices: What is known of its voices, by name: `log_f0_median`, `phone_log_frames`, `sharpening`.
        vocoder: As `render` takes it; `mel`: the features it was made for; `vocoder_name`: for reports.
        recogniser: Of phones.
        files: Of the acoustic model, the vocoder and the recogniser.
        process: The only one that may use them; None for any.
        runtime: What addons run on, and their shapes; "" for torch's own networks.
    """

    network: Any
    voices: dict[str, dict[str, Any]]
    vocoder: Any
    mel: MelConfig
    vocoder_name: str
    recogniser: Any
    files: tuple[str | Path, str | Path, str | Path]
    process: int | None
    runtime: str = ""


def load_models(
    model: str | Path | None, vocoder: str | Path | None, device: str, runtime: str | None = None,
    shapes: Shapes = "dynamic",
) -> LoadedModels:  # fmt: skip
    """Load what `model` and `vocoder` name.

    Args:
        model: A registered acoustic model's name, a checkpoint, or an addon's folder; None for the default one.
        vocoder: "griffin-lim", a checkpoint, or an addon's folder; None for the shipped one.
        device: A torch device; of addons, their provider.
        runtime: "onnx" or "torch": run addons on it. None: run addons' folders on ONNX Runtime, and all else in torch's
            own networks; where torch is not installed, as "auto". "auto": as None, but models that ship on ONNX
            Runtime, unless a device is named that torch has to run.
        shapes: Of addons' networks.

    Raises:
        ModelError: One is missing, damaged or of another kind; or a checkpoint was given with a runtime.
        UsageError: There is no such device or runtime.
        DependencyError: Torch is not installed, and what is asked for needs it.
    """
    model = named_acoustic(model)
    ships = model is None or (str(model) in _shipping() and (model.parent / "addon.json").is_file())
    if runtime == "auto" or runtime is None and missing(TORCH):
        kept = ships or (model is not None and model.is_dir())
        plain = kept and (vocoder is None or Path(vocoder).is_dir()) and (device == "cpu" or bool(missing(TORCH)))
        runtime = "onnx" if plain else None
    if model is not None and ships and (runtime is not None or shapes != "dynamic"):
        model = model.parent
    if runtime is None and shapes == "dynamic" and not (model is not None and Path(model).is_dir()):
        return _checkpoints(model, vocoder, device)
    return _addons(model, vocoder, device, runtime or "onnx", shapes)


def _shipping() -> set[str]:
    return {str(shipped(kind)) for kind in registry.kinds("acoustic")}


def _checkpoints(model: str | Path | None, vocoder: str | Path | None, device: str) -> LoadedModels:
    from prosody_transfer.store.weights import load_acoustic, load_network

    if model is not None:
        require("train", TORCH, f"--model {model}", f"or ptx addon export {model} -o FOLDER where torch is")
    if vocoder is not None:
        require("train", TORCH, f"--vocoder {vocoder}", "or leave it out")
    require("train", TORCH, "--runtime torch", "or --runtime onnx")
    from prosody_transfer.store.vocoders import load_vocoder
    from prosody_transfer.synthesis.devices import check_device

    process = check_device(device)
    network, header = load_acoustic(model, device)
    spoken, mel, name = load_vocoder(vocoder)
    recogniser, _ = load_network("recogniser", None, device)
    files = (model or shipped_acoustic(), vocoder or shipped("vocoder"), shipped("recogniser"))
    return LoadedModels(network, header.get("voices", {}), spoken, mel, name, recogniser, files, process)


def _addons(
    model: str | Path | None, vocoder: str | Path | None, device: str, runtime: str, shapes: Shapes
) -> LoadedModels:
    from prosody_transfer.analysis.recogniser_addon import AddonRecogniser
    from prosody_transfer.integration import open_addon
    from prosody_transfer.synthesis.addons import AddonVocoder, open_acoustic

    options: dict[str, Any] = {"runtime": runtime, "provider": device, "shapes": shapes}
    folder = Path(model) if model is not None else shipped_acoustic().parent
    if folder.is_file():
        problem = "is a checkpoint; --runtime and --shapes take an addon"
        raise ModelError(problem, place=str(folder), remedy=f"make one: ptx addon export {folder} -o FOLDER")
    acoustic = open_acoustic(open_addon(folder), options)
    if vocoder is None or Path(vocoder).is_dir():
        spoken: Any = AddonVocoder(open_addon(vocoder or shipped("vocoder").parent), options)
        mel, name = spoken.mel, "ptx"
        vocoder_file: str | Path = spoken.file
    else:
        require("train", TORCH, f"--vocoder {vocoder}", "or leave it out")
        from prosody_transfer.store.vocoders import load_vocoder

        spoken, mel, name = load_vocoder(vocoder)
        vocoder_file = vocoder
    recogniser = AddonRecogniser(options)
    kept = ("log_f0_median", "phone_log_frames", "sharpening")
    voices = {name: {key: getattr(facts, key) for key in kept} for name, facts in acoustic.addon.config.voices.items()}
    files = (acoustic.addon.parameters_file("decoder"), vocoder_file, shipped("recogniser"))
    process = None if device.partition(":")[0] == "cpu" else os.getpid()
    return LoadedModels(acoustic, voices, spoken, mel, name, recogniser, files, process, f"{runtime} {shapes}")
