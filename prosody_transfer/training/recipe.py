"""Several trainings in a row, each on from what others made: how the weights that ship came about, in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.data.manifest import read_manifest
from prosody_transfer.models import registry
from prosody_transfer.store.header import read_header
from prosody_transfer.store.weights import ship
from prosody_transfer.training.commands import Event, data_facts, train
from prosody_transfer.training.settings import override, read_config

FORMAT = 1
_SECTIONS = ("data", "network", "task", "loop")


class _Stage(Config, kw_only=True):
    """What a stage says besides its sections."""

    kind: str
    ships: bool = False
    rows: str = ""
    data: dict[str, Any]
    network: dict[str, Any] = {}
    task: dict[str, Any] = {}
    loop: dict[str, Any] = {}


@dataclass(frozen=True)
class Stage:
    """One training.

    Attributes:
        kind: Of the model.
        sections: As in a config file; "@NAME" stands for what the stage NAME has made.
        needs: The stages that it names.
        ships: What it makes is a weight that ships.
        rows: Checksum of the rows that the shipped weights have learnt from, see `commands.data_facts`; "" for unknown.
    """

    name: str
    kind: str
    sections: dict[str, Any]
    needs: tuple[str, ...]
    ships: bool = False
    rows: str = ""


def read_recipe(path: str | Path) -> list[Stage]:
    """The stages of a recipe, in order.

    Raises:
        UsageError: The file is missing or broken; a stage is of an unknown model, has an unknown key, or names a stage
            that is not before it.
    """
    place, data = str(path), read_config(path)
    if data.get("format") != FORMAT or not isinstance(data.get("stage"), dict) or set(data) != {"format", "stage"}:
        raise UsageError(f"is no recipe of format {FORMAT}", place=place, remedy="compare it with recipes/shipped.toml")
    stages: list[Stage] = []
    for name, given in data["stage"].items():
        found = load_config(_Stage, given, f"{place} [stage.{name}]")
        if found.kind not in registry.trainable():
            remedy = f"known are {', '.join(registry.trainable())}"
            raise UsageError(f"has the unknown kind {found.kind!r}", place=f"{place} [stage.{name}]", remedy=remedy)
        sections = {key: getattr(found, key) for key in _SECTIONS}
        needs = tuple(dict.fromkeys(text[1:] for text in _texts(sections) if text.startswith("@")))
        if unknown := [n for n in needs if n not in {stage.name for stage in stages}]:
            problem = f"goes on from {unknown[0]!r}, which is no stage before it"
            raise UsageError(problem, place=f"{place} [stage.{name}]", remedy="put it before")
        stages.append(Stage(name, found.kind, sections, needs, found.ships, found.rows))
    return stages


def run_recipe(
    path: str | Path, names: Sequence[str] = (), *, runs: str | Path = "runs", ship_it: bool = False,
    changes: Sequence[str] = (), device: str = "cpu", on_event: Event | None = None,
    on_stage: Callable[[Stage, str], None] | None = None,
) -> dict[str, Path]:  # fmt: skip
    """Train the stages of a recipe, those that are finished aside; each goes on where it was.

    Args:
        names: Only these, and what they need; all where there are none.
        runs: Each has its run folder there, by its name.
        ship_it: Put what ships in the place of the weights that are there.
        changes: Of every stage's settings, "section.name=value".
        on_stage: Called before each with what should be said of it: "", "finished", or that the recordings are others.

    Returns:
        Stage -> its weights.
    """
    stages, made = read_recipe(path), {}
    wanted = _wanted(stages, names, str(path))
    for stage in (s for s in stages if s.name in wanted):
        sections = override(_settings(stage, Path(runs)), changes)
        target = Path(runs) / stage.name / "model.safetensors"
        finished = _steps(target, stage.kind) >= sections["loop"].get("total_steps", 1)
        if on_stage:
            on_stage(stage, "finished" if finished else _other_rows(stage, sections))
        if not finished:
            folder = target.parent
            resume = (folder / "state.safetensors").exists()
            train(stage.kind, sections, run_dir=folder, resume=resume, device=device, on_event=on_event)
        if stage.ships and ship_it:
            _ship(stage.kind, target)
        made[stage.name] = target
    return made


def _ship(kind: str, weights: Path) -> None:
    """Put weights in their place, and make the addon there again: its checksums are those of its parameters."""
    from prosody_transfer.integration.export import export_addon

    placed = ship(kind, weights)
    if registry.get(kind).parts:
        export_addon(placed, placed.parent, overwrite=True)


def _wanted(stages: Sequence[Stage], names: Sequence[str], place: str) -> set[str]:
    known = {stage.name: stage for stage in stages}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"has no stage {unknown[0]!r}", place=place, remedy=f"known are {', '.join(known)}")
    wanted, waiting = set[str](), list(names) or list(known)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += known[name].needs
    return wanted


def _steps(path: Path, kind: str) -> int:
    """How far a run has come; -1 where there is none."""
    try:
        return int(read_header(path, kind)[0].get("step", -1))
    except ModelError:
        return -1


def _other_rows(stage: Stage, sections: Mapping[str, Any]) -> str:
    if not stage.rows:
        return ""
    manifests = sections["data"].get("manifests", [])
    rows = [row for manifest in manifests for row in read_manifest(manifest)]
    same = data_facts(manifests, rows, len(rows))["sha256"] == stage.rows
    return "" if same else "these are not the recordings that the shipped weights have learnt from"


def _settings(stage: Stage, runs: Path) -> dict[str, Any]:
    return _resolved(stage.sections, runs)  # type: ignore[no-any-return]


def _resolved(value: Any, runs: Path) -> Any:
    """Settings with the weights that "@NAME" stands for."""
    if isinstance(value, dict):
        return {key: _resolved(inner, runs) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, runs) for inner in value]
    return str(runs / value[1:] / "model.safetensors") if isinstance(value, str) and value.startswith("@") else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)
