"""Training throughput: hours of speech an hour, in one process and in two. Needs no data; takes some minutes.

Whole steps as `ptx train` takes them, batches included, on made-up recordings. Best of several short stretches, as
other programs on the machine only ever slow one down.

    OMP_NUM_THREADS=1 python benchmarks/training.py [--preset base] [--json OUT]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.data.manifest import Row, cache_path, read_manifest
from prosody_transfer.features.cache import save_features, write_npz
from prosody_transfer.features.extract import Features

KINDS = ("copycat", "vocoder", "recogniser")
SPEAKERS, EACH, SECONDS = 4, 8, 5


def make_corpus(folder: Path) -> None:
    """A prepared folder of noise: four speakers, eight recordings of five seconds each."""
    rng, config, lines = np.random.default_rng(0), MelConfig(), []
    frames = SECONDS * config.sample_rate // config.hop_length
    for number in range(SPEAKERS * EACH):
        row = Row(id=f"u{number}", audio="none.wav", speaker=f"speaker{number % SPEAKERS}", text="a")
        mel = rng.normal(-5, 2, (config.n_mels, frames)).astype(np.float32)
        log_f0 = np.full(frames, 5.0, np.float32) + rng.normal(0, 0.1, frames).astype(np.float32)
        voiced = rng.random(frames) < 0.6
        energy = rng.normal(-10, 5, frames).astype(np.float32)
        features = Features(mel, log_f0, voiced, energy, frames * config.hop_length, config)
        pcm = rng.normal(0, 2000, frames * config.hop_length).astype(np.int16)
        save_features(cache_path(folder / "cache", row), features, pcm)
        durations = np.full(frames // 7, 7, np.int16)
        durations[-1] += frames - durations.sum()
        phones = rng.integers(0, 40, len(durations)).astype(np.uint8)
        path = cache_path(folder / "cache", row).with_suffix(".phones.npz")
        write_npz(path, phones=phones, stress=np.zeros_like(phones), durations=durations)
        lines.append(json.dumps({"id": row.id, "audio": row.audio, "speaker": row.speaker, "text": row.text}))
    (folder / "train.jsonl").write_text("\n".join(lines))


def make_task(kind: str, preset: str, data: Path) -> tuple[Any, Any]:
    """The task and the loop's settings of a preset."""
    from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.models.copycat.task import CopyCatTask
    from prosody_transfer.models.recogniser.network import RecogniserConfig
    from prosody_transfer.models.recogniser.task import RecogniserTask, RecogniserTaskConfig
    from prosody_transfer.models.vocoder.network import VocoderConfig
    from prosody_transfer.models.vocoder.task import VocoderTask, VocoderTaskConfig
    from prosody_transfer.training.settings import load_settings

    rows, cache = read_manifest(data / "train.jsonl"), data / "cache"
    voices = [f'"speaker{k}"' for k in range(SPEAKERS)]
    if kind == "copycat":
        change = [f"network.speakers=[{', '.join(voices)}]"]
        found = load_settings(kind, CopyCatConfig, CopyCatTaskConfig, data=data, preset=preset, changes=change)
        levels = {f"speaker{k}": 5.0 for k in range(SPEAKERS)}
        return CopyCatTask(found.network, found.task, rows, cache, levels), found.loop
    if kind == "vocoder":
        found = load_settings(kind, VocoderConfig, VocoderTaskConfig, data=data, preset=preset)
        return VocoderTask(found.network, found.task, rows, cache), found.loop
    found = load_settings(kind, RecogniserConfig, RecogniserTaskConfig, data=data, preset=preset)
    return RecogniserTask(found.network, found.task, rows, cache), found.loop


def measure_here(kind: str, preset: str, data: Path, steps: int, repeats: int) -> None:
    """Train in this process, which torchrun may have started, and print the best rate as JSON."""
    from prosody_transfer.training import distributed
    from prosody_transfer.training.loop import Trainer

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    with distributed.joined():
        task, loop = make_task(kind, preset, data)
        trainer = Trainer(task, loop, data / "run")
        for _ in range(3):
            trainer.advance()
        rates = []
        for _ in range(repeats):
            distributed.wait()
            began, worked, speech = time.perf_counter(), time.process_time(), trainer.speech_seconds
            for _ in range(steps):
                trainer.advance()
            seconds, worked = time.perf_counter() - began, time.process_time() - worked
            rate = (trainer.speech_seconds - speech) / seconds
            rates.append({
                "speech_hours_per_hour": rate, "seconds_per_step": seconds / steps, "cpu_seconds": worked / steps
            })  # fmt: skip
        if distributed.is_leader():
            print(json.dumps(max(rates, key=lambda rate: rate["speech_hours_per_hour"])))


def measure(kind: str, preset: str, data: Path, options: argparse.Namespace, processes: int, threads: int) -> Any:
    """The best rate of `processes` with `threads` each."""
    command = [__file__, "--one", kind, "--preset", preset, "--data", str(data), "--steps", str(options.steps)]
    command += ["--repeats", str(options.repeats)]
    start = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, *start, *command], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    rate = json.loads(done.stdout.strip().splitlines()[-1])
    return {"network": kind, "preset": preset, "processes": processes, "threads": threads, **rate}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="base")
    parser.add_argument("--steps", type=int, default=6, help="of a stretch")
    parser.add_argument("--repeats", type=int, default=5, help="stretches, of which the best counts")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--json", type=Path, default=Path("benchmark-training.json"))
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure_here(options.one, options.preset, options.data, options.steps, options.repeats)
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        make_corpus(Path(folder))
        for kind in options.kinds:
            alone = None
            for processes, threads in ((1, 1), (1, 2), (2, 1)):
                row = measure(kind, options.preset, Path(folder), options, processes, threads)
                alone = alone or row["speech_hours_per_hour"]
                row["times_one_thread"] = row["speech_hours_per_hour"] / alone
                rows.append(row)
                print(
                    f"{kind:10s} {options.preset:5s}  processes {processes}  threads {threads}"
                    f"  {row['seconds_per_step']:6.3f} s a step ({row['cpu_seconds']:.3f} of one processor)"
                    f"  {row['speech_hours_per_hour']:6.1f} h of speech an hour  x {row['times_one_thread']:.2f}",
                    flush=True,
                )
    options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
