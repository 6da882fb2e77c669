"""`ptx leakage`: does the source speaker shine through?"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._options import _option
from prosody_transfer.cli._shared import note, print_json, print_table, progress
from prosody_transfer.cli._terminal import say, say_lines

EPILOG = """\b
Examples:
  ptx leakage --sources speakers/ --report leak.html
  ptx leakage --model alice.safetensors --sources test.jsonl --train train.jsonl --speaker alice --json

Exit codes, of this verb alone:  0 no leak found; 3 leak; 4 too little data to say: 5 speakers with 6 utterances each
are needed.  What cannot be used (a flag, a model, ...) is one line that begins with "ptx:" and has the codes of
ptx --help; 3 and 4 without such a line are verdicts."""

Sources = Annotated[
    Path, _option("--sources", "A folder with a sub-folder of recordings per speaker, or a manifest.", "DIR|MANIFEST")
]
Report = Annotated[Path | None, _option("--report", "Write the report, and its numbers as .json beside it.", "HTML")]
Speakers = Annotated[
    list[str] | None,
    _option(
        "--speaker -s", "Target voice; may be given again.  [default: one of each gender]", "NAME",
        autocompletion=o.complete_speaker,
    ),
]  # fmt: skip
References = Annotated[
    Path | None, _option("--references", "Recordings of your own target voices, a sub-folder each.", "DIR|MANIFEST")
]
Train = Annotated[
    Path | None, _option("--train", "What the model was trained on; the sources may share nothing with it.", "MANIFEST")
]
Limit = Annotated[int | None, _option("--limit", "Use so many utterances of each speaker.", "N", min=1)]


def leakage(
    sources: Sources, model: o.Model = None, report: Report = None, speaker: Speakers = None,
    references: References = None, train: Train = None, limit: Limit = None, device: o.Device = "cpu",
    json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Test whether the source speaker can still be told: from the prosody embedding, and from what is spoken.

    Says leak, no leak found, or too little data. An interrupted test with --report goes on where it was.
    """
    from prosody_transfer.core.extras import TORCH, VOICES, require

    require("evaluate", (*TORCH, "sklearn", *VOICES), "ptx leakage")
    from prosody_transfer.evaluation.leakage import leakage as test
    from prosody_transfer.evaluation.leakage_measure import set_up
    from prosody_transfer.evaluation.leakage_page import json_path, write_leakage
    from prosody_transfer.evaluation.splits import read_sources
    from prosody_transfer.synthesis.report import check_report

    if report is not None:
        check_report(report, (".html",), overwrite)
        check_report(json_path(report), (".json",), overwrite)
    rows = read_sources(sources, limit)
    known = read_sources(references) if references else None
    trained = read_sources(train) if train else None
    folder = report.with_suffix(".parts") if report is not None else None
    prepare = lambda: set_up(model, speaker or (), known, device)
    with progress("leakage", len(rows)) as bar:
        found = test(rows, prepare, train=trained, folder=folder, on_done=bar.move)
    if report is not None:
        write_leakage(found, report, overwrite)
        shutil.rmtree(report.with_suffix(".parts"), ignore_errors=True)
    print_json(found) if json else describe(found, report)
    raise typer.Exit(found["exit_code"])


def describe(found: dict[str, Any], report: Path | None) -> None:
    """The verdict, the tests, and what was left out."""
    for left in found["excluded"][:5]:
        note(f"{left['id']} left out: {left['reason']}")
    if len(found["excluded"]) > 5:
        note(f"{len(found['excluded']) - 5} more were left out" + (f"; see {report}" if report else ""))
    say_lines(found["summary"])
    words = {True: "passed", False: "FAILED", None: "not said"}
    if found["checks"]:
        print_table([("", "TEST", "FOUND"), *((words[c["passed"]], c["name"], c["text"]) for c in found["checks"])])
    if report is not None:
        say(report)
