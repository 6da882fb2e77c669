"""An analysis as plain data, and its ratings as a table for other programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from prosody_transfer.core.tables import Figure, csv_text
from prosody_transfer.evaluation.listening.analysis import Analysis, Aspect
from prosody_transfer.evaluation.listening.comparisons import HOLM, TESTS, VERDICT, WHICH_TO_TRUST, Comparison
from prosody_transfer.evaluation.listening.effects import GAP_CLOSURE, RELATIVE_CHANGE

COLUMNS = (
    "listener", "session", "page", "item", "aspect", "system", "role", "score", "seconds", "repeat", "excluded",
)  # fmt: skip
MEAN = (
    "Mean of all ratings; 95 % bootstrap interval over listeners, 2,000 draws: what other listeners might say of these "
    "items."
)


def verdict_text(found: Comparison) -> str:
    """A comparison in words."""
    tested = found.tests[VERDICT]
    d = found.difference
    low, high = (d.low, d.high) if d.value >= 0 else (-d.high, -d.low)
    points, interval = f"{abs(d.value):.1f} points", f"(95 % over listeners: {low:.1f} to {high:.1f})"
    if not found.enough or tested.p_holm is None:
        return f"{found.first} and {found.second}: too little data to say, {points} apart {interval}"
    p = "p < .001" if tested.p_holm < 0.001 else f"p = {tested.p_holm:.3f}".replace("0.", ".", 1)
    if not found.better:
        return f"{found.first} and {found.second}: no difference shown, {points} apart {interval}, {p}"
    worse = found.second if found.better == found.first else found.first
    return f"{found.better} is rated above {worse} by {points} {interval}, {p}"


def analysis_numbers(analysis: Analysis) -> dict[str, Any]:
    """Everything that was found, with the definition of each figure."""
    panel, screening = analysis.panel, analysis.screening
    definitions = {
        "mean": MEAN, "relative_change": RELATIVE_CHANGE, "gap_closure": GAP_CLOSURE, **TESTS, "p_holm": HOLM,
        "verdict": WHICH_TO_TRUST,
    }  # fmt: skip
    return {
        "kind": "listening", "test": panel.test, "test_kind": panel.kind, "title": panel.title,
        "listeners": len(screening.kept), "ratings": len(panel.ratings),
        "aspects": {aspect.name: _aspect_numbers(aspect) for aspect in analysis.aspects},
        "screening": {
            "rule": screening.rule,
            "excluded": [{"listener": c.listener, "reason": c.reason} for c in screening.excluded],
            "listeners": [asdict(check) for check in screening.listeners],
        },
        "notes": list(analysis.notes), "problems": list(panel.problems), "definitions": definitions,
        "comments": [{"listener": who, "page": page, "text": text} for who, page, text in panel.comments],
    }  # fmt: skip


def _aspect_numbers(aspect: Aspect) -> dict[str, Any]:
    comparisons = [{**asdict(c), "verdict": verdict_text(c)} for c in aspect.comparisons]
    systems = [asdict(s) for s in aspect.systems]
    return {"systems": systems, "comparisons": comparisons, "effects": [asdict(e) for e in aspect.effects]}


def ratings_csv(analysis: Analysis) -> str:
    """Every rating under `COLUMNS`, those of excluded listeners too, with the reason. `seconds` is empty if unknown.

    What a stranger typed is no formula to a spreadsheet (`core.tables`).
    """
    reasons = {check.listener: check.reason for check in analysis.screening.excluded}
    rows: list[tuple[object, ...]] = [COLUMNS]
    for r in analysis.panel.ratings:
        texts = (r.listener, r.session, r.page, r.item, r.aspect, r.system, r.role)
        seconds = None if math.isnan(r.seconds) else Figure(f"{r.seconds:g}")
        rows.append((*texts, Figure(f"{r.score:g}"), seconds, int(r.repeat), reasons.get(r.listener)))
    return csv_text(rows)
