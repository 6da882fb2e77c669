"""`ptx prepare`: a corpus in any usual layout -> a folder to train from."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._options import _option
from prosody_transfer.cli._shared import note, print_json, print_table, progress
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Examples:
  ptx prepare LJSpeech-1.1/ -o data/ --workers 4
  ptx prepare recordings/ -o data/ --speaker alice
  ptx prepare takes.jsonl -o data/ --recognise none --json"""


Corpus = Annotated[
    Path, typer.Argument(metavar="CORPUS", help="A folder, or a list: .jsonl, .csv, .tsv, wav.scp, metadata.csv.")
]
Into = Annotated[Path, _option("--output -o", "The folder to fill; the same again goes on.", "FOLDER")]
Workers = Annotated[int, _option("--workers", "Processes.", "N")]
Layout = Annotated[str, _option("--layout", "How the corpus is laid out; docs/prepare.md has the names.", "NAME")]
Speaker = Annotated[str, _option("--speaker -s", "Who speaks, where the layout does not say.", "NAME")]
Recognise = Annotated[
    str, _option("--recognise", "Where no words are given.  [auto: words]", "auto|words|phones|none")
]
DevShare = Annotated[float, _option("--dev-share", "Share of the utterances kept for validation.", "0..0.5")]
DevSpeakers = Annotated[
    int | None, _option("--dev-speakers", "Speakers kept for validation. [default: of 20 or more, the same share]", "N")
]
Seed = Annotated[int, _option("--seed", "Of the choice of these.", "N")]


def prepare(
    corpus: Corpus, output: Into, workers: Workers = 2, layout: Layout = "auto", speaker: Speaker = "",
    recognise: Recognise = "auto", aligner: o.Aligner = "pocketsphinx",
    tracker: o.Tracker = "learned", dev_share: DevShare = 0.05,
    dev_speakers: DevSpeakers = None, seed: Seed = 1, json: o.Json = False,
) -> None:  # fmt: skip
    """Make a corpus ready for training.

    Reads LJSpeech, VCTK, LibriTTS, LibriSpeech, Kaldi and MFA folders, lists, and bare recordings; checks, measures and
    aligns them. What can't be used is listed with reason and remedy in FOLDER/rejected.jsonl; FOLDER/summary.html shows
    the rest.
    """
    from prosody_transfer.corpus.prepare import prepare_corpus
    from prosody_transfer.data.layouts import detect
    from prosody_transfer.data.quality import Quality

    if not json:
        found = detect(corpus, layout=layout, speaker=speaker, skip=output)
        note(f"layout: {found.name}, because {found.why}")
        note("rejected: " + "; ".join(f"{when} ({reason})" for reason, when in Quality().lines()))
    with contextlib.ExitStack() as stack:
        bars: list[Any] = []

        def on_event(stage: str, done: int, total: int) -> None:
            bars.extend(() if bars else (stack.enter_context(progress(stage, total)),))
            bars[0].move(done, "")

        prepared = prepare_corpus(
            corpus, output, workers=workers, layout=layout, speaker=speaker, recognise=recognise, aligner=aligner,
            dev_share=dev_share, seed=seed, dev_speakers=dev_speakers,
            on_event=on_event, tracker=tracker,
        )  # fmt: skip
    if json:
        print_json({**prepared.summary, "output": output})
        return
    _print(prepared, output)


def _print(prepared: Any, output: Path) -> None:
    rows = [["SIDE", "UTTERANCES", "MINUTES", "SPEAKERS"]]
    for side in ("train", "dev"):
        known = prepared.summary["splits"][side]
        rows.append([side, str(known["utterances"]), f"{known['seconds'] / 60:.1f}", str(known["speakers"])])
    print_table(rows, right=(1, 2, 3))
    if prepared.summary["rejected"]:
        found = [[str(r["count"]), r["reason"], r["remedy"]] for r in prepared.summary["rejected"]]
        print_table([["REJECTED", "REASON", "WHAT TO DO"], *found], right=(0,))
    say(output / "summary.html")
