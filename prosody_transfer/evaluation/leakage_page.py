"""The leakage report as one HTML page, and the same as JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from prosody_transfer.evaluation.drawings import (
    EXACT,
    GREY,
    INK,
    OUTPUT,
    SOURCE,
    can_draw,
    draw_spread,
    make_axes,
    to_svg,
)
from prosody_transfer.evaluation.html import cell, page, section, table, verdict_list
from prosody_transfer.evaluation.leakage import ROOM

Report = Mapping[str, Any]
KINDS = {"logistic": "logistic regression", "mlp": "small network"}
PROBES = {
    "probe_pooled": "Speaker, from the pooled embedding",
    "probe_frames": "Speaker, from single steps of the embedding",
    "probe_content": "Kind of phone, from single steps of the embedding",
}
OUTPUT_KEYS = (
    "leak_index", "margin", "margin_p5", "margin_positive", "identity_attainment", "target_similarity",
    "source_similarity",
)  # fmt: skip
TRACING_KEYS = ("tracing", "tracing_informed", "tracing_floor", "tracing_above_floor")
BANNER = """<style>
.banner { border-left: .5rem solid; padding: .6rem 1rem; background: var(--panel); border-radius: .3rem; }
.banner strong { font-size: 1.4rem; display: block; }
.banner.c0 { border-color: var(--good); }
.banner.c3 { border-color: var(--bad); }
.banner.c4 { border-color: var(--soft); }
.confusion td { text-align: right; }
</style>"""


def write_leakage(report: Report, path: str | Path, overwrite: bool = False) -> None:
    """Write the page, and the same as JSON beside it (leak.html, leak.json); each appears whole or not at all.

    Raises:
        OutputError: One of them exists and `overwrite` is False, or can't be written.
    """
    from prosody_transfer.synthesis.report import write_report

    data = json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    write_report(json_path(path), data.encode(), overwrite)
    write_report(path, leakage_page(report).encode(), overwrite)


def json_path(path: str | Path) -> Path:
    """Where the JSON goes.

    >>> json_path("out/leak.html").as_posix()
    'out/leak.json'
    """
    return Path(path).with_suffix(".json")


def leakage_page(report: Report) -> str:
    """The page, from what `leakage.leakage` returns."""
    facts = report["facts"]
    spoken = sum(report["speakers"].values())
    subtitle = f"Does the source speaker shine through? {facts.get('model', 'No model was run')}"
    parts = [BANNER + _banner(report)]
    if report["checks"]:
        parts.append(section("Tests", verdict_list(report["checks"]), TESTS))
    if "probes" in report:
        parts += [
            section("The prosody embedding", _probes(report), PROBE_TEXT),
            section("The outputs", _outputs(report), OUTPUT_TEXT),
            section("Who was the source?", _tracing(report), TRACING_TEXT),
        ]
    people = ", ".join(f"{escape(name)} ({n})" for name, n in report["speakers"].items())
    voices = ", ".join(map(escape, report["targets"])) or "none"
    listed = f"<p>{spoken} utterances of {len(report['speakers'])} speakers: {people or 'none'}. "
    listed += f"Target voices: {voices}."
    listed += f" Judge: {escape(facts['judge'])}, which no training has seen.</p>" if "judge" in facts else "</p>"
    parts += [
        section("Sources and voices", listed), section("Training and test apart", _split(report)),
        section("Left out", _excluded(report)), section("Definitions", _definitions(report)),
    ]  # fmt: skip
    return page("Leakage report", subtitle, parts)


TESTS = "Each compares with a limit that docs/leakage.md gives a reason for. Intervals are 95 %, over utterances."
PROBE_TEXT = (
    "Probes learn to name the source speaker from the embedding, and are tested on utterances that they never saw. "
    "What counts is how far they get above the floor: what speaker-normalised F0, energy and rate tell anyway. That "
    "something is in the embedding does not mean that it is heard; read it with the outputs."
)
OUTPUT_TEXT = (
    "The judge compares each output with natural recordings of both speakers. A leak index of 0 is a natural recording "
    "of the target, 1 one of the source."
)
TRACING_TEXT = (
    "The judge hears an output and picks the likeliest source among the source speakers, none of whose recordings it "
    "was made from."
)


def _banner(report: Report) -> str:
    verdict = escape(report["verdict"].capitalize())
    text = f"<strong>{verdict}</strong>{escape(report['summary'])}"
    return f'<div class="banner c{report["exit_code"]}" role="status">{text}</div>'


def _probes(report: Report) -> str:
    parts = []
    for key, title in PROBES.items():
        found = report["probes"][key]
        chance = found.get("chance", report["chance"])
        rows = [(f"embedding, {KINDS[k]}", [cell(v, "")]) for k, v in found["latent"].items()]
        rows += [(f"floor: plain prosody, {KINDS[k]}", [cell(v, "")]) for k, v in found["floor"].items()]
        rows += [
            (f"plain prosody with its ranges, {KINDS[k]}", [cell(v, "")])
            for k, v in found.get("with_ranges", {}).items()
        ]
        if "shuffled" in found:
            rows.append(("embedding, labels shuffled", [cell(found["shuffled"], "")]))
        rows.append(("chance", [f"{chance:.3f}"]))
        rows += [
            (f"embedding minus better floor, {KINDS[k]}", [cell(v, "")])
            for k, v in found.get("above_floor", {}).items()
        ]
        drawing = _draw_probe(found, chance, key, title)
        note = CONTENT_TEXT.format(found["majority"]) if "majority" in found else ""
        parts.append(f"{table(title, ['', 'balanced accuracy'], rows)}{drawing}{note}")
    return "".join(parts)


CONTENT_TEXT = (
    "<p>For information: phones in the embedding are no voice, but they take its room and can disturb the words. "
    "Always naming the most frequent kind is right in {:.0%} of steps, which in balanced accuracy is chance.</p>"
)


def _draw_probe(found: Mapping[str, Any], chance: float, key: str, title: str) -> str:
    """Accuracies with their intervals, chance, and for speakers the limit; "" where nothing can be drawn."""
    if not can_draw():
        return ""
    rows = [(f"embedding, {KINDS[k]}", v, OUTPUT) for k, v in found["latent"].items()]
    rows += [(f"floor, {KINDS[k]}", v, SOURCE) for k, v in found["floor"].items()]
    rows += [("labels shuffled", found["shuffled"], GREY)] if "shuffled" in found else []
    figure, (axis,) = make_axes(6.4, [0.7 + 0.3 * len(rows)])
    for height, (_, value, colour) in enumerate(reversed(rows)):
        axis.plot([value["low"], value["high"]], [height, height], color=colour, linewidth=3, alpha=0.6)
        axis.plot([value["value"]], [height], "o", color=colour, markersize=7)
    axis.axvline(chance, color=INK, linewidth=1, linestyle=":")
    axis.text(chance, len(rows) - 0.4, " chance", fontsize=8, color=INK)
    if key == "probe_pooled":
        limit = max(v["value"] for v in found["floor"].values()) + ROOM
        axis.axvline(limit, color=EXACT, linewidth=1, linestyle="--")
        axis.text(limit, len(rows) - 0.4, " limit", fontsize=8, color=INK)
    axis.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)])
    axis.set_ylim(-0.6, len(rows))
    axis.set_xlim(0, 1.02)
    axis.set_xlabel("balanced accuracy", fontsize=8)
    return to_svg(figure, key, title)


def _outputs(report: Report) -> str:
    titles = report["definitions"]
    keys = [k for k in OUTPUT_KEYS if k in report["figures"]]
    head = ["", *(f'<abbr title="{escape(titles[k]["definition"])}">{escape(titles[k]["title"])}</abbr>' for k in keys)]
    rows = [("all outputs", [cell(report["figures"][k], "") for k in keys])]
    rows += [(name, [cell(found.get(k), "") for k in keys]) for name, found in report["groups"].items()]
    drawing = ""
    if can_draw():
        groups: dict[str, list[float]] = {}
        for row in report["rows"]:
            groups.setdefault(f"to {row['speaker']}", []).append(row["margin"])
        drawing = "<h3>Margin of every output</h3>" + draw_spread(groups, "", "margins", "margins by target voice")
    return table("Outputs between source and target", head, rows) + drawing


def _tracing(report: Report) -> str:
    titles, found = report["definitions"], report["figures"]
    rows = [(titles[k]["title"], [cell(found[k], "")]) for k in TRACING_KEYS]
    rows.append(("chance", [f"{report['chance']:.3f}"]))
    confusion = report["confusion"]
    cells = [
        (name, [_shaded(share) for share in shares])
        for name, shares in zip(confusion["speakers"], confusion["share"], strict=True)
    ]  # fmt: skip
    head = ["", *map(escape, confusion["speakers"])]
    inside = table("Share of the outputs of each source (row) taken for each speaker (column)", head, cells)
    return table("Tracing", ["", "balanced accuracy"], rows) + f'<div class="confusion">{inside}</div>'


def _shaded(share: float) -> str:
    colour = f"color-mix(in srgb, var(--output) {round(60 * share)}%, transparent)"
    return f'<span style="background: {colour}; padding: .2rem .4rem; border-radius: .2rem">{share:.2f}</span>'


def _split(report: Report) -> str:
    split = report["split"]
    if split is None:
        return "<p>Not compared: give what the model was trained on with <code>--train MANIFEST</code>.</p>"
    parts = ["<p>Nothing is shared.</p>"] if split["clean"] else []
    for kind in ("texts", "recordings"):
        if split[kind]:
            rows = [(train, [escape(test)]) for train, test in split[kind][:100]]
            parts.append(table(f"{len(split[kind])} shared {kind}", ["training", "test"], rows))
    if split["speakers"]:
        parts.append(f"<p>Speakers on both sides: {', '.join(map(escape, split['speakers']))}.</p>")
    if split["unread"]:
        parts.append(_details("recordings could not be compared", split["unread"]))
    return "".join(parts)


def _details(what: str, rows: Sequence[Sequence[str]]) -> str:
    inside = table("", ["", "why"], [(name, [escape(reason)]) for name, reason in rows])
    return f"<details><summary>{len(rows)} {what}</summary>{inside}</details>"


def _excluded(report: Report) -> str:
    rows = [(e["id"], e["reason"]) for e in report["excluded"]]
    return _details("left out", rows) if rows else "<p>Nothing was left out.</p>"


def _definitions(report: Report) -> str:
    better = {"high": "high is good", "low": "low is good", "one": "1 is good"}
    items = "".join(
        f"<dt>{escape(d['title'])}<small>{better.get(d['better'], '')}</small></dt><dd>{escape(d['definition'])}</dd>"
        for d in report["definitions"].values()
    )
    return f"<dl>{items}</dl>"
