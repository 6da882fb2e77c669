"""What was measured, summed up: a report as plain data, as JSON, and as one HTML page."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import AudioError
from prosody_transfer.evaluation import catalogue, drawings, html
from prosody_transfer.evaluation.cache import code_version
from prosody_transfer.evaluation.evaluate import Measured, spread
from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.identity_scores import IdentityScores
from prosody_transfer.evaluation.judges import Settings
from prosody_transfer.evaluation.pairs import Excluded
from prosody_transfer.evaluation.summary import Row, summarise
from prosody_transfer.evaluation.trackers import track
from prosody_transfer.evaluation.verdicts import compare, judge
from prosody_transfer.synthesis.report import write_report

Report = dict[str, Any]
PLAYER_RATE = 24_000
FLAC_BYTES = 5_000_000  # of all players together; above it they are Opus
_HIDDEN = ("voice", "levelled", "system")  # of a row: not for people


def build(
    measured: Measured, settings: Settings, excluded: Sequence[Excluded] = (), facts: Mapping[str, Any] | None = None,
    show: int = 3,
) -> Report:  # fmt: skip
    """Everything that a report says, as plain data.

    Args:
        excluded: Pairs that were left out before anything was measured.
        facts: More to say among the settings.
        show: How many pairs can be heard and seen.

    Returns:
        "systems" {name: {"title", "description", "figures" {key: {"value", "low", "high", "n"}}, "rows"}},
        "comparisons", "verdicts" [{"name", "passed", "text"}], "excluded" [{"id", "reason"}], "notes", "identity"
        {"bounds", "by_relation"}, "shown", "definitions" {key: {"title", "unit", "better", "definition"}}, "settings".
    """
    likeness = IdentityScores(measured.pairs, measured.rows, measured.enrol)
    likeness.add(measured.rows)
    by_system: dict[str, list[Row]] = {name: [] for name in catalogue.SYSTEMS}
    for row in measured.rows:
        by_system[row["system"]].append(row)
    figures = catalogue.figures()
    systems = {}
    for name, rows in by_system.items():
        if rows:
            title, description = catalogue.SYSTEMS[name]
            table = summarise(rows, list(figures)) | likeness.summary(rows)
            plain = [{k: v for k, v in row.items() if k not in _HIDDEN} for row in rows]
            systems[name] = {"title": title, "description": description, "figures": table, "rows": plain}
    compared = compare(by_system)
    judged = by_system[catalogue.JUDGED]
    positive = likeness.summary(judged).get("margin_positive")
    sources = len({p.source for p in measured.pairs})
    used = {key for system in systems.values() for key in system["figures"]}
    return {
        "ptx": _version("prosody-transfer"), "kind": "evaluate", "created": datetime.now(UTC).isoformat("T", "seconds"),
        "judged": catalogue.JUDGED, "beside": list(catalogue.BESIDE),
        "headline": [key for key in catalogue.HEADLINE if key in used],
        "pairs": len(measured.pairs), "sources": sources,
        "speakers": sorted({p.speaker for p in measured.pairs}),
        "verdicts": judge(compared, positive, sources), "comparisons": compared, "systems": systems,
        "identity": {"bounds": likeness.bounds(), "by_relation": likeness.by_relation(judged)},
        "shown": choose(judged, {p.id: p.text for p in measured.pairs}, show),
        "excluded": [asdict(e) for e in (*excluded, *measured.excluded)],
        "notes": [{"what": what, "why": why} for what, why in measured.notes.items()],
        "groups": {h: [f.key for f in group if f.key in used] for h, group in catalogue.groups().items()},
        "definitions": {
            key: asdict(f) | {"title": f.title[:1].upper() + f.title[1:]} for key, f in figures.items() if key in used
        },
        "settings": _settings(settings) | dict(facts or {}),
    }  # fmt: skip


def _settings(settings: Settings) -> dict[str, Any]:
    named = {
        "model": Path(settings.model).name if settings.model else "shipped",
        "vocoder": Path(settings.vocoder).name if settings.vocoder else "shipped",
        "words recognised": settings.asr, "DNSMOS": settings.quality, "pairs with controls": settings.controls,
        "seed": settings.seed, "rate of all figures, Hz": EVALUATION_RATE, "measuring code": code_version(),
    }  # fmt: skip
    packages = ("torch", "numpy", "pyworld-prebuilt", "pocketsphinx", "speechmos", "faster-whisper", "jiwer")
    return named | {name: version for name in packages if (version := _version(name))}


def _version(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def choose(rows: Sequence[Row], texts: Mapping[str, str], count: int = 3) -> list[dict[str, Any]]:
    """Pairs from the best to the worst by `catalogue.CRITERION`, evenly spread; fewer where there are fewer."""
    key = catalogue.CRITERION
    ranked = sorted((row for row in rows if row.get(key) is not None), key=lambda row: (row[key], row["id"]))
    names = {round((len(ranked) - 1) / 2): "median", len(ranked) - 1: "worst", 0: "best"}
    title = catalogue.figures()[key].title
    shown = []
    for place in spread(len(ranked), count):
        name, row = names.get(place, f"number {place + 1}"), ranked[place]
        why = f"{name} of {len(ranked)} by {title}"
        shown.append({"id": row["id"], "speaker": row["speaker"], "why": why, "text": texts.get(row["id"], "")})
    return shown


def write(report: Report, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the page, and the same as JSON beside it.

    Returns:
        Where the JSON is.

    Raises:
        OutputError: One of them exists, or can't be written.
    """
    page, data = Path(path), Path(path).with_suffix(".json")
    text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    content = render(report)
    write_report(data, text.encode(), overwrite)
    write_report(page, content.encode(), overwrite)
    return data


def render(report: Report) -> str:
    """The report as one HTML page; reads the recordings that it plays and draws."""
    voices, made = ", ".join(report["speakers"]), f"ptx {report['ptx']}, {report['created'][:10]}"
    subtitle = f"{report['pairs']} pairs of {report['sources']} sources; voices: {voices}; {made}"
    lead = (
        "Means over pairs with 95 % bootstrap intervals over sources. Arrows: which way is good. Beneath each headline "
        "figure stand the recordings and controls that bound it."
    )
    excluded = [(e["id"], [html.escape(e["reason"])]) for e in report["excluded"]]
    notes = [(n["what"], [html.escape(n["why"])]) for n in report["notes"]]
    unsaid = html.table("Excluded", ["pair", "why"], excluded) if excluded else ""
    unsaid += html.table("Not measured", ["what", "why"], notes) if notes else ""
    parts = [
        html.section("What it says", html.verdict_list(report["verdicts"])),
        html.section("Headline figures", html.cards(report), lead),
        html.section("Systems and figures", html.system_tables(report)),
        html.section("Comparisons", html.comparison_table(report)),
        html.section("Identity", html.identity_tables(report)),
        html.section("How the values lie", _spreads(report), "Every dot a pair; the line from quartile to quartile."),
        html.section("Pairs to hear and see", _shown(report)),
        html.section("Every pair", html.pair_table(report)),
        html.section("Excluded and not measured", unsaid or "<p>Nothing.</p>"),
        html.section("Definitions", html.definition_list(report)),
        html.section("Settings", html.facts_list(report["settings"])),
    ]
    return html.page("Prosody transfer, measured", subtitle, parts)


def _spreads(report: Report) -> str:
    """A picture a headline figure."""
    if not drawings.can_draw():
        return "<p>Not drawn: matplotlib is not installed (pip install 'prosody-transfer[evaluate]').</p>"
    found = []
    for key in report["headline"]:
        groups = {}
        for system in report["systems"].values():
            data = [row[key] for row in system["rows"] if row.get(key) is not None]
            if data:
                groups[system["title"]] = data
        if not groups:
            continue
        definition = report["definitions"][key]
        title = definition["title"] + (f" ({definition['unit']})" if definition["unit"] else "")
        judged = report["systems"][report["judged"]]["title"]
        svg = drawings.draw_spread(groups, judged, f"s-{key}", html.escape(f"{title}, by system"))
        found.append(f"<figure><figcaption>{html.escape(title)}</figcaption>{svg}</figure>")
    return f'<div class="spreads">{"".join(found)}</div>'


def _shown(report: Report) -> str:
    """The pairs to hear, each with all its systems."""
    chosen = []
    for shown in report["shown"]:
        sounds = {}
        for name in ("source", catalogue.JUDGED, *report["systems"]):
            for row in report["systems"][name]["rows"]:
                if row["id"] == shown["id"] and name not in sounds:
                    try:
                        sounds[name] = _player(row["audio"])
                    except AudioError:
                        continue
        chosen.append((shown, sounds))
    total = sum(len(wave) for _, sounds in chosen for wave in sounds.values())
    opus = total * 1.1 > FLAC_BYTES  # FLAC of speech takes somewhat over a byte a sample, in base64 a third more
    articles = []
    for i, (shown, sounds) in enumerate(chosen):
        players = [
            (report["systems"][name]["title"], drawings.audio_uri(wave, PLAYER_RATE, opus))
            for name, wave in sounds.items()
        ]  # fmt: skip
        articles.append(html.pair_article(shown, _figures(report, shown["id"]), _picture(report, shown, i), players))
    return "".join(articles)


def _player(path: str) -> np.ndarray:
    from prosody_transfer.audio.io import read_audio

    return read_audio(path, PLAYER_RATE).waveform[: int(drawings.LONGEST_SECONDS * PLAYER_RATE)]


def _figures(report: Report, name: str) -> str:
    """The headline figures of one pair, in words."""
    row = next(r for r in report["systems"][report["judged"]]["rows"] if r["id"] == name)
    said = []
    for key in report["headline"]:
        if row.get(key) is not None:
            definition = report["definitions"][key]
            number = html.format_number(row[key], definition["unit"])
            said.append(f"{definition['title']} {number} {definition['unit']}".strip())
    return ", ".join(said)


def _picture(report: Report, shown: Mapping[str, Any], number: int) -> str:
    """Spectrograms and contours of one pair; "" where they can't be drawn."""
    if not drawings.can_draw():
        return ""
    waves = {}
    for system, name in (("source", "source"), (report["judged"], "output"), ("exact", "exact")):
        rows = report["systems"].get(system, {"rows": []})["rows"]
        for path in [row["audio"] for row in rows if row["id"] == shown["id"]]:
            with contextlib.suppress(AudioError):  # gone since it was measured
                waves[name] = load(path)
    if not {"source", "output"} <= set(waves):
        return ""
    contours = {name: track(wave) for name, wave in waves.items()}
    label = html.escape(f"spectrograms, F0 and energy of {shown['id']}")
    return drawings.draw_pair(waves, contours, f"p{number}", label, shown["speaker"])
