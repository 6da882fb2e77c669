"""Peak memory of `ptx transfer` against source length. Usage: python benchmarks/memory.py [--json OUT]"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "examples" / "audio" / "source.flac"


def peak_megabytes(seconds: float, text: bool) -> tuple[float, float]:
    """Peak resident memory and real-time factor of a transfer of `seconds` of repeated example speech."""
    command = [sys.executable, __file__, "--one", str(seconds)] + (["--text"] if text else [])
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(out[-2]), float(out[-1])


def one(seconds: float, text: bool) -> None:
    import numpy as np
    import soundfile

    from prosody_transfer.synthesis.transfer import Transferer

    example, rate = soundfile.read(EXAMPLE, dtype="float32")
    unit = np.concatenate([example, np.zeros(int(0.4 * rate), np.float32)])
    count = max(1, round(seconds * rate / len(unit)))
    words = " ".join([EXAMPLE.with_suffix(".txt").read_text().strip()] * count) if text else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.flac"
        soundfile.write(path, np.tile(unit, count), rate)
        result = Transferer().from_file_to_file(path, "alice", Path(folder) / "out.wav", text=words)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, result.report["real_time_factor"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=float)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--json", type=Path, default=Path("benchmark-memory.json"))
    options = parser.parse_args()
    if options.one:
        return one(options.one, options.text)
    rows = []
    print("seconds  text   peak MB  x real time")
    for seconds in (5, 30, 120, 600):
        for text in (False, True):
            megabytes, factor = peak_megabytes(seconds, text)
            rows.append({"seconds": seconds, "text": text, "peak_mb": megabytes, "real_time_factor": factor})
            print(f"{seconds:7d}  {text!s:5s} {megabytes:8.0f}  {factor:10.3f}", flush=True)
    options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
