"""What is found out about a new voice, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from prosody_transfer.evaluation.attainment import attained, margins
from prosody_transfer.evaluation.figures import Values
from prosody_transfer.evaluation.identity import leave_one_out
from prosody_transfer.evaluation.statistics import Interval, bootstrap

LEAST_RATIO = 0.85  # similarity to the new voice, over that of shipped voices to theirs
OLD_FIGURES = ("similarity", "margin", "mel_distance", "f0_correlation", "energy_correlation")


@dataclass(frozen=True)
class Verdict:
    """What the test found.

    Attributes:
        passed: Whether the voice may be kept.
        failed: Why not, a line each.
        figures: Of the new voice and the old ones, as plain data.
        references: (n, E) the judge's vectors of the recordings that were kept from training.
        judge: Fingerprint of the judge.
        page: All of it as an HTML page; "" where none was made.
    """

    passed: bool
    failed: tuple[str, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    references: Any = None
    judge: str = ""
    page: str = ""


@dataclass(frozen=True)
class Output:
    """A source, said in the new voice.

    Attributes:
        source: Its file.
        speaker: Who speaks there.
        values: "similarity" and "margin", by the centre of all held-out recordings.
        vector: (E,) of the judge.
        centre: (E,) mean direction of the source's speaker.
        waveform: (N,) at the model's rate; empty where it was not kept.
    """

    source: str
    speaker: str
    values: Values
    vector: np.ndarray
    centre: np.ndarray
    waveform: np.ndarray


def judge_figures(
    own: Sequence[Output], old: dict[str, list[tuple[str, Values]]], known: np.ndarray, judge: str = "",
    several: str = "", shipped: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
) -> Verdict:  # fmt: skip
    """From the figures of every output to the verdict.

    Args:
        own: The outputs in the new voice, one a source.
        old: "shipped" and "adapted": the source and the `OLD_FIGURES` of each output in a shipped voice, through the
            shipped and the adapted network, in the same order.
        known: (n, E) the judge's vectors of the new speaker's held-out recordings.
        several: What speaks for several speakers (`VoiceGate.before`), or "".
        shipped: `attainment.margins` of shipped voices on the same sources, by name.
    """
    margin, similarity = (bootstrap([_number(o.values[key]) for o in own]) for key in ("margin", "similarity"))
    positive = float(np.mean([_number(o.values["margin"]) > 0 for o in own]))
    made, natural = margins(np.stack([o.vector for o in own]), known, np.stack([o.centre for o in own]))
    reached = attained(made, natural, shipped)
    theirs = float(np.mean([_number(v["similarity"]) for _, v in old["shipped"]]))
    ratio = similarity.value / theirs
    failed = [several] if several else []
    if short := reached.failed():
        failed += [*short[:-1], f"{short[-1]} ({reached.line()})" if reached.line() else short[-1]]
    if margin.low <= 0:
        failed.append(f"margin {margin.value:.3f} [{margin.low:.3f}, {margin.high:.3f}] is not above 0")
    if ratio < LEAST_RATIO:
        problem = f"similarity {similarity.value:.3f} is {ratio:.2f} of the shipped voices' {theirs:.3f}"
        failed.append(f"{problem}, not {LEAST_RATIO}")
    changes = {}
    for key in OLD_FIGURES:
        before, after = _interval(old["shipped"], key), _interval(old["adapted"], key)
        if before is None or after is None:
            continue
        unchanged = before.low <= after.value <= before.high
        changes[key] = {"shipped": before.value, "low": before.low, "high": before.high, "adapted": after.value}
        if not unchanged:
            words = f"old voices' {key.replace('_', ' ')} went from {before.value:.3f} to {after.value:.3f}"
            failed.append(f"{words}, out of [{before.low:.3f}, {before.high:.3f}]")
    figures = {
        "similarity": similarity.value, "margin": margin.value, "margin_low": margin.low, "margin_positive": positive,
        "margin_ratio": reached.ratio, "margin_ratio_low": reached.low, "smallest_shortfall": reached.shortfall,
        "margin_of_natural": reached.of_natural, "margin_usual": reached.usual, "margin_least": reached.least,
        "natural_margin": reached.natural, "similarity_ratio": ratio, "natural": float(leave_one_out(known).mean()),
        "outputs": len(own), "held_out": len(known), "old_voices": changes,
    }  # fmt: skip
    return Verdict(not failed, tuple(failed), _rounded(figures), known, judge)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _interval(rows: Sequence[tuple[str, Values]], key: str) -> Interval | None:
    """Mean and 95 % interval over whole sources; None where no output has the figure."""
    kept = [(source, _number(values[key])) for source, values in rows if values.get(key) is not None]
    return bootstrap([value for _, value in kept], [source for source, _ in kept]) if kept else None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
