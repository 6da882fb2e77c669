"""Article 1's experiment with measures in place of listeners: CopyCat beside an attention baseline.

    python benchmarks/article_one.py SET OUT [--sources 12] [--speakers alice,michael,heart,emma,george]

SET is a transfer set (manifest.json); its sources are of voices that no model has heard, one sentence of each kind.
Every system says every source in every speaker's voice, OUT/SYSTEM/ITEM.SPEAKER.wav; what is there is not made again.
Then `ptx evaluate` judges each system, and a table is printed, with paired differences to the baseline.
OUT/prosody.toml and OUT/similarity.toml are the article's two listening tests of the same sounds, for `ptx listen
build`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from prosody_transfer.core.errors import PtxError
from prosody_transfer.evaluation.statistics import bootstrap
from prosody_transfer.synthesis.transfer import Transferer

SYSTEMS = ("copycat", "copycat-latent", "attention")
BASELINE = "attention"
FIGURES = {
    "f0_correlation": "F0 r", "f0_rmse_cents": "F0 RMSE, cents", "ffe": "F0 frame errors",
    "energy_correlation": "energy r", "duration_correlation": "ln durations r", "boundary_mae_ms": "borders off, ms",
    "target_similarity": "similarity to the target", "margin": "nearer to it than to the source",
    "wer": "word error rate", "dnsmos_overall": "DNSMOS",
}  # fmt: skip


def chosen(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Sources of as many voices, then of as many kinds of sentence, as there are."""
    found: list[dict[str, Any]] = []
    while rows and len(found) < count:
        used = [(r["source_voice"], r["class"]) for r in found]
        best = min(rows, key=lambda r: (sum(v == r["source_voice"] for v, _ in used),
                                        sum(c == r["class"] for _, c in used), r["id"]))  # fmt: skip
        found.append(best)
        rows = [r for r in rows if r is not best]
    return found


def speak(system: str, rows: list[dict[str, Any]], speakers: list[str], root: Path, out: Path) -> int:
    """Say every source in every voice with a model; gives how many failed."""
    model, failed = None, 0
    for row in rows:
        for speaker in speakers:
            target = out / system / f"{row['id']}.{speaker}.wav"
            if target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            model = model or Transferer(system)
            try:
                model.from_file_to_file(root / row["source"], speaker, target, text=row["text"])
            except PtxError as error:
                print(f"{system}: {error}")
                failed += 1
    return failed


def judge(system: str, rows: list[dict[str, Any]], speakers: list[str], root: Path, out: Path) -> dict[str, Any]:
    """What `ptx evaluate` finds, by figure and pair."""
    report = out / f"{system}.html"
    if not report.with_suffix(".json").exists():
        pairs = out / f"{system}.jsonl"
        lines = [
            {"id": f"{row['id']}.{speaker}", "source": str((root / row["source"]).resolve()), "speaker": speaker,
             "output": str((out / system / f"{row['id']}.{speaker}.wav").resolve()), "text": row["text"],
             "source_speaker": row["source_voice"]}
            for row in rows for speaker in speakers if (out / system / f"{row['id']}.{speaker}.wav").exists()
        ]  # fmt: skip
        pairs.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf8")
        command = [sys.executable, "-m", "prosody_transfer", "evaluate", pairs, "--no-controls", "--workers", "1"]
        subprocess.run([*command, "--work", out / f"work-{system}", "--report", report], check=True)
    return json.loads(report.with_suffix(".json").read_text(encoding="utf8"))  # type: ignore[no-any-return]


def listening(
    kind: str, rows: list[dict[str, Any]], speakers: list[str], root: Path, out: Path, known: dict[str, str]
) -> None:
    """The article's tests: prosody beside the source, identity beside the speaker; an item a source, voices in turn.

    Args:
        known: A recording of each speaker, of words that none of the sources says.
    """
    lines = [
        f'title = "{"How is it said?" if kind == "prosody" else "Which voice is it?"}"', f'id = "article-1-{kind}"',
        f'kind = "{kind}"', "", "[systems]", *(f'{s} = "{s}/{{item}}.wav"' for s in SYSTEMS),
    ]  # fmt: skip
    for k, row in enumerate(rows):
        speaker = speakers[k % len(speakers)]
        lines += ["", "[[items]]", f'id = "{row["id"]}.{speaker}"', f'source = "{(root / row["source"]).resolve()}"',
                  f'text = {json.dumps(row["text"])}']  # fmt: skip
        if kind == "similarity":
            lines.append(f'reference = "{(root / known[speaker]).resolve()}"')
    (out / f"{kind}.toml").write_text("\n".join(lines) + "\n", encoding="utf8")


def values(report: dict[str, Any], figure: str) -> dict[str, float]:
    """Of every pair that has it."""
    return {r["id"]: r[figure] for r in report["systems"]["ptx"]["rows"] if r.get(figure) is not None}


def table(reports: dict[str, dict[str, Any]]) -> None:
    """Means, and differences to the baseline over the pairs of both; sources are drawn whole for the intervals."""
    print("\n| figure |", " | ".join(SYSTEMS), "| minus the baseline (95 %) |\n|---|---|---|---|---|")
    for figure, title in FIGURES.items():
        found = {system: values(report, figure) for system, report in reports.items()}
        means = [f"{sum(v.values()) / len(v):.3f}" if v else "-" for v in found.values()]
        differences = []
        for system in SYSTEMS:
            both = sorted(set(found[system]) & set(found[BASELINE]))
            if system == BASELINE or not both:
                continue
            gains = [found[system][k] - found[BASELINE][k] for k in both]
            low = bootstrap(gains, [k.rsplit(".", 1)[0] for k in both])
            differences.append(f"{system} {low.value:+.3f} ({low.low:+.3f} to {low.high:+.3f}, n = {low.n})")
        print(f"| {title} |", " | ".join(means), "|", "; ".join(differences), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sources", type=int, default=12)
    parser.add_argument("--speakers", default="alice,michael,heart,emma,george")
    options = parser.parse_args()
    speakers = options.speakers.split(",")
    every = json.loads((options.set / "manifest.json").read_text(encoding="utf8"))
    rows = chosen(every, options.sources)
    known = {speaker: file for row in every if row not in rows for speaker, file in row["targets"].items()}
    options.out.mkdir(parents=True, exist_ok=True)
    for kind in ("prosody", "similarity"):
        listening(kind, rows, [s for s in speakers if s in known], options.set, options.out, known)
    reports = {}
    for system in SYSTEMS:
        failed = speak(system, rows, speakers, options.set, options.out)
        reports[system] = judge(system, rows, speakers, options.set, options.out)
        print(system, "failed:", failed, flush=True)
    table(reports)


if __name__ == "__main__":
    main()
