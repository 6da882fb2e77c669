"""Transfers from sources that noise, music, rooms and lines have spoilt, judged against the clean source.

Usage: python benchmarks/hard_sources.py TRANSFER_SET [--count 12] [--trackers dio learned] [--sound] [--json OUT]
TRANSFER_SET/manifest.json lists "source", "text" and "targets" ({voice: exact answer}). Each of `count` sources is
heard through every condition of conditions.py and said again in one of its target voices, words given, once with each
tracker. The clean source's melody and loudness are what the output's are compared with; --sound also measures
DNSMOS (overall) and similarity to the exact answer. The same every time.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from conditions import CONDITIONS, heard_through

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.resample import resample
from prosody_transfer.evaluation.figures import EVALUATION_RATE
from prosody_transfer.evaluation.prosody import energy_figures, pitch_figures
from prosody_transfer.evaluation.trackers import track
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.transfer import Transferer

RATE = 24000
SHOWN = ("f0_correlation", "f0_rmse_cents", "ffe", "energy_correlation", "dnsmos", "similarity")


def judged(clean: np.ndarray, output: np.ndarray) -> dict[str, float]:
    """Melody and loudness of an output against the clean source, both at the judges' rate."""
    pitch = pitch_figures(track(clean), track(output))
    found = {**pitch, **energy_figures(clean, output)}
    return {key: float(found[key]) for key in SHOWN[:4] if found.get(key) is not None}


def sound_figures(output: np.ndarray, exact: np.ndarray) -> dict[str, float]:
    """DNSMOS, and the cosine between the voices of the output and the exact answer."""
    from prosody_transfer.evaluation.quality import quality_figures
    from prosody_transfer.evaluation.speaker import Judge

    judge = Judge()
    a, b = (judge.embed(x) for x in (output, exact))
    mos = quality_figures(output)["dnsmos_overall"]
    return {"dnsmos": float(mos or np.nan), "similarity": float(a @ b)}


def one(
    model: Transferer, folder: Path, row: dict[str, Any], condition: str, tracker: str, sound: bool
) -> dict[str, float]:  # fmt: skip
    clean = read_audio(folder / row["source"], RATE).waveform
    heard = heard_through(condition, clean, RATE, row["source"]).astype(np.float32)
    voice, answer = sorted(row["targets"].items())[0]
    settings = TransferSettings(tracker=tracker, check_transcript=False)
    said = model.from_audio(heard, RATE, voice, text=row["text"], settings=settings, measure_output=False)
    low = lambda x: resample(np.asarray(x, np.float32), RATE, EVALUATION_RATE)
    found = judged(low(clean), low(said.waveform))
    if sound:
        found |= sound_figures(low(said.waveform), low(read_audio(folder / answer, RATE).waveform))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--trackers", nargs="+", default=["dio", "learned"])
    parser.add_argument("--conditions", nargs="+", default=list(CONDITIONS))
    parser.add_argument("--sound", action="store_true")
    parser.add_argument("--json", type=Path, default=Path("benchmark-hard-sources.json"))
    options = parser.parse_args()
    rows = json.loads((options.set / "manifest.json").read_text(encoding="utf8"))
    rows = [rows[i] for i in np.linspace(0, len(rows) - 1, min(options.count, len(rows))).round().astype(int)]
    model, table = Transferer(), {}
    print(f"{'':26s}" + "".join(f"{name[:12]:>14s}" for name in SHOWN) + f"   (means of {len(rows)})")
    for condition in options.conditions:
        for tracker in options.trackers:
            each = [one(model, options.set, row, condition, tracker, options.sound) for row in rows]
            mean = {key: float(np.mean([e[key] for e in each if key in e] or [np.nan])) for key in SHOWN}
            table[f"{condition}, {tracker}"] = {"mean": mean, "each": each}
            print(f"{condition + ', ' + tracker:26s}" + "".join(f"{mean[k]:14.3f}" for k in SHOWN), flush=True)
            options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
