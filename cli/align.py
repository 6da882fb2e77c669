"""`ptx align`: when each word and phone is said."""

from __future__ import annotations

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import note, print_json, print_table
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Examples:
  ptx align src.wav --text "Does he wear a black suit?" -o src.TextGrid
  ptx align src.wav --transcript src.txt --aligner mfa --json
  ptx align src.wav --recognise phones --live
  arecord -r 16000 -f S16_LE -c 1 -t raw | ptx align - --recognise phones --live"""


def align(
    source: o.Source, output: o.TextGrid = None, text: o.Text = None, transcript: o.Transcript = None,
    aligner: o.Aligner = "pocketsphinx", recognise: o.Recognise = "auto", check_transcript: o.Check = True,
    tracker: o.Tracker = "learned", live: o.Live = False, input_rate: o.LiveRate = 16000,
    track: o.Track = None, channel: o.Channel = None,
    json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Find when each word and phone is said.

    Printed as a table or JSON, or written as a TextGrid, which Praat opens. In JSON every word has a confidence, from
    0 to 1: of words with .9 about nine in ten are what is said there. With --live phones alone are heard, and each is
    printed as a line of JSON as soon as it is over; SOURCE may then be -, samples on stdin: signed 16 bit, mono.
    """
    if live or str(source) == "-":
        from prosody_transfer.cli._live import listen_live

        refused = {"--output": output, "--text": text, "--transcript": transcript, "--recognise": recognise == "words"}
        listen_live(source, input_rate, track, channel, live, [name for name, given in refused.items() if given])
        return
    from prosody_transfer.alignment.textgrid import write_textgrid
    from prosody_transfer.analysis.analyse import measure
    from prosody_transfer.analysis.settings import AnalysisSettings
    from prosody_transfer.cli._single import check_words
    from prosody_transfer.synthesis.report import check_report, interval_rows

    check_words(text, transcript)
    if output is not None:
        check_report(output, (".textgrid",), overwrite)
    settings = AnalysisSettings(
        aligner=aligner, check_transcript=check_transcript, recognise=recognise, track=track, channel=channel,
        tracker=tracker,
    )  # fmt: skip
    analysis = measure(source, text=text, transcript=transcript, settings=settings)
    heard, found = analysis.aligned, analysis.alignment
    for warning in analysis.warnings:
        note(f"{source}: {warning}")
    if output is not None:
        write_textgrid(found, output)
    if json:
        words, phones = interval_rows(found.words, "word", heard.confidence), interval_rows(found.phones, "phone")
        facts: dict[str, object] = {"input": source, "output": output, "seconds": found.duration}
        facts |= {"aligner": found.aligner, "words_from": heard.origin, "text": heard.text}
        facts["warnings"] = analysis.warnings
        facts["readings"] = [r._asdict() for r in heard.readings]
        print_json({**facts, "words": words, "phones": phones})
    elif output is not None:
        counts = f"{len(found.words)} words  {len(found.phones)} phones"
        say(f"{output}  {found.duration:.2f} s  {counts}  {found.aligner}")
    else:
        rows = [["START", "END", "PHONE", "WORD"]]
        for phone in found.phones:
            word = next((w.word for w in found.words if w.start - 1e-6 <= phone.start < w.end - 1e-6), "")
            rows.append([f"{phone.start:.3f}", f"{phone.end:.3f}", phone.phone, word])
        print_table(rows, right=(0, 1))
