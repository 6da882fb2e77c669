"""`ptx listen analyse` and `ptx listen webmushra`: what listeners said, and the way to and from webMUSHRA."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import format_json, note, print_json, print_table
from prosody_transfer.cli._terminal import say
from prosody_transfer.core.errors import PartialFailure, UsageError

EPILOG = """\b
Examples:
  ptx listen analyse listening/results/
  ptx listen analyse listening/results/ --report results.html --csv ratings.csv
  ptx listen analyse mushra.csv --baseline classical --json"""

WEBMUSHRA_EPILOG = """\b
Examples:
  ptx listen webmushra listening/ -o listening.yaml
  ptx listen webmushra listening/ -o mushra.csv"""

Results = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="The results folder of a test, or one .json or webMUSHRA .csv.")
]
Report = Annotated[
    Path | None, typer.Option("--report", help="Write a page with tables and pictures, or JSON.", metavar="FILE.html")
]
Table = Annotated[Path | None, typer.Option("--csv", help="Write all ratings, a row each.", metavar="FILE.csv")]
Baseline = Annotated[
    str | None,
    typer.Option("--baseline", help="Measure effects against it.  [default: whatever is lower]", metavar="SYSTEM"),
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="What ptx listen build made.")]
Converted = Annotated[
    Path, typer.Option("--output", "-o", help="The configuration (.yaml) or the results so far (.csv).", metavar="FILE")
]
AudioPath = Annotated[
    str, typer.Option("--audio", help="Where the folder's audio/ lies, seen from webMUSHRA.", metavar="PATH")
]


def analyse(
    results: Results, report: Report = None, csv: Table = None, baseline: Baseline = None, json: o.Json = False,
    overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Analyse what listeners rated.

    Screens the listeners, compares every pair of systems, and says which differences are shown. Files that can't be
    used are left out, with a line each; then the exit code is 1.
    """
    from prosody_transfer.core.extras import DRAWING, require

    drawn = report is not None and report.suffix.lower() != ".json"
    require("evaluate", ("scipy", *(DRAWING if drawn else ())), "ptx listen analyse")
    from prosody_transfer.evaluation.listening.analysis import analyse as analyse_panel
    from prosody_transfer.evaluation.listening.export import analysis_numbers, ratings_csv
    from prosody_transfer.evaluation.listening.panel import read_panel
    from prosody_transfer.synthesis.report import check_report, write_report

    for path, suffixes in ((report, (".html", ".json")), (csv, (".csv",))):
        if path is not None:
            check_report(path, suffixes, overwrite)
    panel = read_panel(results)
    for problem in panel.problems:
        note(problem)
    analysis = analyse_panel(panel, baseline=baseline)
    numbers = analysis_numbers(analysis)
    if report is not None and report.suffix.lower() == ".json":
        write_report(report, (format_json(numbers) + "\n").encode(), overwrite)
    elif report is not None:
        from prosody_transfer.evaluation.listening.results_page import results_page

        write_report(report, results_page(analysis).encode(), overwrite)
    if csv is not None:
        write_report(csv, ratings_csv(analysis).encode(), overwrite)
    print_json(numbers) if json else _summary(numbers)
    if panel.failed:
        n = len(panel.failed)
        raise PartialFailure(f"nothing of {n} file{'s' * (n > 1)} could be used", place=str(results))


def _summary(numbers: dict[str, Any]) -> None:
    """Scores, what was found, who was excluded."""
    say(f"{numbers['title']}  {numbers['listeners']} listeners")
    for note_ in numbers["notes"]:
        note(note_)
    name, main = next(iter(numbers["aspects"].items()))
    rows = [["SYSTEM", "ROLE", "MEAN", "95 %", "MEDIAN", "RATINGS"]]
    for s in main["systems"]:
        m = s["mean"]
        interval = f"{m['low']:.1f} to {m['high']:.1f}"
        rows.append([s["system"], s["role"], f"{m['value']:.1f}", interval, f"{s['median']:.1f}", str(m["n"])])
    for line in ("", name, ""):
        say(line)
    print_table(rows, right=(2, 3, 4, 5))
    say()
    for line in [*(c["verdict"] for c in main["comparisons"]), *map(_effect_line, main["effects"])]:
        say(line)
    if len(numbers["aspects"]) > 1:
        _aspect_means(numbers["aspects"])
    screening = numbers["screening"]
    say()
    say(screening["rule"])
    for check in screening["excluded"]:
        say(f"excluded: {check['listener']}, {check['reason']}")
    say("p is of min F' after Holm-Bonferroni: --report or --json give every test and its definition.")


def _aspect_means(aspects: dict[str, Any]) -> None:
    """Systems down, aspects across; their tests are in the report."""
    means = {name: {s["system"]: s["mean"]["value"] for s in found["systems"]} for name, found in aspects.items()}
    systems = next(iter(means.values()))
    rows = [["MEAN", *(name.upper() for name in means)]]
    rows += [[s, *(f"{found[s]:.1f}" if s in found else "" for found in means.values())] for s in systems]
    say()
    print_table(rows, right=range(1, len(rows[0])))


def _effect_line(effect: dict[str, Any]) -> str:
    parts = []
    for key, name in (("relative_change", "relative change"), ("gap_closure", "gap closure")):
        if found := effect[key]:
            span = f"{100 * found['low']:+.1f} to {100 * found['high']:+.1f}"
            toward = f" towards {effect['reference']}" if key == "gap_closure" else ""
            parts.append(f"{name}{toward} {100 * found['value']:+.1f} % ({span})")
    return f"{effect['system']} against {effect['baseline']}: {', '.join([*parts, effect['why']]).rstrip(', ')}"


def webmushra(
    folder: Folder, output: Converted, audio: AudioPath = "configs/listening/audio", overwrite: o.Force = False
) -> None:
    """Take a test to webMUSHRA, or its results into webMUSHRA's form.

    The way back is ptx listen analyse, which reads webMUSHRA's mushra.csv: lay it into the folder's results/.
    """
    from prosody_transfer.core.extras import require

    require("evaluate", () if output.suffix.lower() == ".csv" else ("yaml",), "ptx listen webmushra")
    from prosody_transfer.synthesis.report import check_report, write_report

    check_report(output, (".yaml", ".yml", ".csv"), overwrite)
    if output.suffix.lower() == ".csv":
        from prosody_transfer.evaluation.listening.panel import read_panel
        from prosody_transfer.evaluation.listening.webmushra_results import write_results

        if not (folder / "key.json").is_file():
            raise UsageError("holds no key.json", place=str(folder), remedy="give what ptx listen build made")
        panel = read_panel(folder)
        for problem in panel.problems:
            note(problem)
        text = write_results(panel.test, panel.ratings, panel.comments)
    else:
        from prosody_transfer.evaluation.listening.webmushra import write_config

        text = write_config(folder, audio)
        note(f"copy {folder / 'audio'} to {audio} in webMUSHRA's folder")
    write_report(output, text.encode(), overwrite)
    say(output)
