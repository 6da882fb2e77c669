"""The rows of the table that texts are judged by, with what is asked of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Asked:
    """One figure: its name, the rows it is of (all where `kinds` is empty), and what is asked of it."""

    key: str
    title: str
    value: Callable[[Rows], float | None]
    kinds: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


def _known(rows: Rows, key: str) -> list[float]:
    return [float(row[key]) for row in rows if row.get(key) is not None]


def _mean(key: str) -> Callable[[Rows], float | None]:
    return lambda rows: float(np.mean(found)) if (found := _known(rows, key)) else None


def _difference(key: str) -> Callable[[Rows], float | None]:
    def value(rows: Rows) -> float | None:
        pairs = [(row[key], row[f"reference_{key}"]) for row in rows if key in row and f"reference_{key}" in row]
        return float(np.mean([a - b for a, b in pairs])) if pairs else None

    return value


def _rate(prefix: str = "") -> Callable[[Rows], float | None]:
    def value(rows: Rows) -> float | None:
        words = sum(_known(rows, f"{prefix}words"))
        return sum(_known(rows, f"{prefix}word_errors")) / words if words else None

    return value


def _rate_difference(rows: Rows) -> float | None:
    ours, theirs = _rate()(rows), _rate("reference_")(rows)
    return None if ours is None or theirs is None else ours - theirs


def _similarity(rows: Rows) -> float | None:
    ours, theirs = _mean("similarity")(rows), _mean("reference_similarity")(rows)
    return None if ours is None else ours / (theirs or 1.0)


def _pauses(rows: Rows) -> float | None:
    both, said, read = (sum(_known(rows, f"pauses_{name}")) for name in ("both", "said", "read"))
    return 2 * both / (said + read) if said + read else None


def _rank(rows: Rows) -> float | None:
    """Spearman's correlation over the words of each voice, and the mean over voices."""
    from scipy.stats import spearmanr

    by_voice: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        planned, heard = by_voice.setdefault(row["speaker"], ([], []))
        planned += row.get("planned_prominence", [])
        heard += row.get("heard_prominence", [])
    found = [float(spearmanr(*pair).statistic) for pair in by_voice.values() if len(set(pair[0])) > 1]
    return float(np.mean(found)) if found else None


STATEMENTS, FALLING = ("statement",), ("statement", "wh")
FIGURES = (
    Asked("wer", "word error rate", _rate()),
    Asked("wer_difference", "  less that of the recordings", _rate_difference, most=0.01),
    Asked("dnsmos", "DNSMOS", _mean("dnsmos")),
    Asked("dnsmos_difference", "  less that of the recordings", _difference("dnsmos"), least=-0.06),
    Asked("similarity", "similarity over the recordings' own", _similarity, least=0.965),
    Asked("f0_on_durations", "F0 correlation, on the reading's durations", _mean("f0_on_durations"), STATEMENTS, 0.86),
    Asked("f0_free", "F0 correlation, free-running", _mean("f0_free"), STATEMENTS, 0.86),
    Asked("durations", "ln durations, correlation", _mean("durations"), STATEMENTS, 0.85),
    Asked("pause_f1", "pauses, F1", _pauses, STATEMENTS, 0.60),
    Asked("f0_deviation", "F0 deviation over the reading's", _mean("f0_deviation"), STATEMENTS, 0.9, 1.1),
    Asked("prominence", "prominence in the sound as planned, Spearman", _rank, (), 0.6),
    Asked("stands_out", "*word* the most prominent of its phrase", _mean("stands_out"), (), 0.9),
    Asked("emphasis_wer", "word error rate with *word*", _rate(), ("emphasis",)),
    Asked("yes_no_rise", "yes/no questions that rise, by slope", _mean("rises"), ("yes_no",), 0.9),
    Asked("yes_no_rise_shape", "  by shape", _mean("rises_shape"), ("yes_no",), 0.8),
    Asked("others_rise", "wh-questions and statements that rise, by slope", _mean("rises"), FALLING, None, 0.05),
    Asked("others_rise_shape", "  by shape", _mean("rises_shape"), FALLING, None, 0.10),
    Asked("alternatives", "or-questions that rise, then fall, by slope", _mean("rises_then_falls"), ("or",), 0.8),
    Asked("alternatives_shape", "  by shape", _mean("rises_then_falls_shape"), ("or",), 0.8),
    Asked("continuations", "commas of lists that rise, by slope", _mean("continuations"), ("list",), 0.8),
    Asked("continuations_shape", "  by shape", _mean("continuations_shape"), ("list",), 0.8),
    Asked("real_time_factor", "real-time factor, all stages", _mean("real_time_factor"), (), None, 0.06),
)  # fmt: skip


def summarise(rows: Rows) -> list[dict[str, Any]]:
    """A row a figure that can be said: "key", "title", "value", "n" texts, "least", "most", "met", "by_voice"."""
    found = []
    for asked in FIGURES:
        chosen = [row for row in rows if not asked.kinds or row["class"] in asked.kinds]
        value = asked.value(chosen) if chosen else None
        if value is None:
            continue
        voices = sorted({row["speaker"] for row in chosen})
        by_voice = {v: asked.value([row for row in chosen if row["speaker"] == v]) for v in voices}
        bars = [b for b in (asked.least, asked.most) if b is not None]
        met = (asked.least is None or value >= asked.least) and (asked.most is None or value <= asked.most)
        found.append({
            "key": asked.key, "title": asked.title, "value": value, "n": len(chosen), "least": asked.least,
            "most": asked.most, "met": met if bars else None, "by_voice": by_voice,
        })  # fmt: skip
    return found
