"""What is said of a transfer that is done."""

from __future__ import annotations

from typing import Any

from prosody_transfer.cli._shared import note


def shorten(text: str, most: int = 72) -> str:
    """The beginning of a text, whole words.

    >>> shorten("Does he wear a black suit or a blue one?", 20)
    'Does he wear a ...'
    """
    return text if len(text) <= most else text[: most - 3].rsplit(" ", 1)[0] + " ..."


def agreed(report: dict[str, Any]) -> str:
    """What the voice's speaker agreed to; "" for a shipped voice."""
    purposes = report.get("purposes")
    return f"{report['speaker']} is for: {'; '.join(purposes)}" if purposes else ""


def describe(report: dict[str, Any], one_of_several: bool = False) -> str:
    """One line on what was done; what the user should know besides goes to stderr."""
    words = {
        "text": "words as given", "sidecar": "words from its transcript", "textgrid": "phones from its TextGrid",
        "textgrid-words": "words and their times from its TextGrid",
        "asr": "words recognised", "phones": "phones heard",
    }  # fmt: skip
    told = words.get(report["words_from"], report["words_from"])
    if report["words_from"] == "asr":
        told += f" {shorten(report['text'])!r}"
    parts = [report["output"], f"{report['seconds']:.2f} s", told]
    for figure in ("f0_correlation", "energy_correlation"):
        if report.get(figure) is not None:
            parts.append(f"{figure.replace('_', ' ').replace('f0', 'F0')} {report[figure]:.2f}")
    for warning in report.get("warnings", ()):
        note(f"{report['input']}: {warning}")
    parts.append(f"real-time factor {report['real_time_factor']:.2f}")
    if not one_of_several and (purposes := agreed(report)):
        parts.append(purposes)
    return "  ".join(parts)
