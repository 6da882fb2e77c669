"""`ptx features`: what was measured on a recording."""

from __future__ import annotations

from typing import Any

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import format_json, note, print_json, print_table
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Examples:
  ptx features src.wav --plot prosody.png
  ptx features src.wav --text "Does he wear a black suit?" -o src.csv"""


def features(
    source: o.Source, output: o.Numbers = None, text: o.Text = None, transcript: o.Transcript = None,
    aligner: o.Aligner = "pocketsphinx", recognise: o.Recognise = "auto", check_transcript: o.Check = True,
    tracker: o.Tracker = "learned",
    track: o.Track = None, channel: o.Channel = None,
    plot: o.Plot = None, json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Measure F0, energy, phones and words.

    Printed as a table or JSON, written as CSV (one row a frame) or JSON, drawn as a picture.
    """
    from prosody_transfer.analysis.analyse import measure
    from prosody_transfer.analysis.settings import AnalysisSettings
    from prosody_transfer.cli._single import check_plot, check_words
    from prosody_transfer.synthesis.report import check_report, feature_numbers, features_csv, write_report

    check_words(text, transcript)
    check_plot(plot, overwrite)
    if output is not None:
        check_report(output, (".csv", ".json"), overwrite)
    settings = AnalysisSettings(
        aligner=aligner, check_transcript=check_transcript, recognise=recognise, track=track, channel=channel,
        tracker=tracker,
    )  # fmt: skip
    found = measure(source, text=text, transcript=transcript, settings=settings)
    for warning in found.warnings:
        note(f"{source}: {warning}")
    alignment, measured = found.alignment, found.heard_features
    known = {"input": str(source), "words_from": found.aligned.origin, "warnings": found.warnings}
    numbers = {**known, **feature_numbers(measured, alignment)}
    if output is not None:
        wants_csv = output.suffix.lower() == ".csv"
        data = features_csv(measured, alignment) if wants_csv else format_json(numbers) + "\n"
        write_report(output, data.encode(), overwrite)
    if plot is not None:
        from prosody_transfer.synthesis.plots import plot_features

        plot_features(measured, alignment, plot, title=source.name, overwrite=overwrite)
    if json:
        print_json(numbers)
    elif output is not None or plot is not None:
        say(*(p for p in (output, plot) if p is not None), f"{numbers['seconds']:.2f} s")
    else:
        _summary(numbers)


def _summary(numbers: dict[str, Any]) -> None:
    """Each phone with its length, mean F0 and energy."""
    median = f"{numbers['f0_median_hz']:.0f} Hz" if numbers["f0_median_hz"] else "none"
    share = f"{100 * numbers['voiced_share']:.0f} %"
    say(f"{numbers['input']}  {numbers['seconds']:.2f} s  median F0 {median}  voiced {share}  {numbers['aligner']}")
    say()
    rows = [["START", "SECONDS", "PHONE", "F0", "ENERGY", "WORD"]]
    for p in numbers["phones"]:
        f0 = f"{p['f0_hz']:.0f} Hz" if p["f0_hz"] else ""
        energy = f"{p['energy_db']:+.1f} dB" if p["energy_db"] is not None else ""
        rows.append([f"{p['start']:.3f}", f"{p['seconds']:.3f}", p["phone"], f0, energy, p["word"] or ""])
    print_table(rows, right=(0, 1, 3, 4))
