"""Pictures of a listening test, as SVG that lies inside its page; needs matplotlib."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from prosody_transfer.evaluation.drawings import EXACT, GREY, INK, OUTPUT, SOURCE, make_axes, to_svg
from prosody_transfer.evaluation.listening.analysis import Aspect
from prosody_transfer.evaluation.listening.cube import Cube
from prosody_transfer.evaluation.listening.design import Role

WIDTH, ROW = 8.6, 0.42  # inches
MOST_ROWS = 60
SYSTEM_COLOURS = (OUTPUT, SOURCE, "#c08400", "#8064c8", "#1f9e9e", "#b0568c")
MARKERS = "osD^vPX"


def draw_systems(aspect: Aspect, name: str) -> str:
    """For each system how its ratings are spread (shape), their quartiles (box) and mean with its interval (dot)."""
    figure, (axis,) = make_axes(WIDTH, (ROW * len(aspect.systems) + 0.7,))
    colours = _colours(aspect.cube)
    for row, score in enumerate(aspect.systems):
        values = aspect.cube.scores[..., row]
        values = values[np.isfinite(values)]
        colour = colours[score.system]
        if values.std() > 0:
            shape = axis.violinplot([values], [row], orientation="horizontal", widths=0.85, showextrema=False)
            for body in shape["bodies"]:
                body.set(facecolor=colour, edgecolor="none", alpha=0.22)
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        axis.plot([low, high], [row, row], color=colour, linewidth=7, alpha=0.4, solid_capstyle="butt")
        axis.plot([middle, middle], [row - 0.17, row + 0.17], color=colour, linewidth=1.5)
        axis.plot([score.mean.low, score.mean.high], [row, row], color=INK, linewidth=1.6)
        axis.plot([score.mean.value], [row], "o", color=INK, markersize=5.5)
    _scale(axis, [score.system for score in aspect.systems])
    return _drawn(figure, name, "ratings of each system")


def draw_aspects(aspects: Sequence[Aspect], name: str) -> str:
    """Mean of each system in each aspect, with its interval."""
    systems = aspects[0].cube.systems
    means = np.full((len(systems), len(aspects), 3), np.nan)
    for j, aspect in enumerate(aspects):
        for score in aspect.systems:
            if score.system in systems:
                means[systems.index(score.system), j] = score.mean.value, score.mean.low, score.mean.high
    return _draw_means(aspects[0].cube, [aspect.name for aspect in aspects], means, name, "means of each aspect")


def draw_items(cube: Cube, name: str) -> str:
    """Mean of each system for each item, over listeners."""
    return _draw_means(cube, cube.items, _means(cube, 0), name, "means of each item")


def draw_listeners(cube: Cube, name: str) -> str:
    """Mean of each system for each listener, over items."""
    return _draw_means(cube, cube.listeners, _means(cube, 1), name, "means of each listener")


def _means(cube: Cube, over: int) -> np.ndarray:
    """(S, rows, 1), NaN where nothing was rated."""
    rated = np.isfinite(cube.scores)
    sums, counts = np.where(rated, cube.scores, 0.0).sum(over), rated.sum(over)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means.T[..., None]


def _draw_means(cube: Cube, rows: Sequence[str], means: np.ndarray, name: str, label: str) -> str:
    """A row a thing, a mark a system; `means` is (S, rows, 1 or 3), the last being mean, low and high."""
    shown = min(len(rows), MOST_ROWS)
    height = ROW if means.shape[2] > 1 else 0.24
    figure, (axis,) = make_axes(WIDTH, (height * shown + 1.1,))
    colours, n = _colours(cube), len(cube.systems)
    for k, system in enumerate(cube.systems):
        places = np.arange(shown) + ((k - (n - 1) / 2) * 0.7 / n if means.shape[2] > 1 else 0)
        if means.shape[2] > 1:
            axis.hlines(places, means[k, :shown, 1], means[k, :shown, 2], color=colours[system], linewidth=1.4)
        mark = MARKERS[k % len(MARKERS)]
        axis.plot(means[k, :shown, 0], places, mark, color=colours[system], markersize=5, alpha=0.85)
    _scale(axis, rows[:shown])
    handles = axis.get_lines()
    legend = figure.legend(handles, [_shown(s) for s in cube.systems], loc="outside upper left", ncols=4, frameon=False)
    for text in legend.get_texts():
        text.set(parse_math=False, color=INK, fontsize=8)
    return _drawn(figure, name, label)


def _drawn(figure: Any, name: str, label: str) -> str:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the page's own fonts may have it
        return to_svg(figure, name, label)


def _scale(axis: Any, rows: Sequence[str]) -> None:
    """The rating scale across, names down; with room to spare, since the page's letters may be wider than these."""
    axis.figure.get_layout_engine().set(w_pad=0.25)
    axis.set_xlim(-1, 101)
    axis.set_xticks(range(0, 101, 20))
    axis.set_yticks(range(len(rows)), [_shown(row) for row in rows], parse_math=False)
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.grid(axis="x", color=GREY, linewidth=0.5, alpha=0.35)
    axis.set_xlabel("rating")


def _shown(name: str) -> str:
    """A name that fits; matplotlib hides labels that begin with an underscore."""
    short = name if len(name) <= 32 else name[:29] + "..."
    return f" {short}" if short.startswith("_") else short


def _colours(cube: Cube) -> dict[str, str]:
    """References green, anchors grey, systems each its own."""
    fixed: dict[Role, str] = {"reference": EXACT, "natural": EXACT, "anchor": GREY}
    found: dict[str, str] = {}
    for system, role in zip(cube.systems, cube.roles, strict=True):
        own = sum(1 for known in found.values() if known in SYSTEM_COLOURS)
        found[system] = fixed.get(role) or SYSTEM_COLOURS[own % len(SYSTEM_COLOURS)]
    return found
