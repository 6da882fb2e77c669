"""The report as one HTML page: nothing is fetched from anywhere; light and dark; readable on a phone and aloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

Report = dict[str, Any]
MARKS = {True: ("yes", "✓"), False: ("no", "✗"), None: ("open", "–")}
DIGITS = {"cents": 0, "ms": 1, "dB": 2, "semitones": 2, "%": 1}


def format_number(value: float | None, unit: str = "") -> str:
    """A figure as it is printed, with as many digits as mean something; "" for none.

    >>> format_number(0.97123), format_number(-12.4, "cents"), format_number(None), format_number(-0.0)
    ('0.971', '-12', '', '0.000')
    """
    if value is None:
        return ""
    digits = DIGITS.get(unit, 3)
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _tag(name: str, content: str, **attributes: Any) -> str:
    given = "".join(f' {k.rstrip("_").replace("_", "-")}="{escape(str(v))}"' for k, v in attributes.items() if v)
    return f"<{name}{given}>{content}</{name}>"


def section(title: str, body: str, intro: str = "") -> str:
    """A headed part of the page; "" when there is nothing in it."""
    name = "".join(c if c.isalnum() else "-" for c in title.lower())
    lead = _tag("p", escape(intro), class_="lead") if intro else ""
    return _tag("section", _tag("h2", escape(title), id=name) + lead + body, aria_labelledby=name) if body else ""


def table(caption: str, head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Rows of a name (text) and cells (HTML) under a heading (HTML), in a box that scrolls sideways."""
    top = "".join(_tag("th", cell, scope="col") for cell in head)
    body = "".join(
        _tag("tr", _tag("th", escape(name), scope="row") + "".join(_tag("td", cell) for cell in cells))
        for name, cells in rows
    )
    inside = _tag("caption", escape(caption)) + _tag("thead", _tag("tr", top)) + _tag("tbody", body)
    return _tag("div", _tag("table", inside), class_="scroll", tabindex="0", role="region", aria_label=caption)


def cell(found: Mapping[str, Any] | None, unit: str) -> str:
    """A mean with its interval below it."""
    if not found:
        return '<span class="none">–</span>'
    text = format_number(found["value"], unit)
    if found.get("low") is None or found["n"] < 2:
        return text
    span = f"{format_number(found['low'], unit)} to {format_number(found['high'], unit)}"
    return text + _tag("small", span)


def verdict_list(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """What was found out, each with a mark and a word for it."""
    items = []
    for verdict in verdicts:
        kind, mark = MARKS[verdict["passed"]]
        sign = _tag("span", mark, class_=f"mark {kind}", role="img", aria_label=kind)
        items.append(_tag("li", sign + _tag("span", escape(verdict["text"]))))
    return _tag("ul", "".join(items), class_="verdicts")


def cards(report: Report) -> str:
    """The headline figures of what is judged, each with the systems that bound it beneath."""
    shown = []
    for key in report["headline"]:
        definition, found = report["definitions"][key], report["systems"][report["judged"]]["figures"].get(key)
        if not found:
            continue
        unit = definition["unit"]
        value = format_number(found["value"], unit) + (f"<small> {escape(unit)}</small>" if unit else "")
        span = f"{format_number(found['low'], unit)} to {format_number(found['high'], unit)}"
        interval = f"95 %: {span}; n = {found['n']}"
        beside = [
            f"{escape(system['title'])} {format_number(system['figures'][key]['value'], unit)}"
            for name, system in report["systems"].items()
            if name in report["beside"] and key in system["figures"]
        ]
        content = (
            _tag("h3", escape(definition["title"])) + _tag("p", value, class_="value")
            + _tag("p", interval, class_="interval") + _tag("p", "<br>".join(beside), class_="beside")
        )  # fmt: skip
        shown.append(_tag("article", content, class_="card", title=definition["definition"]))
    return _tag("div", "".join(shown), class_="cards")


def system_tables(report: Report) -> str:
    """Systems by figures, a table a group of figures."""
    parts = []
    for group, keys in report["groups"].items():
        used = [k for k in keys if any(k in s["figures"] for s in report["systems"].values())]
        if not used:
            continue
        head = ["system", "n"]
        for key in used:
            d = report["definitions"][key]
            arrow = {"high": " ↑", "low": " ↓", "zero": " →0", "one": " →1"}.get(d["better"], "")
            unit = f" ({d['unit']})" if d["unit"] else ""
            head.append(_tag("abbr", escape(d["title"] + unit) + arrow, title=d["definition"]))
        rows = []
        for system in report["systems"].values():
            if any(k in system["figures"] for k in used):
                n = max(system["figures"][k]["n"] for k in used if k in system["figures"])
                cells = [cell(system["figures"].get(k), report["definitions"][k]["unit"]) for k in used]
                rows.append((system["title"], [str(n), *cells]))
        parts.append(table(group, head, rows))
    return "".join(parts)


def comparison_table(report: Report) -> str:
    """Differences between systems, pair by pair."""
    if not report["comparisons"]:
        return ""
    rows = []
    for c in report["comparisons"]:
        unit = report["definitions"].get(c["figure"], {"unit": ""})["unit"]
        rows.append((c["title"], [cell(c, unit), str(c["n"]), escape(c["definition"])]))
    head = ["comparison", "difference", "n", "what it is"]
    return table("Differences, pair by pair, with 95 % intervals", head, rows)


def identity_tables(report: Report) -> str:
    """What bounds the similarities, and the outputs by how the two voices compare."""
    found = report["identity"]
    rows = [(b["title"], [format_number(b["value"]), str(b["n"])]) for b in found["bounds"].values()]
    bounds = table("Similarity to the target: natural ceiling and floors", ["recordings", "mean", "voices"], rows)
    keys = [k for k in report["groups"].get("Identity", ()) if any(k in f for f in found["by_relation"].values())]
    head = ["source and target", "n", *(escape(report["definitions"][k]["title"]) for k in keys)]
    split = [
        (name, [str(max(f["n"] for f in figures.values())), *(cell(figures.get(k), "") for k in keys)])
        for name, figures in found["by_relation"].items()
    ]
    return (bounds if rows else "") + (table("Outputs, by how the two voices compare", head, split) if split else "")


def pair_table(report: Report) -> str:
    """Every judged pair with its headline figures."""
    keys = [k for k in report["headline"] if any(r.get(k) is not None for r in _judged(report))]
    head = ["pair", *(escape(report["definitions"][k]["title"]) for k in keys)]
    rows = [
        (str(r["id"]), [format_number(r.get(k), report["definitions"][k]["unit"]) for k in keys])
        for r in _judged(report)
    ]  # fmt: skip
    inside = table("Outputs, by pair", head, rows)
    return _tag("details", _tag("summary", f"All {len(rows)} pairs") + inside) if rows else ""


def _judged(report: Report) -> list[dict[str, Any]]:
    return report["systems"][report["judged"]]["rows"]


def definition_list(report: Report) -> str:
    """Every figure's exact definition, and every system's."""
    items = ""
    for d in report["definitions"].values():
        better = {"high": "high is good", "low": "low is good", "zero": "0 is good", "one": "1 is good"}
        facts = "; ".join(x for x in (d["unit"], better.get(d["better"], "")) if x)
        items += _tag("dt", escape(d["title"]) + (_tag("small", f" {escape(facts)}") if facts else ""))
        items += _tag("dd", escape(d["definition"]))
    systems = "".join(
        _tag("dt", escape(s["title"])) + _tag("dd", escape(s["description"])) for s in report["systems"].values()
    )
    return _tag("h3", "Figures") + _tag("dl", items) + _tag("h3", "Systems") + _tag("dl", systems)


def pair_article(
    shown: Mapping[str, Any], figures: str, drawing: str, players: Sequence[tuple[str, str]]
) -> str:  # fmt: skip
    """One pair to hear and see: players of (name, data URI), then its picture."""
    audio = "".join(
        _tag("figure", _tag("figcaption", escape(name)) + f'<audio controls preload="none" src="{uri}"></audio>')
        for name, uri in players
    )
    text = f" “{escape(shown['text'])}”" if shown.get("text") else ""
    lines = _tag("h3", f"{escape(shown['why'])}: {escape(shown['id'])}")
    lines += _tag("p", f"{escape(figures)}.{text}")
    picture = _tag("div", drawing, class_="scroll picture", tabindex="0", role="region", aria_label="picture")
    return _tag("article", lines + _tag("div", audio, class_="players") + (picture if drawing else ""))


def facts_list(facts: Mapping[str, Any]) -> str:
    """Settings and versions."""
    rows = [(name, [escape(str(value))]) for name, value in facts.items()]
    return table("Settings and versions", ["setting", "value"], rows)


def page(title: str, subtitle: str, parts: Iterable[str]) -> str:
    """The whole page."""
    style = (Path(__file__).parent / "data" / "report.css").read_text(encoding="utf8")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{escape(title)}</title>\n<style>\n{style}</style>\n'
        f"</head>\n<body>\n<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>\n<main>\n"
        + "\n".join(p for p in parts if p) + "\n</main>\n</body>\n</html>\n"
    )  # fmt: skip
