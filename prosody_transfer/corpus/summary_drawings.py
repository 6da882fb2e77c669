"""Bars and ranges as SVG in the page's own colours; every text in them is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

WIDTH, LEFT, RIGHT = 640, 44, 12
F0_TICKS_HZ = (50, 75, 100, 150, 200, 300, 400, 600)


def _svg(height: float, label: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _text(x: float, y: float, text: str, anchor: str = "middle", kind: str = "") -> str:
    given = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{given}>{escape(text)}</text>'


def _bar(x: float, y: float, width: float, height: float, title: str, kind: str = "bar") -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}">'
        f"<title>{escape(title)}</title></rect>"
    )


def histogram(found: Mapping[str, Any], unit: str, label: str, limit: float | None = None) -> str:
    """Bars of counts over a scale; a line where a threshold lies. `found` has "edges", "counts" and percentiles."""
    edges, counts = found["edges"], found["counts"]
    top, height, bottom = max([*counts, 1]), 140, 34
    span = (edges[-1] - edges[0]) or 1.0
    place = lambda value: LEFT + (WIDTH - LEFT - RIGHT) * (value - edges[0]) / span
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height}" y2="{height}"/>']
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            size = max(1.5, (height - 14) * count / top)
            title = f"{low:g} to {high:g} {unit}: {count}"
            parts.append(_bar(place(low) + 0.5, height - size, place(high) - place(low) - 1, size, title))
    parts.append(_text(LEFT - 6, 18, f"{top}", "end"))
    parts.append(_text(LEFT - 6, height, "0", "end"))
    for value in np.linspace(edges[0], edges[-1], 6):
        parts.append(_text(place(value), height + 14, f"{value:g}"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, height + 30, unit))
    if limit is not None and edges[0] < limit < edges[-1]:
        x = place(limit)
        parts.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="6" y2="{height}"/>')
        parts.append(_text(x + 4, 14, "threshold", "start", "limit"))
    return _svg(height + bottom, label, parts)


def ranges(speakers: Sequence[Mapping[str, Any]], label: str) -> str:
    """A line a speaker from the 5th to the 95th percentile of F0, a mark at the median; the scale is logarithmic."""
    rows = [s for s in speakers if s["f0_median_hz"]]
    if not rows:
        return ""
    step, left, top = 18, 130, 20
    low = min(60.0, *(s["f0_low_hz"] for s in rows)) * 0.95
    high = max(400.0, *(s["f0_high_hz"] for s in rows)) * 1.05
    place = lambda hz: left + (WIDTH - left - RIGHT) * np.log(hz / low) / np.log(high / low)
    height = top + step * len(rows) + 4
    parts = []
    for tick in F0_TICKS_HZ:
        if low <= tick <= high:
            x = place(tick)
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{height - 4}"/>')
            parts.append(_text(x, 11, f"{tick} Hz"))
    for i, row in enumerate(rows):
        y = top + step * i + step / 2
        name = row["name"] if len(row["name"]) <= 18 else row["name"][:17] + "…"
        title = f"{row['name']}: {row['f0_low_hz']:g} to {row['f0_high_hz']:g} Hz, median {row['f0_median_hz']:g} Hz"
        a, b = place(row["f0_low_hz"]), place(row["f0_high_hz"])
        parts.append(_text(left - 8, y + 4, name, "end"))
        parts.append(_bar(a, y - 3, b - a, 6, title))
        parts.append(_bar(place(row["f0_median_hz"]) - 1.5, y - 7, 3, 14, title, "median"))
    return _svg(height, label, parts)


def phone_bars(phones: Mapping[str, Any], label: str) -> str:
    """A bar a phone on a logarithmic scale, the commonest first; rare and missing ones in another colour."""
    counts, bad = phones["counts"], {*phones["rare"], *phones["missing"]}
    names = sorted((p for p in counts if p != "SIL"), key=lambda p: (-counts[p], p))
    height, step = 120, (WIDTH - 24) / max(1, len(names))
    top = np.log1p(max([*counts.values(), 1]))
    parts = [f'<line class="axis" x1="12" x2="{WIDTH - 12}" y1="{height}" y2="{height}"/>']
    for i, name in enumerate(names):
        size = (height - 8) * np.log1p(counts[name]) / top
        kind = "bar bad" if name in bad else "bar"
        x = 12 + step * i
        if counts[name]:
            parts.append(_bar(x + 1, height - size, step - 2, size, f"{name}: {counts[name]}", kind))
        parts.append(_text(x + step / 2, height + 12 + 10 * (i % 2), name, kind="bad" if "bad" in kind else ""))
    return _svg(height + 28, label, parts)
