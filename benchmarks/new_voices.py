"""What a new voice gains from more speech, and what it costs the old ones with and without what holds them.

Usage: new_voices.py RECORDINGS --work FOLDER [--minutes 1 5 20] [--ways all none ewc distillation] [--replay DATA]

RECORDINGS is a folder of one speaker's recordings with transcripts. They are prepared once; each row of the table is a
voice learnt from the first so many minutes, tested on the same held-out recordings and the benchmark's sources, as
`ptx voice add` tests it, except that none is refused. Resumable: a row that is in FOLDER/rows.jsonl is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from prosody_transfer.data.manifest import Row, cache_path
from prosody_transfer.evaluation.voice_gate import VoiceGate
from prosody_transfer.evaluation.voice_verdict import Verdict
from prosody_transfer.store.consent import Consent
from prosody_transfer.voices.adapt import Adaptation, add_voice
from prosody_transfer.voices.recordings import Speech, gather
from prosody_transfer.voices.settings import VoiceTaskConfig

NOTHING = {"ewc_weight": 0.0, "distil_weight": 0.0}
WAYS: dict[str, dict[str, float]] = {
    "all": {}, "none": NOTHING, "ewc": {"distil_weight": 0.0}, "distillation": {"ewc_weight": 0.0}, "replay": NOTHING,
}  # fmt: skip
AGREED = Consent(who="a test", purposes=("a test",), date="2024-01-01", until="unlimited")


def subset(speech: Speech, minutes: float, folder: Path) -> Path:
    """A prepared folder with the first so many minutes of the training side; of the other not more than half as many.

    With more, `set_aside` would move some to the training side.
    """
    rows, seconds = [], 0.0
    for row in sorted(speech.train, key=lambda row: row.id):
        if seconds < 60 * minutes:
            rows.append(row)
            with np.load(cache_path(speech.cache, row)) as data:
                seconds += float(data["n_samples"]) / 24000
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "cache").exists():
        (folder / "cache").symlink_to(speech.cache.resolve())
    write = lambda name, found: (folder / name).write_text("".join(json.dumps(line(r)) + "\n" for r in found))
    write("train.jsonl", rows), write("dev.jsonl", speech.held_out[: max(2, len(rows) // 2)])
    return folder


def line(row: Row) -> dict[str, str]:
    return {"id": row.id, "audio": row.audio, "speaker": row.speaker, "text": row.text}


def learn(work: Path, speech: Speech, minutes: float, way: str, replay: Path | None, steps: int) -> dict[str, object]:
    """One row: the voice's figures, the old voices', and how long it took."""
    found: list[Verdict] = []
    test = VoiceGate()

    def gate(*asked: object) -> Verdict:
        verdict = test(*asked)  # type: ignore[arg-type]
        found.append(verdict)
        return Verdict(True, (), verdict.figures, verdict.references, verdict.judge)

    name = f"m{minutes:g}-{way}".replace(".", "_")
    settings = Adaptation(task=VoiceTaskConfig(**WAYS[way]), steps=steps)  # type: ignore[arg-type]
    began = time.monotonic()
    add_voice(
        name, subset(speech, minutes, work / name), AGREED, gate, voices=work / "voices", settings=settings,
        replay=replay if way == "replay" else None,
    )  # fmt: skip
    seconds = round(time.monotonic() - began)
    return {"minutes": minutes, "way": way, "seconds": seconds, "failed": found[0].failed, **found[0].figures}


def show(rows: list[dict[str, object]]) -> None:
    """The tables, in Markdown."""
    old = ("similarity", "margin", "mel_distance", "f0_correlation", "energy_correlation")
    heads = ["minutes", "held by", "similarity", "of shipped", "margin", "of natural", "over least", "bound", "natural"]
    print("|", " | ".join([*heads, *(f"old: {k.replace('_', ' ')}" for k in old), "seconds", "accepted"]), "|")
    print("|" + "---|" * (len(heads) + len(old) + 2))
    for row in rows:
        keys = ("similarity", "similarity_ratio", "margin", "margin_of_natural", "margin_ratio", "margin_ratio_low",
                "natural")  # fmt: skip
        figures = ("-" if row[k] is None else f"{row[k]:.3f}" for k in keys)
        cells = [f"{row['minutes']:g}", str(row["way"]), *figures]
        changes: dict[str, dict[str, float]] = row["old_voices"]  # type: ignore[assignment]
        cells += [f"{changes[k]['shipped']:.3f} -> {changes[k]['adapted']:.3f}" for k in old]
        print("|", " | ".join([*cells, str(row["seconds"]), "no" if row["failed"] else "yes"]), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 5, 20])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["all", "none", "ewc", "distillation"])
    parser.add_argument("--replay", type=Path)
    parser.add_argument("--steps", type=int, default=0)
    args = parser.parse_args()
    speech = gather("new", args.recordings, args.work / "data")
    path = args.work / "rows.jsonl"
    rows = [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []
    done = {(row["minutes"], row["way"]) for row in rows}
    for minutes in args.minutes:
        for way in args.ways:
            if (minutes, way) not in done:
                rows.append(learn(args.work, speech, minutes, way, args.replay, args.steps))
                with path.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
                print(json.dumps(rows[-1]), flush=True)
    show(rows)


if __name__ == "__main__":
    main()
