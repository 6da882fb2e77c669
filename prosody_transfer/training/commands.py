"""`ptx train ...`: a config file, or a prepared folder and a preset, in; a run folder with weights out."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from prosody_transfer.core.errors import UsageError
from prosody_transfer.corpus.measure import prepare
from prosody_transfer.data.manifest import Row, cache_path, read_manifest
from prosody_transfer.models import registry
from prosody_transfer.training import distributed
from prosody_transfer.training.loop import Trainer, run
from prosody_transfer.training.settings import DataConfig, Settings, load_settings, read_config
from prosody_transfer.training.task import Task
from prosody_transfer.training.validation import hold_out, make_validation
from prosody_transfer.training.voices import voice_facts

__all__ = ["DataConfig", "load_data", "read_config", "train", "voice_facts"]

Event = Callable[[str, int, int, dict[str, float]], None]


def load_data(data: DataConfig, mel: Any, on_event: Event | None) -> tuple[list[Row], dict[str, Any]]:
    """Read the manifests and measure what is not in the cache yet; also facts about them for the checkpoint."""
    rows = [row for manifest in data.manifests for row in read_manifest(manifest)]
    held = [row for manifest in data.dev for row in read_manifest(manifest)]
    wanted, done = len(rows) + len(held), 0

    def count(row: Row, reason: str) -> None:
        nonlocal done
        done += 1
        if on_event:
            on_event("prepare", done, wanted, {})

    rejected = 0
    if distributed.is_leader():
        refused = prepare([*rows, *held], data.cache, mel, aligner=data.aligner, workers=data.workers, on_done=count)
        names = {(row.id, row.audio) for row in rows}
        rejected = sum((r["id"], r["audio"]) in names for r in refused)
    distributed.wait()
    return rows, {"data": data_facts(data.manifests, rows, len(rows) - rejected)}


def data_facts(manifests: Sequence[str], rows: Sequence[Row], usable: int) -> dict[str, Any]:
    """What the checkpoint says of its data: names of the manifests, how many are usable, a checksum of the rows."""
    listing = "\n".join(f"{r.id} {r.speaker} {r.text}" for r in rows)
    digest = hashlib.sha256(listing.encode()).hexdigest()[:16]
    return {"manifests": [Path(m).name for m in manifests], "utterances": usable, "sha256": digest}


def _prepared(data: DataConfig) -> tuple[list[Row], list[Row]]:
    """Rows to train on and to validate on, of a prepared folder; where it has no dev.jsonl, some are held out."""
    train = [row for manifest in data.manifests for row in read_manifest(manifest)]
    dev = [row for manifest in data.dev for row in read_manifest(manifest)]
    missing = [row.id for row in (*train, *dev) if not cache_path(Path(data.cache), row).exists()]
    if missing:
        problem = f"lacks {len(missing)} of {len(train) + len(dev)} recordings, {missing[0]} first"
        raise UsageError(problem, place=data.cache, remedy="run the same ptx prepare again: it goes on")
    if not train:
        raise UsageError("lists no recordings", place=data.manifests[0], remedy="see rejected.jsonl beside it")
    return (train, dev) if dev else hold_out(train)


def _rows(settings: Settings, mel: Any, on_event: Event | None) -> tuple[list[Row], list[Row], dict[str, Any]]:
    """Training rows, dev rows and facts; measures what a config's manifests name and the cache lacks."""
    data = settings.data
    if settings.prepared:
        train, dev = _prepared(data)
        facts: dict[str, Any] = {"data": data_facts(data.manifests, train, len(train))}
    else:
        train, facts = load_data(data, mel, on_event)
        dev = [row for manifest in data.dev for row in read_manifest(manifest)]
    if dev:
        facts["data"]["dev"] = data_facts(data.dev, dev, len(dev))
    return train, dev, facts


def train(
    kind: str, config: str | Path | Mapping[str, Any] | None = None, *, data: str | Path | None = None,
    preset: str | None = None, settings: Sequence[str] = (), resume: bool = False, run_dir: str | Path | None = None,
    max_minutes: float | None = None, device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train a model from a config file, or from a prepared folder and a preset.

    Args:
        kind: Of the model, see `models.registry.kinds`.
        config: A TOML file, or its sections; an acoustic model's [network] must list the target `speakers`.
        data: Instead of it, a folder that `ptx prepare` has written; everybody in its train.jsonl becomes a voice.
        preset: "small", "base" (None) or "large", or a TOML file; with `data` only.
        settings: Changes to either, "section.name=value".
        resume: Go on where the run folder's last checkpoint stands.
        run_dir: None for the config's, or runs/ and the kind.
        max_minutes: Stop after this time.
        device: "cpu", "cuda", "cuda:1", ...
        on_event: Called with a stage ("prepare", "train", "dev", "interrupted"), what is done, how much there is to do,
            and figures; by the first of several processes only.

    Returns:
        The path of the averaged weights.

    Raises:
        UsageError: There is no such model, a setting is wrong, or there is nothing to train on.
        ModelError: The run folder holds another run, or the loss diverged.
    """
    if kind not in registry.trainable():
        raise UsageError(f"{kind!r} is no model that is trained", remedy=f"known are {', '.join(registry.trainable())}")
    model = registry.get(kind)
    task: type[Task] = model.load("task")
    plan = load_settings(
        kind, model.load("config"), task.settings_class, config=config, data=data, preset=preset, changes=settings,
        run_dir=run_dir,
    )  # fmt: skip
    with distributed.joined(device) as place:
        rows, dev, facts = _rows(plan, plan.network.mel, on_event) if task.measured else _listed(plan)
        plan, known = task.complete(plan, rows)
        facts |= known
        return _train(plan, task, (rows, dev), facts, place, resume, max_minutes, on_event)


def _listed(plan: Settings) -> tuple[list[Row], list[Row], dict[str, Any]]:
    """As `_rows`, of recordings that are not measured: the task finds what it needs of them."""
    data = plan.data
    if plan.prepared:
        train, dev = _prepared(data)
    else:
        train, dev = ([row for path in paths for row in read_manifest(path)] for paths in (data.manifests, data.dev))
    return train, dev, {"data": data_facts(data.manifests, train, len(train))}


def _train(
    plan: Settings, task_class: type[Task], rows: tuple[list[Row], list[Row]], facts: dict[str, Any], device: str,
    resume: bool, max_minutes: float | None, on_event: Event | None,
) -> Path:  # fmt: skip
    loop = plan.loop
    torch.manual_seed(loop.seed)  # of the first weights: a run that was killed before its first checkpoint is the same
    task = task_class.make(plan, rows[0], facts, device)
    make_dev = lambda held: task_class.make(plan, held, facts, device, dev=True)
    validation = make_validation(make_dev, rows[1], task.criterion) if loop.validation_steps else None
    trainer = Trainer(task, loop, plan.run_dir, facts, validation)
    tell = on_event if on_event and distributed.is_leader() else None
    report = (lambda stage: lambda step, figures: tell(stage, step, loop.total_steps, figures)) if tell else None
    path = run(
        trainer, resume=resume, max_minutes=max_minutes, on_step=report and report("train"),
        on_validation=report and report("dev"),
    )  # fmt: skip
    if tell and trainer.ending == "asked":
        tell("interrupted", trainer.step, loop.total_steps, {})
    if trainer.ending == "finished" and distributed.is_leader():
        before = repr(facts)
        task.finish(trainer.average, facts)
        if repr(facts) != before:
            trainer.save()
    return path


def __getattr__(name: str) -> Any:
    """`train_KIND`, as each was called before there was one `train`."""
    kind = name.removeprefix("train_")
    if kind == name or kind not in registry.trainable():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{name} is now train({kind!r}, ...)", DeprecationWarning, stacklevel=2)
    return functools.partial(train, kind)
