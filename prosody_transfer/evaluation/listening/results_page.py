"""What a listening test shows, as one HTML page that fetches nothing: verdicts, tables, pictures, who was excluded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.metadata import version

from prosody_transfer.core.extras import DRAWING, require
from prosody_transfer.evaluation.html import page, section, table
from prosody_transfer.evaluation.listening import plots
from prosody_transfer.evaluation.listening.analysis import Analysis, Aspect
from prosody_transfer.evaluation.listening.comparisons import HOLM, TESTS, VERDICT, WHICH_TO_TRUST, PairTest
from prosody_transfer.evaluation.listening.effects import GAP_CLOSURE, RELATIVE_CHANGE, Ratio
from prosody_transfer.evaluation.listening.export import MEAN, verdict_text

TEST_TITLES = {
    "t_ratings": "t, ratings", "wilcoxon_ratings": "Wilcoxon, ratings", "t_listeners": "t, listeners",
    "t_items": "t, items", "min_f": "min F'",
}  # fmt: skip
ROLES = {"reference": "hidden reference", "natural": "natural recording", "anchor": "anchor", "system": ""}


def results_page(analysis: Analysis) -> str:
    """The page. What listeners typed stands in it as text, never as HTML.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    require("evaluate", DRAWING, "--report")
    main, panel = analysis.aspects[0], analysis.panel
    several = len(analysis.aspects) > 1
    kind = f"{panel.kind} test" if panel.kind else "listening test"
    subtitle = (
        f"{kind}{f' {panel.test}' if panel.test else ''}: {len(main.cube.listeners)} listeners, "
        f"{len(main.cube.items)} items, {main.cube.roles.count('system')} systems; ptx {version('prosody-transfer')}"
    )
    headed = main.name if several else ""
    parts = [
        section("What was found", _found(analysis), headed and f"Of the mean of {len(analysis.aspects) - 1} aspects."),
        section("Ratings", _picture(plots.draw_systems(main, "systems")) + _system_table(main), MEAN),
        section("Aspects", _aspects(analysis)) if several else "",
        section("Pairs of systems", _comparison_table(main), f"p values after {HOLM} {WHICH_TO_TRUST}"),
        section("Size of the differences", _effect_table(main)),
        section("Items", _picture(plots.draw_items(main.cube, "items"))),
        section("Listeners", _picture(plots.draw_listeners(main.cube, "listeners"))),
        section("Screening", _screening(analysis), analysis.screening.rule),
        section("What was left out or is incomplete", _list(panel.problems)),
        section("Comments", _comments(analysis)),
        section("Definitions", _definitions()),
    ]
    return page(panel.title, subtitle, parts)


def _found(analysis: Analysis) -> str:
    """Verdicts about systems, the mark saying whether a difference is shown; then what weakens them."""
    main = analysis.aspects[0]
    asked = {score.system for score in main.systems if score.role == "system"}
    about = [c for c in main.comparisons if {c.first, c.second} <= asked]
    about += [c for c in main.comparisons if len({c.first, c.second} & asked) == 1]
    shown = []
    for c in about:
        mark, kind = ("✓", "yes") if c.better else ("–", "open")
        word = "a difference" if c.better else "no difference shown"
        sign = f'<span class="mark {kind}" role="img" aria-label="{word}">{mark}</span>'
        shown.append(f"<li>{sign}<span>{escape(verdict_text(c))}</span></li>")
    return f'<ul class="verdicts">{"".join(shown)}</ul>' + _list(analysis.notes)


def _system_table(aspect: Aspect) -> str:
    head = ["system", "", "mean", "median", "listeners", "items", "ratings"]
    rows = []
    for s in aspect.systems:
        mean = f"{s.mean.value:.1f}<small>{s.mean.low:.1f} to {s.mean.high:.1f}</small>"
        rows.append((s.system, [ROLES[s.role], mean, f"{s.median:.1f}", *map(str, (s.listeners, s.items, s.mean.n))]))
    return table("Every system", head, rows)


def _comparison_table(aspect: Aspect) -> str:
    titles = [_abbreviation(TEST_TITLES[kind], text) for kind, text in TESTS.items()]
    head = ["pair", "difference", *titles, "listeners, items"]
    rows = []
    for c in aspect.comparisons:
        difference = f"{c.difference.value:+.1f}<small>{c.difference.low:+.1f} to {c.difference.high:+.1f}</small>"
        cells = [_p(c.tests[kind], kind == VERDICT) for kind in TESTS]
        rows.append((f"{c.first} - {c.second}", [difference, *cells, f"{c.listeners}, {c.items}"]))
    return table("Every pair: first minus second; adjusted p, and the unadjusted below", head, rows) if rows else ""


def _p(test: PairTest, strong: bool) -> str:
    if test.p is None or test.p_holm is None:
        return '<span class="none">–</span>'
    adjusted = _share(test.p_holm)
    return (f"<b>{adjusted}</b>" if strong else adjusted) + f"<small>{_share(test.p)}</small>"


def _share(p: float) -> str:
    """A probability without its leading zero."""
    return "&lt;&nbsp;.001" if p < 0.001 else f"{p:.3f}".replace("0.", ".", 1)


def _effect_table(aspect: Aspect) -> str:
    change, gap = _abbreviation("relative change", RELATIVE_CHANGE), _abbreviation("gap closure", GAP_CLOSURE)
    rows = []
    for e in aspect.effects:
        cells = [escape(e.baseline), _ratio(e.relative_change), _ratio(e.gap_closure), escape(e.reference or "none")]
        rows.append((e.system, [*cells, escape(e.why)]))
    head = ["system S", "baseline B", change, gap, "reference R", ""]
    return table("Two measures that are not the same, with 95 % intervals over listeners", head, rows) if rows else ""


def _ratio(found: Ratio | None) -> str:
    if found is None:
        return '<span class="none">–</span>'
    return f"{100 * found.value:+.1f} %<small>{100 * found.low:+.1f} to {100 * found.high:+.1f}</small>"


def _aspects(analysis: Analysis) -> str:
    """One picture of all aspects, then the tables of each, folded."""
    folded = "".join(
        f"<details><summary>{escape(aspect.name)}</summary>"
        f"{_system_table(aspect)}{_comparison_table(aspect)}{_effect_table(aspect)}</details>"
        for aspect in analysis.aspects[1:]
    )
    return _picture(plots.draw_aspects(analysis.aspects, "aspects")) + folded


def _screening(analysis: Analysis) -> str:
    """Who was excluded, and what the rule looked at for everyone."""
    screening = analysis.screening
    excluded = [f"{check.listener}: {check.reason}" for check in screening.excluded] or ["Nobody was excluded."]
    head = ["listener", "ratings", "hidden reference below 90", "mid anchor above 90", "repeats apart", "excluded"]
    rows = []
    for c in screening.listeners:
        shares = [_percent(c.reference_low), _percent(c.mid_anchor_high)]
        apart = "" if c.repeat_difference is None else f"{c.repeat_difference:.1f}"
        rows.append((c.listener, [str(c.ratings), *shares, apart, "yes" if c.reason else ""]))
    return _list(excluded) + f"<details><summary>All listeners</summary>{table('Listeners', head, rows)}</details>"


def _comments(analysis: Analysis) -> str:
    rows = [(who, [escape(page), escape(text)]) for who, page, text in analysis.panel.comments]
    return table("What listeners wrote", ["listener", "page", "comment"], rows) if rows else ""


def _definitions() -> str:
    names = {"mean": MEAN, "relative change": RELATIVE_CHANGE, "gap closure": GAP_CLOSURE}
    names |= {TEST_TITLES[kind]: text for kind, text in TESTS.items()}
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in names.items())
    return f"<dl>{items}</dl>"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _list(lines: Iterable[str] | Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _abbreviation(title: str, definition: str) -> str:
    return f'<abbr title="{escape(definition)}">{escape(title)}</abbr>'


def _picture(drawing: str) -> str:
    return f'<div class="scroll picture">{drawing}</div>'
