"""How long `ptx evaluate` takes on the benchmark that ships. Usage: python benchmarks/evaluate.py [--workers 2]"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed(*options: str) -> dict[str, float]:
    """Wall and processor seconds of `ptx evaluate --benchmark OPTIONS`, a new process in an empty work folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("ptx")), "evaluate", "--benchmark", "--work", folder]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*command, "--report", f"{folder}/report.html", *options], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"wall, s": time.perf_counter() - began, "processor, s": used}


def main() -> None:
    from prosody_transfer.evaluation.benchmark import benchmark_pairs

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="2")
    parser.add_argument("--json", type=Path, default=Path("benchmark-evaluate.json"))
    options = parser.parse_args()
    figures: dict[str, float] = {"pairs": len(benchmark_pairs())}
    for flags in ("", "--no-asr", "--no-asr --no-controls"):
        name = flags or "all"
        for what, seconds in timed("--workers", options.workers, *flags.split()).items():
            figures[f"{name}: {what}"] = seconds
            print(f"{name + ': ' + what:40s} {seconds:8.1f}", flush=True)
    options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
