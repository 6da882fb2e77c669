"""kill -9 at random moments: the same command then ends with the same bytes, and nothing is left behind.

Usage: python benchmarks/kill.py RECORDINGS WORK [--verbs build prepare evaluate voice serve] [--kills 20] [--lives 5]
       [--seed 0]

RECORDINGS is a folder of one speaker's recordings with their transcripts, a minute or more. For each verb the command
runs once undisturbed; then again in a new folder of the same name, where it is killed LIVES times, each at a random
moment of its work (in processor time), and then left to end. What it has written must be the same to the byte, with no
temporary file or folder beside it or in TMPDIR. Until KILLS are done. Of `ptx listen serve` (while clients write
ratings) no rating that was said to be saved may be lost. Only the processes started here are killed, one runs at a
time. Resumable: what is in WORK/found.jsonl is not done again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

CREATED = re.compile(rb'"created": "[^"]*"')
SOUNDS = (".wav", ".flac", ".opus", ".ogg")
CONSENT = "who: nobody\npurposes: tests\ndate: 2024-01-01\nuntil: unlimited\n"
DESIGN = """\
title = "Which is nearer?"
id = "kill"
kind = "prosody"
items = {items}
source = "clean/{{item}}.wav"

[systems]
clean = "clean"
noisy = "noisy"
"""


def processor_time(number: int) -> float:
    """Of a process, s: a moment of its work, however busy the machine is."""
    try:
        parts = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("inf")
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def sounds(recordings: Path) -> list[Path]:
    found = sorted(path for path in recordings.iterdir() if path.suffix.lower() in SOUNDS)
    if len(found) < 8:
        sys.exit(f"{recordings}: 8 recordings or more are needed")
    return found


def inputs(recordings: Path, work: Path) -> None:
    """Everything that the commands read, made once."""
    given = work / "inputs"
    if (given / "consent.txt").exists():
        return
    for path in sounds(recordings):
        for name in ("takes", "pairs"):
            (given / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, given / name / path.name)
            shutil.copy(path.with_suffix(".txt"), given / name / path.with_suffix(".txt").name)
    with open(given / "pairs" / "pairs.jsonl", "w") as file:
        for path in sounds(recordings)[:3]:
            text = path.with_suffix(".txt").read_text().strip()
            file.write(json.dumps({"source": path.name, "speaker": "alice", "text": text}) + "\n")
    rng = np.random.default_rng(0)
    items = [path.stem for path in sounds(recordings)[:6]]
    for path in sounds(recordings)[:6]:
        waveform, rate = soundfile.read(path)
        for name, noise in (("clean", 0.0), ("noisy", 0.01)):
            (given / "listening" / name).mkdir(parents=True, exist_ok=True)
            sound = waveform + noise * rng.standard_normal(len(waveform))
            soundfile.write(given / "listening" / name / f"{path.stem}.wav", np.clip(sound, -1, 1), rate)
    (given / "listening" / "test.toml").write_text(DESIGN.format(items=json.dumps(items)))
    (given / "consent.txt").write_text(CONSENT)


def commands(given: Path) -> dict[str, list[str]]:
    """What is killed; each is run in an empty folder."""
    judge = ["--no-asr", "--no-quality", "--controls", "2", "--workers", "1", "--force"]
    who = ["--synthetic", "--gender", "female", "--steps", "30", "--voices", "voices", "--workers", "1"]
    return {
        "build": ["listen", "build", f"{given}/listening/test.toml", "-o", "listening", "--force"],
        "prepare": ["prepare", f"{given}/takes", "-o", "data", "--workers", "1"],
        "evaluate": ["evaluate", f"{given}/pairs/pairs.jsonl", "--report", "report.html", *judge],
        "voice": ["voice", "add", "jane", f"{given}/takes", "--consent", f"{given}/consent.txt", *who],
    }


class Bench:
    """One verb: its undisturbed run, and chains of killed ones."""

    def __init__(self, work: Path, verb: str) -> None:
        self.here, self.temporary = work / verb / "here", work / verb / "tmp"
        self.line = [sys.executable, "-m", "prosody_transfer", *commands(work / "inputs")[verb]]
        self.log = work / verb / "log.txt"

    def empty(self) -> None:
        for folder in (self.here, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def start(self) -> subprocess.Popen[bytes]:
        env = {**os.environ, "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1"}
        log = open(self.log, "ab")  # noqa: SIM115  the process has it
        try:
            return subprocess.Popen(self.line, cwd=self.here, env=env, stdout=log, stderr=log)
        finally:
            log.close()

    def whole(self) -> tuple[int, float]:
        """Exit code, and the processor time that it took, s."""
        process = self.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_utime + usage.ru_stime
        finally:
            process.kill()

    def killed(self, after: float) -> bool:
        """Kill it once it has used so much processor time, s; False where it ended before."""
        process = self.start()
        try:
            while process.poll() is None:
                if processor_time(process.pid) >= after:
                    return True
                time.sleep(0.005)
            return False
        finally:
            process.kill()
            process.wait()

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file but for the time at which it says it was made; what lies in TMPDIR under that name."""
        found = {}
        for root, name in ((self.here, ""), (self.temporary, "TMPDIR/")):
            for path in sorted(root.rglob("*")):
                data = CREATED.sub(b"", path.read_bytes()) if path.is_file() else None
                content = hashlib.sha256(data).hexdigest() if data is not None else "a folder"
                found[name + str(path.relative_to(root))] = content
        return found


def chain(
    bench: Bench, wanted: dict[str, str], lives: int, seconds: float, moments: random.Random
) -> dict[str, object]:
    """Killed so many times, then left to end: what differs from an undisturbed run, and what it has left."""
    bench.empty()
    killed = []
    for _ in range(lives):
        after = moments.uniform(0.0, 2.0 * seconds / (lives + 1))
        if not bench.killed(after):
            break
        killed.append(round(after, 3))
    code, _ = bench.whole()
    found = bench.digests()
    return {
        "killed_after": killed, "exit_code": code, "left": sorted(set(found) - set(wanted)),
        "missing": sorted(set(wanted) - set(found)),
        "differ": sorted(name for name in set(found) & set(wanted) if found[name] != wanted[name]),
    }  # fmt: skip


def kill_verb(work: Path, verb: str, kills: int, lives: int, seed: int) -> Iterator[dict[str, object]]:
    """The undisturbed run, unless that is there already; then chains until so many were killed."""
    bench, whole = Bench(work, verb), work / verb / "whole.json"
    if not whole.exists():
        bench.empty()
        code, seconds = bench.whole()
        if code:
            sys.exit(f"{verb}: failed undisturbed; see {bench.log}")
        whole.write_text(json.dumps({"seconds": seconds, "files": bench.digests()}, indent=1))
        shutil.copytree(bench.here, work / verb / "whole", dirs_exist_ok=True)
    known = json.loads(whole.read_text())
    done = [row for row in rows(work) if row["verb"] == verb]
    count = sum(len(row["killed_after"]) for row in done)
    number = len(done)
    while count < kills:
        moments = random.Random(f"{seed} {verb} {number}")
        found = chain(bench, known["files"], min(lives, kills - count), known["seconds"], moments)
        count, number = count + len(found["killed_after"]), number + 1  # type: ignore[arg-type]
        if found["exit_code"] or found["left"] or found["missing"] or found["differ"]:
            shutil.copytree(bench.here, work / verb / f"bad-{number}", dirs_exist_ok=True)
        yield {"verb": verb, **found}


def kill_server(work: Path, kills: int, lives: int, seed: int) -> Iterator[dict[str, object]]:
    """`listen_load.py`, which kills the server itself; the folder is what the verb `build` has made."""
    folder = work / "served"
    done = sum(row["kills"] for row in rows(work) if row["verb"] == "serve")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(work / "build" / "whole" / "listening", folder)
    before = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    out = work / "serve.json"
    if done < kills:
        line = [sys.executable, str(Path(__file__).with_name("listen_load.py")), str(folder), "--json", str(out)]
        line += ["--clients", "20", "--dripping", "20", "--kills", str(kills - done), "--seconds", str(4 * kills)]
        code = subprocess.run(line).returncode
        left = [name for path in folder.rglob("*") if (name := str(path.relative_to(folder))) not in before
                and (".part" in name or path.name.startswith("."))]  # fmt: skip
        yield {"verb": "serve", "kills": kills - done, "exit_code": code, "left": left, **json.loads(out.read_text())}


def rows(work: Path) -> list[dict]:
    path = work / "found.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--verbs", nargs="+", default=["build", "prepare", "evaluate", "voice", "serve"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--lives", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # and what it has started goes with it
    work = asked.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    inputs(asked.recordings, work)
    for verb in asked.verbs:
        run: Callable[[], Iterator[dict[str, object]]] = (
            (lambda: kill_server(work, asked.kills, asked.lives, asked.seed)) if verb == "serve"
            else (lambda verb=verb: kill_verb(work, verb, asked.kills, asked.lives, asked.seed))
        )  # fmt: skip
        for found in run():
            with open(work / "found.jsonl", "a") as file:
                file.write(json.dumps(found) + "\n")
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
