"""What the test of a new voice has found, as one HTML page: the figures, why, and three outputs to listen to."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.evaluation.attainment import LEAST, LEAST_LOW, LEVEL, POWER, margins
from prosody_transfer.evaluation.drawings import audio_uri
from prosody_transfer.evaluation.html import format_number, page, pair_article, section, table, verdict_list
from prosody_transfer.evaluation.voice_verdict import LEAST_RATIO, Output, Verdict

LONGEST_SECONDS = 10.0  # of what can be listened to
RULE = (
    "Each source is said in the new voice. How much nearer the output is to the voice than to the source's speaker "
    "(its margin) is compared with the margin of the speaker's own recordings, kept from training, against the same "
    f"source speaker. The ratio of the two, over that of the shipped voice which reaches least, must be {LEAST} or "
    f"more, and its lower {LEVEL:.0%} bound over sources {LEAST_LOW}."
)


def voice_page(name: str, verdict: Verdict, outputs: Sequence[Output], held_out: str | Path, sample_rate: int) -> str:
    """The page.

    Args:
        outputs: In the new voice, one a source.
        held_out: A recording of the speaker, to compare with.
        sample_rate: Of the outputs' waveforms.
    """
    vectors, centres = (np.stack([getattr(o, key) for o in outputs]) for key in ("vector", "centre"))
    made, natural = margins(vectors, verdict.references, centres)
    found = [{"passed": False, "text": reason} for reason in verdict.failed]
    found = found or [{"passed": True, "text": "passed"}]
    parts = [
        verdict_list(found),
        section("Figures", table("The new voice", ["", "", "asked for"], _figures(verdict.figures)), RULE),
        section("By source", _sources(outputs, made, natural)),
        section("The shipped voices through the adapted network", _old(verdict.figures["old_voices"])),
        section("To listen to", _players(outputs, made, natural, held_out, sample_rate)),
    ]
    return page(f"Test of the voice {name}", "accepted" if verdict.passed else "not accepted by its test", parts)


def _figures(figures: dict[str, Any]) -> list[tuple[str, Sequence[str]]]:
    number = lambda key: format_number(figures[key])
    shown = f"in {POWER:.0%} of tests, at {LEVEL:.0%}"
    return [
        ("margin, of the own recordings' margin", [number("margin_of_natural"), ""]),
        (f"the same of {figures['margin_least'] or 'a perfect voice'}", [number("margin_usual"), ""]),
        ("the one over the other", [number("margin_ratio"), f"at least {LEAST}"]),
        (f"its lower {LEVEL:.0%} bound", [number("margin_ratio_low"), f"at least {LEAST_LOW}"]),
        (f"smallest shortfall that {figures['outputs']} sources show", [number("smallest_shortfall"), shown]),
        ("margin of the outputs, and from", [f"{number('margin')}, {number('margin_low')}", "above 0"]),
        ("margin of the own recordings", [number("natural_margin"), ""]),
        ("outputs nearer to the voice than to the source", [f"{figures['margin_positive']:.0%}", ""]),
        ("similarity to the voice", [number("similarity"), ""]),
        ("of what shipped voices reach", [number("similarity_ratio"), f"at least {LEAST_RATIO}"]),
        (f"{figures['held_out']} own recordings to each other", [number("natural"), ""]),
    ]


def _sources(outputs: Sequence[Output], made: np.ndarray, natural: np.ndarray) -> str:
    rows = [
        (Path(output.source).stem, [escape(output.speaker), *map(format_number, (output.values["similarity"], m, n))])
        for output, m, n in zip(outputs, made, natural, strict=True)
    ]
    head = ["source", "speaker", "similarity", "margin", "the own recordings' margin"]
    return table("Both margins by centres that leave one recording out", head, rows)


def _old(changes: dict[str, dict[str, float]]) -> str:
    rows = []
    for key, change in changes.items():
        interval = f"{format_number(change['low'])} to {format_number(change['high'])}"
        rows.append((key.replace("_", " "), [*map(format_number, (change["shipped"], change["adapted"])), interval]))
    return table("What the new voice would cost them", ["", "shipped", "adapted", "must lie in"], rows) if rows else ""


def _players(
    outputs: Sequence[Output], made: np.ndarray, natural: np.ndarray, held_out: str | Path, sample_rate: int
) -> str:
    """The outputs with the least, the middle and the most margin of what is natural, beside a recording."""
    from prosody_transfer.audio.io import read_audio

    order = np.argsort(made - natural)
    chosen = {"least": order[0], "middle": order[len(order) // 2], "most": order[-1]}
    kept = lambda wave, rate: audio_uri(wave[: int(LONGEST_SECONDS * rate)], rate, opus=True)
    recording = kept(read_audio(str(held_out), sample_rate).waveform, sample_rate)
    articles = []
    for why, place in chosen.items():
        output = outputs[place]
        if not len(output.waveform):
            continue
        players = [("output", kept(output.waveform, sample_rate))]
        if why == "least":
            players.append(("a recording of the speaker", recording))
        figures = f"margin {made[place]:.3f}, the own recordings' {natural[place]:.3f}"
        shown = {"why": f"{why} margin", "id": Path(output.source).stem}
        articles.append(pair_article(shown, figures, "", players))
    return "".join(articles)
