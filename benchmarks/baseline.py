"""What ptx does today, with intervals: every pair of a transfer set three ways, real recordings with words and bare.

Usage: baseline.py PAIRS REAL WORK [-o benchmarks/baseline.json] [--only "real, words recognised"] [--against OLD.json]
       baseline.py --compare NEW.json OLD.json
       baseline.py --show [FILE.json]

PAIRS is a transfer set (manifest.json with exact answers), REAL a manifest of recordings with "audio", "speaker",
"text" and "text_source"; words are scored where the text is the original. Rows of REAL whose speaker is in --leave-out
are not taken. WORK keeps what is finished: run again, it goes on. Intervals are 95 %, by bootstrap over sources. "No
worse" means: paired over sources, the interval of the difference reaches zero.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from prosody_transfer.core.errors import PtxError
from prosody_transfer.evaluation.evaluate import Measured, evaluate
from prosody_transfer.evaluation.judges import Settings
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.evaluation.report import build
from prosody_transfer.evaluation.summary import paired

STORED = Path(__file__).with_name("baseline.json")
# What is stored of every pair and what the tables print: key -> heading, digits, factor, +1 where high is good.
FIGURES = {
    "f0_correlation": ("F0 correlation", 3, 1, 1), "f0_rmse_cents": ("F0 error, cents", 0, 1, -1),
    "ffe": ("F0 frame errors, %", 1, 100, -1), "energy_correlation": ("energy correlation", 3, 1, 1),
    "target_similarity": ("similarity to the target", 3, 1, 1), "margin": ("margin over the source", 3, 1, 1),
    "margin_positive": ("nearer to the target, %", 0, 100, 1), "wer": ("words wrong, %", 1, 100, -1),
    "dnsmos_overall": ("DNSMOS", 2, 1, 1), "mcd13_db": ("MCD to the exact answer, dB", 2, 1, -1),
}  # fmt: skip
COUNTS = ("word_errors", "words")


class Condition(NamedTuple):
    """What is spoken: one of the two sets, whether the words are given, and else what is recognised."""

    real: bool
    given: bool
    recognise: str


CONDITIONS = {
    "pairs, words given": Condition(False, True, "auto"),
    "pairs, words recognised": Condition(False, False, "words"),
    "pairs, phones alone": Condition(False, False, "phones"),
    "real, words given": Condition(True, True, "auto"),
    "real, words recognised": Condition(True, False, "words"),
}


class Line(NamedTuple):
    """One transfer to make, and what it is judged by."""

    pair: Pair
    text: str | None


def pair_lines(folder: Path, condition: Condition) -> Iterator[Line]:
    """The pairs of a transfer set."""
    for row in json.loads((folder / "manifest.json").read_text(encoding="utf8")):
        for speaker, exact in row["targets"].items():
            pair = Pair(
                id=f"{row['id']}.{speaker}", source=str(folder / row["source"]), speaker=speaker, text=row["text"],
                exact=str(folder / exact), source_speaker=row["source_voice"], group=row["class"],
            )  # fmt: skip
            yield Line(pair, row["text"] if condition.given else None)


def real_lines(manifest: Path, condition: Condition, left_out: set[str]) -> Iterator[Line]:
    """Recordings of real people, each into one of the shipped voices in turn."""
    from prosody_transfer.store.voices import all_voices

    voices = [voice.name for voice in all_voices() if voice.synthetic]
    rows = [json.loads(text) for text in manifest.read_text(encoding="utf8").splitlines()]
    for i, row in enumerate(r for r in rows if r["speaker"] not in left_out):
        original = row.get("text_source") == "original"
        if condition.given and not original:
            continue
        speaker = voices[i % len(voices)]
        pair = Pair(
            id=f"{row['speaker']}_{row['utt']}.{speaker}", source=str(manifest.parent / row["audio"]), speaker=speaker,
            text=row["text"] if original else "", source_speaker=row["speaker"], group=row["source"],
        )  # fmt: skip
        yield Line(pair, row["text"] if condition.given else None)


def speak(lines: list[Line], condition: Condition, folder: Path) -> tuple[list[Pair], list[dict[str, str]]]:
    """Make the transfers that are not there yet; pairs with their outputs, and what was refused."""
    import msgspec

    from prosody_transfer.synthesis.transfer import Transferer, TransferSettings

    folder.mkdir(parents=True, exist_ok=True)
    settings, transferer = TransferSettings(recognise=condition.recognise), None
    made, refused = [], []
    for line in lines:
        output = folder / f"{line.pair.id}.wav"
        if not output.exists():
            transferer = transferer or Transferer()
            try:
                transferer.from_file_to_file(
                    line.pair.source, line.pair.speaker, output, text=line.text, settings=settings
                )  # fmt: skip
            except PtxError as error:
                refused.append({"id": line.pair.id, "reason": str(error)})
                continue
        made.append(msgspec.structs.replace(line.pair, output=str(output)))
    return made, refused


def measure(condition: Condition, lines: list[Line], work: Path, name: str) -> dict[str, Any]:
    """Figures of outputs, sources and exact answers, with intervals, and the values of every pair."""
    pairs, refused = speak(lines, condition, work / name.replace(", ", "_").replace(" ", "_"))
    settings = Settings(controls=0)
    done = lambda count, last: print(f"{name}: {count}/{len(pairs)} {last}", file=sys.stderr, flush=True)
    measured: Measured = evaluate(pairs, settings, work / "evaluate", workers=1, on_done=done)
    report = build(measured, settings, show=0)
    systems = {}
    for system in ("ptx", "source", "exact"):
        if found := report["systems"].get(system):
            figures = {k: rounded(v) for k, v in found["figures"].items() if k in FIGURES}
            systems[system] = {"figures": figures}
    rows = [
        {"id": row["id"], "speaker": row["speaker"], "source": Path(row["source"]).name}
        | {k: round(row[k], 5) for k in (*FIGURES, *COUNTS) if row.get(k) is not None}
        for row in report["systems"]["ptx"]["rows"]
    ]
    excluded = [*refused, *report["excluded"]]
    return {"pairs": len(pairs), "sources": report["sources"], "refused": excluded, "systems": systems, "rows": rows}


def rounded(figure: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in figure.items()}


def compare(new: dict[str, Any], old: dict[str, Any]) -> list[dict[str, Any]]:
    """New minus old, paired, for each condition and figure that both have; `worse` where an interval says so."""
    found = []
    for name, condition in new["conditions"].items():
        before = old["conditions"].get(name)
        for key, (_, _, _, good) in FIGURES.items() if before else ():
            per_pair = "word_share" if key == "wer" else key
            first, second = (with_shares(c["rows"]) for c in (condition, before))
            if (difference := paired(first, second, per_pair)) is None:
                continue
            worse = difference.high < 0 if good > 0 else difference.low > 0
            row = {"condition": name, "figure": key, "difference": difference.value, "low": difference.low}
            found.append({**row, "high": difference.high, "n": difference.n, "worse": worse})
    return found


def with_shares(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the share of wrong words of each pair, where its words are known."""
    return [r | ({"word_share": r["word_errors"] / max(1, r["words"])} if "words" in r else {}) for r in rows]


def table(baseline: dict[str, Any]) -> str:
    """The figures in Markdown, a column a condition: value and interval; the exact answers' and the sources' beside."""
    columns: list[tuple[str, dict[str, Any]]] = []
    for name, condition in baseline["conditions"].items():
        columns.append((name, condition["systems"]["ptx"]["figures"]))
    first = baseline["conditions"].get("pairs, words given", {}).get("systems", {})
    if "exact" in first:
        columns.insert(3, ("exact answer", first["exact"]["figures"]))
    lines = ["| | " + " | ".join(name for name, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for key, (heading, digits, factor, _) in FIGURES.items():
        cells = [cell(figures.get(key), digits, factor) for _, figures in columns]
        lines.append(f"| {heading} | " + " | ".join(cells) + " |")
        if key in ("wer", "dnsmos_overall"):
            own = {n: c["systems"]["source"]["figures"] for n, c in baseline["conditions"].items()}
            cells = [cell(own.get(name, {}).get(key), digits, factor) for name, _ in columns]
            lines.append("| &nbsp; the sources' own | " + " | ".join(cells) + " |")
    counts = [str(baseline["conditions"][n]["pairs"]) if n in baseline["conditions"] else "" for n, _ in columns]
    lines.append("| outputs | " + " | ".join(counts) + " |")
    made = [baseline["conditions"].get(n, {}).get("commit", "") for n, _ in columns]
    lines.append("| measured at commit | " + " | ".join(made) + " |")
    return "\n".join(lines)


def cell(figure: dict[str, Any] | None, digits: int, factor: float) -> str:
    if figure is None:
        return ""
    value, low, high = (f"{figure[k] * factor:.{digits}f}" for k in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def print_comparison(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        heading, digits, factor, _ = FIGURES[row["figure"]]
        value, low, high = (f"{row[k] * factor:+.{digits + 1}f}" for k in ("difference", "low", "high"))
        mark = "WORSE" if row["worse"] else "     "
        print(f"{mark} {row['condition']:24s} {heading:28s} {value} ({low} to {high}), n {row['n']}")


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=STORED.parent)
    return done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("-o", "--output", type=Path, default=STORED)
    parser.add_argument("--only", action="append", choices=CONDITIONS)
    parser.add_argument("--leave-out", nargs="*", default=["kathleen", "kathleen_take2"])
    parser.add_argument("--against", type=Path)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    read = lambda path: json.loads(Path(path).read_text(encoding="utf8"))
    if options.show:
        print(table(read(options.paths[0] if options.paths else STORED)))
        return
    if options.compare:
        print_comparison(compare(*map(read, options.paths)))
        return
    if len(options.paths) != 3:
        parser.error("give PAIRS, REAL and WORK")
    pairs, real, work = options.paths
    baseline: dict[str, Any] = {"command": "python benchmarks/baseline.py PAIRS REAL WORK", "conditions": {}}
    for name in options.only or CONDITIONS:
        condition = CONDITIONS[name]
        lines = real_lines(real, condition, set(options.leave_out)) if condition.real else pair_lines(pairs, condition)
        found = measure(condition, list(lines), work, name)
        baseline["conditions"][name] = {"commit": commit(), **found}
        text = json.dumps(baseline, ensure_ascii=False, indent=0)
        options.output.write_text(text + "\n", encoding="utf8")
    print(table(baseline))
    if options.against:
        print_comparison(compare(baseline, read(options.against)))


if __name__ == "__main__":
    main()
