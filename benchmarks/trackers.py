"""Trackers against contours that are known.

Usage: python benchmarks/trackers.py TRANSFER_SET [--json OUT]             the judging tracker and its parts, clean
       python benchmarks/trackers.py TRANSFER_SET --conditions [--json OUT]   the trackers of --tracker, and bad sound
TRANSFER_SET/manifest.json is a list with "source" (audio) and "f0_hz_80hz" (its contour, frame k at k / 80 s; below
10 = unvoiced). The first table compares on frames of 10 ms that the tracker calls voiced and that lie two frames of
12.5 ms or more inside a voiced stretch of the known contour. The second compares with what of the contour really
sounds (`training.contours.refined`, on the clean sound), says what share of the voiced frames was missed, and leaves
out frames of which not even the clean sound tells whether they are voiced.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from conditions import CONDITIONS, heard_through

from prosody_transfer.analysis.tracking import get_tracker
from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.levelling import level_source
from prosody_transfer.audio.resample import resample
from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.trackers import autocorrelation_f0, coarse_f0, track
from prosody_transfer.features.pitch import track_f0
from prosody_transfer.training.contours import refined

MODEL_RATE, HOP = 24000, 256  # of what is transferred
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


def sounding(contour: list[float], signal: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """F0 in Hz (0: unvoiced) and weight (0: not known) on frames of 256 samples at 24 kHz, (T,) each."""
    f0 = np.asarray(contour)
    at = np.minimum(np.round(np.arange(size) * HOP / MODEL_RATE * 80).astype(int), len(f0) - 1)
    low = resample(signal.astype(np.float32), MODEL_RATE, MODEL_RATE // 2)
    return refined(low, MODEL_RATE // 2, HOP // 2, np.where(f0[at] >= 10, f0[at], 0.0))


def judge(f0: np.ndarray, true: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Correlation of ln F0, share of gross errors (20 %), of voicing errors, of voiced frames missed, median cents."""
    sure, voiced = weight == 1, true > 0
    both = sure & voiced & (f0 > 0)
    if both.sum() < 3:
        return {"correlation": 0.0, "gross": 1.0, "voicing_errors": 1.0, "missed": 1.0, "median_cents": 1200.0}
    apart = np.log(f0[both] / true[both])
    return {
        "correlation": float(np.corrcoef(np.log(f0[both]), np.log(true[both]))[0, 1]),
        "gross": float((np.abs(apart) > np.log(1.2)).mean()),
        "voicing_errors": float(((f0 > 0) != voiced)[sure].mean()),
        "missed": float((f0 == 0)[sure & voiced].mean()),
        "median_cents": float(CENTS * np.median(np.abs(apart))),
    }


def under_conditions(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Every tracker of ptx under every condition; prints the table."""
    trackers = {"dio": track_f0, "learned": get_tracker("learned")}
    table: dict[str, Any] = {}
    print(f"{'':24s} {'r':>6s} {'gross':>7s} {'voicing':>8s} {'missed':>7s} {'cents':>6s}   (means of {len(rows)})")
    for condition in CONDITIONS:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in trackers}
        for row in rows:
            signal = read_audio(folder / row["source"], MODEL_RATE).waveform
            size = 1 + len(signal) // HOP
            true, weight = sounding(row["f0_hz_80hz"], signal, size)
            heard = level_source(heard_through(condition, signal, MODEL_RATE, row["source"]), MODEL_RATE).waveform
            for name, tracker in trackers.items():
                log_f0, voiced = tracker(heard, MODEL_RATE, HOP, size)[:2]  # type: ignore[misc]
                found[name].append(judge(hertz(log_f0, voiced), true, weight))
        for name, each in found.items():
            mean = {key: float(np.mean([e[key] for e in each])) for key in each[0]}
            table[f"{condition}, {name}"] = mean
            print(
                f"{condition + ', ' + name:24s} {mean['correlation']:6.3f} {mean['gross']:7.2%} "
                f"{mean['voicing_errors']:8.1%} {mean['missed']:7.1%} {mean['median_cents']:6.1f}", flush=True
            )  # fmt: skip
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--conditions", action="store_true")
    parser.add_argument("--json", type=Path, default=Path("benchmark-trackers.json"))
    options = parser.parse_args()
    rows = json.loads((options.set / "manifest.json").read_text(encoding="utf8"))
    if options.conditions:
        options.json.write_text(json.dumps(under_conditions(options.set, rows), indent=1))
        return
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
