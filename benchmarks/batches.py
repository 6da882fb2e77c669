"""What several processes and a Dask cluster cost beside one process, over many short recordings.

Usage: batches.py FOLDER [--files 2000] [--engine one|processes|dask] ... [--networks tiny|none]
FOLDER is filled, and may be given again. Without networks an output is written without any work: only the rest is left.

Prints, for each engine: CPU seconds of all processes, and of the scheduler its resident memory after every tenth.
With the shipped networks the shares of all but the transfer itself are smaller still.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "jobs"), str(ROOT / "benchmarks")]
RATE = 24000


def prepare(folder: Path, files: int) -> None:
    """Recordings of a second, no two alike, and networks."""
    import soundfile
    from conftest import murmur, save_tiny_networks

    for part in ("in", "networks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    if not (folder / "networks" / "copycat.safetensors").exists():
        save_tiny_networks(folder / "networks")
    sounds = [murmur(1.0, seed) for seed in (0, 1)]
    for i in range(files):
        path = folder / "in" / f"{i // 500}" / f"{i:05}.wav"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, sounds[i % 2] * (1 - i / 10 / files), RATE)


class Nothing:
    """In place of a `Transferer`: writes the same output each time."""

    def made_of(self, speaker: str) -> dict[str, Any]:
        return {"model": [], "voice": {}}

    def from_file_to_file(self, path: Any, speaker: str, output: Any, *, on_written: Any, **options: Any) -> Any:
        from prosody_transfer.core.atomic import part_name

        part = Path(output).with_name(part_name())
        part.write_bytes(b"RIFF" + bytes(50_000))
        on_written(part)
        part.replace(output)
        return Written({"input": str(path), "output": str(output), "words": [{"word": "a", "start": 0.0}] * 20})

    def from_files_to_files(self, paths: Any, speaker: str, out_dir: Any, **given: Any) -> Any:
        from prosody_transfer.synthesis.batch import Batch

        options = {"settings": given["settings"], "subtype": given["subtype"]}
        made: Any = self
        batch = Batch(made, speaker, out_dir, options, overwrite=False, root=given["root"], suffix=given["suffix"])
        return batch.run(paths, given["on_done"], given["on_left"])


@dataclass(frozen=True)
class Written:
    report: dict[str, Any]


def nothing(*networks: Any) -> Nothing:
    return Nothing()


def transfer(folder: Path, engine: str, address: str | None, files: int, networks: str) -> None:
    """In a process of its own: one batch; tells how it went on standard output."""
    import psutil

    from prosody_transfer.audio.find import find_sources
    from prosody_transfer.jobs.tasks import Done, Sources
    from prosody_transfer.jobs.transfer import transfer_sources
    from prosody_transfer.synthesis.prosody import TransferSettings

    if networks == "tiny":
        from jobs_fakes import load
    else:
        from batches import nothing as load  # workers don't find it in "__main__"

    paths = find_sources(folder / "in", [])[:files]
    kinds: dict[str, int] = {}
    memory: list[float] = []

    def on_done(done: Done) -> None:
        kind = "failed" if done.failure else "left" if done.state else "done"
        kinds[kind] = kinds.get(kind, 0) + 1
        if sum(kinds.values()) % max(1, files // 10) == 0:
            memory.append(round(psutil.Process().memory_info().rss / 2**20, 1))
            print("TENTH", flush=True)

    transfer_sources(
        [Sources(paths, folder / engine, folder / "in")], "alice", settings=TransferSettings(recognise="phones"),
        model=folder / "networks" / "copycat.safetensors", vocoder=folder / "networks" / "vocoder.safetensors",
        load=load, on_done=on_done, workers=2 if engine == "processes" else 1,
        engine="dask" if engine == "dask" else "processes", scheduler=address,
    )  # fmt: skip
    spent = os.times()
    cpu = spent.user + spent.system + spent.children_user + spent.children_system
    print("ENDED", json.dumps({**kinds, "cpu_seconds": round(cpu, 1), "asking process, MiB": memory}), flush=True)


def measure(folder: Path, engine: str, files: int, networks: str) -> dict[str, Any]:
    import psutil

    shutil.rmtree(folder / engine, ignore_errors=True)
    python = [sys.executable, "-m"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[:3]), "OMP_NUM_THREADS": "1"}
    env |= {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2"}
    quiet: dict[str, Any] = {"env": env, "stderr": subprocess.DEVNULL, "cwd": folder}
    helpers: list[subprocess.Popen[Any]] = []
    address, scheduler_memory = None, []
    if engine == "dask":
        place = folder / f"scheduler-{os.getpid()}.json"
        given = ["--scheduler-file", str(place)]
        scheduler = [*python, "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", *given]
        helpers.append(subprocess.Popen(scheduler, **quiet))
        while not place.exists():
            time.sleep(0.1)
        address = json.loads(place.read_text())["address"]
        workers = ["--nworkers", "2", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard", *given]
        helpers.append(subprocess.Popen([*python, "distributed.cli.dask_worker", *workers], **quiet))
    began = time.perf_counter()
    line = [sys.executable, __file__, str(folder), "--files", str(files), "--run", engine, "--address", address or ""]
    line += ["--networks", networks]
    client = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=env)
    found: dict[str, Any] = {}
    for told in client.stdout or ():
        if told.startswith("TENTH") and helpers:
            scheduler_memory.append(round(psutil.Process(helpers[0].pid).memory_info().rss / 2**20, 1))
        if told.startswith("ENDED"):
            found = json.loads(told.partition(" ")[2])
    client.wait()
    for helper in helpers:
        cpu = 0.0
        top = psutil.Process(helper.pid)
        for process in (top, *top.children(recursive=True)):
            cpu += sum(process.cpu_times()[:2])
        found["scheduler CPU" if helper is helpers[0] else "workers CPU"] = round(cpu, 1)
        found["cpu_seconds"] = round(found["cpu_seconds"] + cpu, 1)
    for helper in reversed(helpers):
        helper.terminate()
        helper.wait()
    found["wall_seconds"] = round(time.perf_counter() - began, 1)
    return found | ({"scheduler, MiB": scheduler_memory} if helpers else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--engine", nargs="+", default=["one", "processes", "dask"])
    parser.add_argument("--networks", choices=["tiny", "none"], default="tiny")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.run:
        transfer(folder, given.run, given.address or None, given.files, given.networks)
        return
    prepare(folder, given.files)
    for engine in given.engine:
        print(engine, json.dumps(measure(folder, engine, given.files, given.networks), indent=1), flush=True)


if __name__ == "__main__":
    main()
