"""`ptx train ...`: a config file in, a run folder with weights out."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import Row, cache_path, read_manifest
from prosody_transfer.training.loop import LoopConfig, Task, Trainer, run
from prosody_transfer.training.prepare import prepare

N = TypeVar("N", bound=Config)
C = TypeVar("C", bound=Config)
Event = Callable[[str, int, int, dict[str, float]], None]


class DataConfig(Config):
    """Where the data is: manifests (JSON Lines) and the cache folder, relative to the working folder."""

    manifests: tuple[str, ...]
    cache: str = "data/cache"
    aligner: str = "pocketsphinx"
    workers: int = 2


def read_config(path: str | Path) -> dict[str, Any]:
    """A TOML file as plain data; UsageError when it is missing or broken."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf8"))
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})", place=str(path), remedy="examples are in configs/"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"is not TOML: {error}", place=str(path), remedy="examples are in configs/") from None


def _settings(path: str | Path, network: type[N], task: type[C]) -> tuple[dict[str, Any], DataConfig, N, C]:
    """The config as plain data, and its parts; what is wrong with it is said before anything is measured."""
    data = read_config(path)
    known: dict[str, type[Any]] = {"data": DataConfig, "network": network, "task": task, "loop": LoopConfig}
    if unknown := set(data) - {"run_dir", *known}:
        raise UsageError(
            f"has an unknown section [{sorted(unknown)[0]}]",
            place=str(path),
            remedy=f"known: {', '.join(known)}",
        )
    if not isinstance(data.get("run_dir", ""), str):
        raise UsageError(f"run_dir = {data['run_dir']!r} is no folder", place=str(path), remedy="give a path in quotes")

    def part(name: str) -> Any:
        return load_config(known[name], data.get(name, {}), f"{path} [{name}]")

    part("loop")
    return data, part("data"), part("network"), part("task")


def load_data(data: DataConfig, mel: Any, on_event: Event | None) -> tuple[list[Row], dict[str, Any]]:
    """Read the manifests and measure what is not in the cache yet; also facts about them for the checkpoint."""
    rows = [row for manifest in data.manifests for row in read_manifest(manifest)]
    done = 0

    def count(row: Row, reason: str) -> None:
        nonlocal done
        done += 1
        if on_event:
            on_event("prepare", done, len(rows), {})

    rejected = prepare(rows, data.cache, mel, aligner=data.aligner, workers=data.workers, on_done=count)
    listing = "\n".join(f"{r.id} {r.speaker} {r.text}" for r in rows)
    digest = hashlib.sha256(listing.encode()).hexdigest()[:16]
    return rows, {
        "data": {
            "manifests": [Path(m).name for m in data.manifests],
            "utterances": len(rows) - len(rejected),
            "sha256": digest,
        }
    }


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
    path: str | Path, task: Task, settings: dict[str, Any], facts: dict[str, Any], resume: bool,
    run_dir: str | Path | None, max_minutes: float | None, on_event: Event | None,
) -> Path:  # fmt: skip
    loop = load_config(LoopConfig, settings.get("loop", {}), f"{path} [loop]")
    folder = Path(run_dir or settings.get("run_dir") or Path("runs") / Path(path).stem)
    report = (lambda step, figures: on_event("train", step, loop.total_steps, figures)) if on_event else None
    return run(Trainer(task, loop, folder, facts), resume=resume, max_minutes=max_minutes, on_step=report)


def train_vocoder(
    config: str | Path, *, resume: bool = False, run_dir: str | Path | None = None, max_minutes: float | None = None,
    device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train the vocoder from a config file; returns the path of the averaged weights."""
    from prosody_transfer.models.vocoder.network import VocoderConfig
    from prosody_transfer.training.vocoder import VocoderTask, VocoderTaskConfig

    settings, data, network, task = _settings(config, VocoderConfig, VocoderTaskConfig)
    rows, facts = load_data(data, network.mel, on_event)
    built = VocoderTask(network, task, rows, data.cache, device)
    return _train(config, built, settings, facts, resume, run_dir, max_minutes, on_event)


def train_copycat(
    config: str | Path, *, resume: bool = False, run_dir: str | Path | None = None, max_minutes: float | None = None,
    device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train the acoustic model from a config file; [network] must list the target `speakers`."""
    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.training.copycat import CopyCatTask, CopyCatTaskConfig

    settings, data, network, task = _settings(config, CopyCatConfig, CopyCatTaskConfig)
    if not network.speakers:
        raise UsageError(
            "names no speakers", place=f"{config} [network]", remedy="list the target voices: speakers = [...]"
        )
    rows, facts = load_data(data, network.mel, on_event)
    voices = voice_facts(rows, data.cache, network.speakers, network.n_phones)
    levels = {name: known["log_f0_median"] for name, known in voices.items()}
    built = CopyCatTask(network, task, rows, data.cache, levels, device)
    return _train(config, built, settings, {**facts, "voices": voices}, resume, run_dir, max_minutes, on_event)


def train_recogniser(
    config: str | Path, *, resume: bool = False, run_dir: str | Path | None = None, max_minutes: float | None = None,
    device: str = "cpu", on_event: Event | None = None,
) -> Path:  # fmt: skip
    """Train the phone recogniser from a config file."""
    from prosody_transfer.models.recogniser.network import RecogniserConfig
    from prosody_transfer.training.recogniser import RecogniserTask, RecogniserTaskConfig

    settings, data, network, task = _settings(config, RecogniserConfig, RecogniserTaskConfig)
    rows, facts = load_data(data, network.mel, on_event)
    built = RecogniserTask(network, task, rows, data.cache, device)
    return _train(config, built, settings, facts, resume, run_dir, max_minutes, on_event)
