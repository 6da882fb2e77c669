"""`ptx evaluate`: how good transfers are, in figures, beside what they could be at best and must be better than."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._evaluating_texts import evaluate_texts
from prosody_transfer.cli._options import _option
from prosody_transfer.cli._shared import complain, note, print_json, progress
from prosody_transfer.core.errors import PartialFailure

EPILOG = """\b
Examples:
  ptx evaluate pairs.jsonl --report report.html
  ptx evaluate --sources takes/ --speaker alice     # makes the transfers first
  ptx evaluate --benchmark --no-asr                 # on the exact-answer set that ships
  ptx evaluate --benchmark --exact                  # the exact answers against themselves: the zeros
  ptx evaluate --texts texts.tsv --speaker alice,michael,heart"""


Pairs = Annotated[
    Path | None,
    typer.Argument(metavar="PAIRS", help='JSON Lines: {"source": ..., "speaker": ..., "output": ...} a line.'),
]
Sources = Annotated[Path | None, _option("--sources", "Transfer the recordings in a folder, and judge those.", "DIR")]
Speaker = Annotated[
    str | None, _option("--speaker -s", "The voice that --sources are transferred into; of --texts, voices.", "NAME")
]
Benchmark = Annotated[bool, _option("--benchmark", "Judge on the exact-answer set that ships.")]
Exact = Annotated[bool, _option("--exact", "Judge the exact answers in the outputs' place.")]
Report = Annotated[Path | None, _option("--report", "Write a page; the same as JSON beside it.", "FILE.html")]
Asr = Annotated[bool | None, _option("--asr/--no-asr", "Recognise words. [default: if the evaluate extra is there]")]
Quality = Annotated[bool | None, _option("--quality/--no-quality", "DNSMOS. [default: if the evaluate extra is there]")]
ControlCount = Annotated[int | None, _option("--controls", "Pairs that controls are made for.  [default: 20]", "N")]
NoControls = Annotated[bool, _option("--no-controls", "Make none; the verdicts need them.")]
Workers = Annotated[int, _option("--workers", "Processes.", "N")]
Work = Annotated[Path, _option("--work", "Where partial results and outputs are kept; makes it resumable.", "FOLDER")]
Limit = Annotated[int | None, _option("--limit", "At most so many pairs, evenly spread.", "N")]
Show = Annotated[int, _option("--show", "Pairs to hear and see in the report, from best to worst.", "N")]
Seed = Annotated[int, _option("--seed", "Of what is random: the controls, what is drawn in speaking.", "N", min=0)]
Texts = Annotated[
    Path | None, _option("--texts", "Speak texts and judge them: a class and a text a line, or a manifest.", "FILE")
]


def evaluate(
    pairs: Pairs = None, sources: Sources = None, speaker: Speaker = None, benchmark: Benchmark = False,
    exact: Exact = False, report: Report = None, asr: Asr = None, quality: Quality = None,
    controls: ControlCount = None, no_controls: NoControls = False, limit: Limit = None, workers: Workers = 2,
    work: Work = Path("ptx-evaluate"), model: o.Model = None, vocoder: o.Vocoder = None, seed: Seed = 0,
    show: Show = 3, texts: Texts = None, prosody: o.Prosody = "", json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Judge transfers: prosody, identity, words, quality.

    Beside the outputs stand natural recordings, the vocoder alone, and outputs with no prosody, another utterance's
    prosody and the wrong voice; what the differences mean is said in words. What is finished is not done again.
    """
    from prosody_transfer.cli._evaluating import check, check_judges, gather, print_report

    left_out_here = check_judges(asr, quality)
    if texts is not None:
        alone = not (pairs or sources or benchmark or report)
        note(left_out_here) if left_out_here else None
        evaluate_texts(alone, texts, speaker, prosody, asr, quality, limit, seed, model, vocoder, json)
        return
    from prosody_transfer.evaluation.evaluate import evaluate as measure
    from prosody_transfer.evaluation.judges import Settings
    from prosody_transfer.evaluation.report import build, write

    count = 0 if no_controls else controls if controls is not None else 0 if exact else 20
    settings = Settings(
        asr=asr is not False, quality=quality is not False, controls=count, seed=seed,
        model=str(model or ""), vocoder=str(vocoder or ""),
    )  # fmt: skip
    check(report, overwrite, workers, limit, count, show, settings)
    chosen, left_out, facts = gather(pairs, sources, speaker, benchmark, exact, limit, model)
    if left_out_here:
        note(left_out_here)
    note(f"partial results are kept in {work}: there the same command goes on")
    with progress("evaluate", len(chosen)) as bar:
        measured = measure(chosen, settings, work, workers=workers, on_done=bar.move)
    found = build(measured, settings, left_out, facts, show)
    if report is not None:
        write(found, report, overwrite=overwrite)
    for excluded in found["excluded"]:
        complain(f"{excluded['id']}: {excluded['reason']}")
    for missing in found["notes"]:
        note(f"{missing['what']}: {missing['why']}")
    print_json(found) if json else print_report(found, report)
    if found["excluded"]:
        total = len(chosen) + len(left_out)
        problem = f"{len(found['excluded'])} of {total} pairs were left out"
        raise PartialFailure(problem, remedy="mend them and run the same command again")
