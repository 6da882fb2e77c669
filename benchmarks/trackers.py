"""The judging tracker and its parts against contours that are known.

Usage: python benchmarks/trackers.py TRANSFER_SET [--json OUT]
TRANSFER_SET/manifest.json is a list with "source" (audio) and "f0_hz_80hz" (its contour, frame k at k / 80 s; below
10 = unvoiced). Compared on frames of 10 ms that the tracker calls voiced and that lie two frames of 12.5 ms or more
inside a voiced stretch of the known contour.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.trackers import autocorrelation_f0, coarse_f0, track
from prosody_transfer.features.pitch import track_f0

RATE, CENTS = EVALUATION_RATE, 1200 / np.log(2)


def register(signal: np.ndarray) -> tuple[float, float]:
    """Where the second tracker may look, Hz."""
    f0 = coarse_f0(signal, RATE)
    middle = float(np.median(f0[f0 > 0]))
    return max(50.0, 0.6 * middle), min(700.0, 2.2 * middle)


def hertz(log_f0: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    return np.where(voiced, np.exp(log_f0), 0.0)


TRACKERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "autocorrelation, 60-500 Hz": lambda x: autocorrelation_f0(x, RATE, 60.0, 500.0)[0],
    "DIO + StoneMask, 60-600 Hz": lambda x: coarse_f0(x, RATE),
    "DIO + StoneMask, two passes": lambda x: hertz(*track_f0(x, RATE, 160, 1 + len(x) // 160)),
    "autocorrelation in DIO's register": lambda x: autocorrelation_f0(x, RATE, *register(x))[0],
    "the two agreed (track)": lambda x: hertz(*track(x)),
}


def known(f0_hz_80hz: list[float], n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """ln F0 and "well inside a voiced stretch", on frames of 10 ms, (T,) each."""
    f0 = np.asarray(f0_hz_80hz)
    voiced = f0 >= 10
    inside = np.convolve(voiced, np.ones(5), "same") == 5
    at = np.arange(n_frames) * 0.8
    return np.interp(at, np.arange(len(f0)), np.log(np.maximum(f0, 1))), inside[
        np.minimum(at.round().astype(int), len(f0) - 1)
    ]


def compare(f0: np.ndarray, true: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    compared = inside & (f0 > 0)
    found = np.log(f0[compared])
    apart = np.abs(found - true[compared])
    return {
        "correlation": float(np.corrcoef(found, true[compared])[0, 1]),
        "median_cents": float(CENTS * np.median(apart)),
        "gross": float((apart > np.log(1.2)).mean()),
        "found": float(compared.sum() / inside.sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--json", type=Path, default=Path("benchmark-trackers.json"))
    options = parser.parse_args()
    rows = json.loads((options.set / "manifest.json").read_text(encoding="utf8"))
    signals = [load(options.set / row["source"]).astype(np.float64) for row in rows]
    seconds = sum(map(len, signals)) / RATE
    table = {}
    print(f"{len(rows)} sources, {seconds:.0f} s")
    print(f"{'':34s} mean r  least r  median cents  gross   found  CPU s of 5 s")
    for name, tracker in TRACKERS.items():
        started = time.process_time()
        contours = [tracker(signal) for signal in signals]
        cost = (time.process_time() - started) * 5 / seconds
        each = [compare(f0, *known(row["f0_hz_80hz"], len(f0))) for f0, row in zip(contours, rows, strict=True)]
        mean = {key: float(np.mean([e[key] for e in each])) for key in each[0]}
        least = min(e["correlation"] for e in each)
        table[name] = mean | {"least_correlation": least, "cpu_seconds_of_5_s": cost}
        print(
            f"{name:34s} {mean['correlation']:6.3f}  {least:7.3f}  {mean['median_cents']:12.1f} {mean['gross']:6.2%}  "
            f"{mean['found']:6.1%}  {cost:12.3f}"
        )
    options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
