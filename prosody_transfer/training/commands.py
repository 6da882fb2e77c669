"""`ptx train ...`: a config file, or a prepared folder and a preset, in; a run folder with weights out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import Row, cache_path, read_manifest
from prosody_transfer.training import distributed
from prosody_transfer.training.loop import Task, Trainer, run
from prosody_transfer.training.prepare import prepare
from prosody_transfer.training.settings import DataConfig, Settings, load_settings, read_config
from prosody_transfer.training.validation import hold_out, make_validation

__all__ = [
    "DataConfig", "load_data", "read_config", "train_copycat", "train_recogniser", "train_tracker",
    "train_vocoder", "voice_facts",
]  # fmt: skip

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


def _speakers(rows: list[Row], cache: str | Path) -> tuple[str, ...]:
    """Everybody of whom a recording with known phones is in the cache, by name."""
    aligned = lambda row: cache_path(Path(cache), row).with_suffix(".phones.npz").exists()
    return tuple(sorted({row.speaker for row in rows if aligned(row)}))


def voice_facts(
    rows: list[Row], cache: str | Path, speakers: tuple[str, ...], n_phones: int
) -> dict[str, dict[str, Any]]:
    """What is known of each target voice, stored in the checkpoint.

    Returns:
        speaker -> "log_f0_median" (ln Hz over all voiced frames), "f0_low_hz" and "f0_high_hz" (5th and 95th
        percentile), "phone_log_frames" (mean ln frames of each phone, (V,)), "frames".
    """
    pitch: dict[str, list[np.ndarray]] = {s: [] for s in speakers}
    lengths = {s: np.zeros((2, n_phones)) for s in speakers}
    frames = dict.fromkeys(speakers, 0)
    for row in rows:
        path = cache_path(Path(cache), row)
        aligned = path.with_suffix(".phones.npz")
        if row.speaker not in pitch or not aligned.exists():
            continue
        with np.load(path) as data, np.load(aligned) as phones:
            pitch[row.speaker].append(data["log_f0"][data["voiced"]])
            frames[row.speaker] += data["log_f0"].size
            np.add.at(lengths[row.speaker][0], phones["phones"], np.log(np.maximum(phones["durations"], 1)))
            np.add.at(lengths[row.speaker][1], phones["phones"], 1)
    facts = {}
    for speaker, values in pitch.items():
        if not sum(map(len, values)):
            raise UsageError(
                f"no usable recording of {speaker}",
                place=str(cache),
                remedy="check the manifests and rejected.jsonl in the cache",
            )
        log_f0 = np.concatenate(values)
        total, count = lengths[speaker]
        mean = np.where(count > 0, total / np.maximum(count, 1), total.sum() / max(1, count.sum()))
        low, high = np.exp(np.percentile(log_f0, [5, 95]))
        facts[speaker] = {
            "log_f0_median": round(float(np.median(log_f0)), 5),
            "f0_low_hz": round(float(low), 1), "f0_high_hz": round(float(high), 1),
            "phone_log_frames": [round(float(v), 4) for v in mean], "frames": frames[speaker],
        }  # fmt: skip
    return facts


def _train(
    settings: Settings, make_task: Callable[[list[Row]], Task], make_dev: Callable[[list[Row]], Task], criterion: str,
    rows: tuple[list[Row], list[Row]], facts: dict[str, Any], resume: bool, max_minutes: float | None,
    on_event: Event | None, finish: Callable[[Trainer], None] | None = None,
) -> Path:  # fmt: skip
    loop = settings.loop
    torch.manual_seed(loop.seed)  # of the first weights: a run that was killed before its first checkpoint is the same
    task = make_task(rows[0])
    validation = make_validation(make_dev, rows[1], criterion) if loop.validation_steps else None
    trainer = Trainer(task, loop, settings.run_dir, facts, validation)
    tell = on_event if on_event and distributed.is_leader() else None
    report = (lambda stage: lambda step, figures: tell(stage, step, loop.total_steps, figures)) if tell else None
    path = run(
        trainer, resume=resume, max_minutes=max_minutes, on_step=report and report("train"),
        on_validation=report and report("dev"),
    )  # fmt: skip
    if tell and trainer.ending == "asked":
        tell("interrupted", trainer.step, loop.total_steps, {})
    if finish and trainer.ending == "finished" and distributed.is_leader():
        finish(trainer)
        trainer.save()
    return path


def train_vocoder(
    config: str | Path | None = None, *, data: str | Path | None = None, preset: str | None = None,
    settings: Sequence[str] = (), resume: bool = False, run_dir: str | Path | None = None,
    max_minutes: float | None = None, device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train the vocoder; arguments and result as for `train_copycat`."""
    from prosody_transfer.models.vocoder.network import VocoderConfig
    from prosody_transfer.training.vocoder import VocoderTask, VocoderTaskConfig

    plan = load_settings(
        "vocoder", VocoderConfig, VocoderTaskConfig, config=config, data=data, preset=preset, changes=settings,
        run_dir=run_dir,
    )  # fmt: skip
    with distributed.joined(device) as place:
        train, dev, facts = _rows(plan, plan.network.mel, on_event)
        make = lambda rows: VocoderTask(plan.network, plan.task, rows, plan.data.cache, place)
        return _train(plan, make, make, "loss", (train, dev), facts, resume, max_minutes, on_event)


def train_copycat(
    config: str | Path | None = None, *, data: str | Path | None = None, preset: str | None = None,
    settings: Sequence[str] = (), resume: bool = False, run_dir: str | Path | None = None,
    max_minutes: float | None = None, device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train the acoustic model from a config file, or from a prepared folder and a preset.

    Args:
        config: A TOML file; its [network] must list the target `speakers`.
        data: Instead of it, a folder that `ptx prepare` has written; everybody in its train.jsonl becomes a voice.
        preset: "small", "base" (None) or "large", or a TOML file; with `data` only.
        settings: Changes to either, "section.name=value".
        resume: Go on where the run folder's last checkpoint stands.
        run_dir: None for the config's, or runs/copycat.
        max_minutes: Stop after this time.
        device: "cpu", "cuda", "cuda:1", ...
        on_event: Called with a stage ("prepare", "train", "dev", "interrupted"), what is done, how much there is to do,
            and figures; by the first of several processes only.

    Returns:
        The path of the averaged weights.

    Raises:
        UsageError: A setting is wrong, or there is nothing to train on.
        ModelError: The run folder holds another run, or the loss diverged.
    """
    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.training.copycat import CopyCatTask, CopyCatTaskConfig
    from prosody_transfer.training.detail import add_sharpening

    plan = load_settings(
        "copycat", CopyCatConfig, CopyCatTaskConfig, config=config, data=data, preset=preset, changes=settings,
        run_dir=run_dir,
    )  # fmt: skip
    network = plan.network
    if not network.speakers and not plan.prepared:
        problem, remedy = "names no speakers", "list the target voices: speakers = [...]"
        raise UsageError(problem, place=f"{config} [network]", remedy=remedy)
    with distributed.joined(device) as place:
        train, dev, facts = _rows(plan, network.mel, on_event)
        if not network.speakers:
            network = msgspec.structs.replace(network, speakers=_speakers(train, plan.data.cache))
        once = list({(row.speaker, row.id): row for row in train}.values())  # whatever is named twice weighs twice
        voices = voice_facts(once, plan.data.cache, network.speakers, network.n_phones)
        levels = {name: known["log_f0_median"] for name, known in voices.items()}
        make = lambda rows, task=plan.task: CopyCatTask(network, task, rows, plan.data.cache, levels, place)
        whole = {"soft_phones": 0.0, "unknown_source": 1.0, "drop_pitch": 0.0, "drop_energy": 0.0, "drop_latent": 0.0}
        make_dev = lambda rows: make(rows, msgspec.structs.replace(plan.task, **whole))  # as a transfer is asked for
        facts["voices"] = voices
        finish = lambda trainer: add_sharpening(trainer.task, trainer.average, voices)
        return _train(plan, make, make_dev, "mel", (train, dev), facts, resume, max_minutes, on_event, finish)


def train_recogniser(
    config: str | Path | None = None, *, data: str | Path | None = None, preset: str | None = None,
    settings: Sequence[str] = (), resume: bool = False, run_dir: str | Path | None = None,
    max_minutes: float | None = None, device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train the phone recogniser; arguments and result as for `train_copycat`."""
    from prosody_transfer.models.recogniser.network import RecogniserConfig
    from prosody_transfer.training.recogniser import RecogniserTask, RecogniserTaskConfig

    plan = load_settings(
        "recogniser", RecogniserConfig, RecogniserTaskConfig, config=config, data=data, preset=preset,
        changes=settings, run_dir=run_dir,
    )  # fmt: skip
    with distributed.joined(device) as place:
        train, dev, facts = _rows(plan, plan.network.mel, on_event)
        make = lambda rows: RecogniserTask(plan.network, plan.task, rows, plan.data.cache, place)
        return _train(plan, make, make, "loss", (train, dev), facts, resume, max_minutes, on_event)


def train_tracker(
    config: str | Path | None = None, *, data: str | Path | None = None, preset: str | None = None,
    settings: Sequence[str] = (), resume: bool = False, run_dir: str | Path | None = None,
    max_minutes: float | None = None, device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train the pitch tracker; arguments and result as for `train_copycat`.

    A config's manifests name recordings with a contour beside each (NAME.f0.npz); of a prepared folder the contours
    that `ptx prepare` has measured are taken, where the sound bears them out.
    """
    from prosody_transfer.models.tracker.network import TrackerConfig
    from prosody_transfer.training.tracker import TrackerTask, TrackerTaskConfig

    plan = load_settings(
        "tracker", TrackerConfig, TrackerTaskConfig, config=config, data=data, preset=preset, changes=settings,
        run_dir=run_dir,
    )  # fmt: skip
    with distributed.joined(device) as place:
        train, dev = _prepared(plan.data) if plan.prepared else _listed(plan.data)
        facts = {"data": data_facts(plan.data.manifests, train, len(train))}
        make = lambda rows: TrackerTask(plan.network, plan.task, rows, plan.data.cache, place)
        return _train(plan, make, make, "loss", (train, dev), facts, resume, max_minutes, on_event)


def _listed(data: DataConfig) -> tuple[list[Row], list[Row]]:
    """What a config's manifests list, to train on and to validate on."""
    train, dev = ([row for path in paths for row in read_manifest(path)] for paths in (data.manifests, data.dev))
    return train, dev
