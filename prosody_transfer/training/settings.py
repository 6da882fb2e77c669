"""Where a run's settings come from: a config file, or a prepared folder and a preset; `--set` changes either."""

from __future__ import annotations

import importlib.util
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import read_toml
from prosody_transfer.models import registry

DEFAULT_PRESET = "base"


class LoopConfig(Config):
    """Settings of the loop.

    `total_steps` sets the cosine schedule; `checkpoint_minutes` how much a kill can cost at most. `precision`:
    "bfloat16" runs the matrix products in half precision (2.4 times as fast on processors that have it), "float32"
    everything in full. `validation_steps`: every how many steps the dev recordings are measured; 0 for never.
    `explosion_factor`: the run stops when the loss is that many times what it was; 0 for never.
    """

    total_steps: int = 5000
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    final_rate: float = 0.02
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    seed: int = 1
    checkpoint_minutes: float = 5.0
    log_steps: int = 25
    precision: str = "bfloat16"
    validation_steps: int = 500
    explosion_factor: float = 5.0


class DataConfig(Config):
    """Where the data is: manifests (JSON Lines) and the cache folder, relative to the working folder.

    `dev`: manifests of what is not trained on but measured along the way; without them nothing is.
    """

    manifests: tuple[str, ...]
    dev: tuple[str, ...] = ()
    cache: str = "data/cache"
    aligner: str = "pocketsphinx"
    workers: int = 2


@dataclass(frozen=True)
class Settings:
    """All settings of a run, checked.

    Attributes:
        place: The config file or preset, for messages.
        run_dir: Where checkpoints and logs go.
        prepared: The data comes from `ptx prepare`: nothing is left to measure.
    """

    place: str
    run_dir: Path
    data: DataConfig
    network: Any
    task: Any
    loop: LoopConfig
    prepared: bool


def read_config(path: str | Path) -> dict[str, Any]:
    """A TOML file as plain data; UsageError when it is missing or broken."""
    return read_toml(path, "compare it with recipes/shipped.toml")


def presets(kind: str) -> Path:
    """The folder of a model's presets, which may be missing."""
    model = registry.get(kind)
    found = importlib.util.find_spec(model.network.partition(":")[0].rpartition(".")[0])
    beside = Path(found.origin).parent if found is not None and found.origin else Path()
    return (model.folder or beside) / "presets"


def preset_names(kind: str) -> list[str]:
    """The presets of a model, the smallest first."""
    sizes = ("small", "base", "large")
    names = [path.stem for path in presets(kind).glob("*.toml")]
    return sorted(names, key=lambda name: (sizes.index(name) if name in sizes else len(sizes), name))


def read_preset(kind: str, preset: str) -> tuple[str, dict[str, Any]]:
    """A preset by name, or a TOML file of one's own: its place, and its sections as plain data.

    Raises:
        UsageError: There is none of that name, or the file is missing or broken.
    """
    if preset in preset_names(kind):
        return f"preset {preset}", read_config(presets(kind) / f"{preset}.toml")
    if not preset.endswith(".toml"):
        remedy = f"give {', '.join(preset_names(kind))}, or a .toml file"
        raise UsageError(f"{preset!r} is no preset", place="--preset", remedy=remedy)
    return preset, read_config(preset)


def override(settings: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Settings with some replaced; a change is written "section.name=value", the value as in TOML.

    A value that is not TOML is text, so that quotes may be left out.

    >>> override({"task": {"batch_size": 12}}, ["task.batch_size=8", "loop.precision=float32"])
    {'task': {'batch_size': 8}, 'loop': {'precision': 'float32'}}

    Raises:
        UsageError: A change has no "=" or no section.
    """
    result = {name: dict(part) if isinstance(part, dict) else part for name, part in settings.items()}
    for change in changes:
        name, equals, text = change.partition("=")
        section, dot, key = name.strip().partition(".")
        if not (equals and dot and section and key):
            remedy = "write section.name=value, like task.batch_size=8"
            raise UsageError(f"{change!r} is no setting", place="--set", remedy=remedy)
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            value = text.strip()
        part = result.setdefault(section, {})
        if not isinstance(part, dict):
            raise UsageError(f"{section!r} is no section", place="--set", remedy="known: data, network, task, loop")
        *outer, last = key.split(".")
        for step in outer:
            part[step] = dict(part.get(step) or {})
            part = part[step]
        part[last] = value
    return result


def prepared_data(folder: str | Path) -> dict[str, Any]:
    """The [data] section for a folder that `ptx prepare` has written.

    Raises:
        UsageError: It holds no train.jsonl.
    """
    folder = Path(folder)
    if not os.path.isfile(folder / "train.jsonl"):
        remedy = "make it with: ptx prepare RECORDINGS -o FOLDER"
        raise UsageError("holds no train.jsonl, so it is no prepared folder", place=str(folder), remedy=remedy)
    dev = folder / "dev.jsonl"
    held = [str(dev)] if dev.is_file() and dev.stat().st_size else []
    return {"manifests": [str(folder / "train.jsonl")], "dev": held, "cache": str(folder / "cache")}


def _sources(
    kind: str, config: str | Path | Mapping[str, Any] | None, data: str | Path | None, preset: str | None
) -> tuple[str, dict[str, Any], Path]:
    """Place, sections and default run folder of a config file, or of a prepared folder and a preset."""
    if isinstance(config, Mapping):
        return f"stage of {kind}", dict(config), Path("runs") / kind
    if config is not None:
        if data is not None or preset is not None:
            remedy = "give CONFIG alone, or --data with --preset FILE"
            raise UsageError("CONFIG and --data or --preset exclude each other", remedy=remedy)
        return str(config), read_config(config), Path("runs") / Path(config).stem
    if data is None:
        remedy = "give --data FOLDER, made by ptx prepare, or a CONFIG"
        raise UsageError("nothing to train on", place=f"ptx train {kind}", remedy=remedy)
    if preset is None and not preset_names(kind):
        place, sections = f"the defaults of {kind}", dict[str, Any]()
    else:
        place, sections = read_preset(kind, preset or DEFAULT_PRESET)
    if "data" in sections or "run_dir" in sections:
        remedy = "leave [data] and run_dir out: --data and --run-dir say it"
        raise UsageError("a preset names no data", place=place, remedy=remedy)
    return place, {**sections, "data": prepared_data(data)}, Path("runs") / kind


def load_settings(
    kind: str, network: type[Config], task: type[Config], *,
    config: str | Path | Mapping[str, Any] | None = None,
    data: str | Path | None = None, preset: str | None = None, changes: Sequence[str] = (),
    run_dir: str | Path | None = None,
) -> Settings:  # fmt: skip
    """Read and check all settings; what is wrong with them is said before anything is measured.

    Args:
        kind: Of the model, see `models.registry.kinds`.
        network, task: The classes of its sections.
        config: A TOML file with everything, or its sections; or else
        data: A prepared folder, and
        preset: "small", "base", "large" or a TOML file without [data]; None for base.
        changes: As for `override`.
        run_dir: None for the config's, or runs/ and the config's name or the kind.

    Raises:
        UsageError: A file is missing or broken, a section or key unknown, or a value of the wrong type.
    """
    place, sections, folder = _sources(kind, config, data, preset)
    sections = override(sections, changes)
    known: dict[str, type[Config]] = {"data": DataConfig, "network": network, "task": task, "loop": LoopConfig}
    if unknown := set(sections) - {"run_dir", *known}:
        problem = f"has an unknown section [{sorted(unknown)[0]}]"
        raise UsageError(problem, place=place, remedy=f"known: {', '.join(known)}")
    if not isinstance(sections.get("run_dir", ""), str):
        problem = f"run_dir = {sections['run_dir']!r} is no folder"
        raise UsageError(problem, place=place, remedy="give a path in quotes")
    parts: dict[str, Any] = {
        name: load_config(known[name], sections.get(name, {}), f"{place} [{name}]")
        for name in ("loop", "data", "network", "task")
    }
    return Settings(
        place=place, run_dir=Path(run_dir or sections.get("run_dir") or folder), prepared=data is not None, **parts
    )
