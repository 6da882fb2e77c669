"""The summary as one page: nothing is fetched from anywhere, and nothing in a corpus is trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from prosody_transfer.corpus.summary import RARE, WORDS_FROM
from prosody_transfer.corpus.summary_drawings import histogram, phone_bars, ranges

MOST_SPEAKERS = 40  # drawn; all are in summary.json
LONGEST = 200  # letters of a name or detail
Summary = Mapping[str, Any]


def _tag(name: str, content: str, **attributes: str) -> str:
    given = "".join(f' {k.rstrip("_").replace("_", "-")}="{escape(v)}"' for k, v in attributes.items() if v)
    return f"<{name}{given}>{content}</{name}>"


def _say(text: object) -> str:
    """Any text, escaped; very long ones are cut."""
    shown = str(text)
    return escape(shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…")


def _section(title: str, body: str, lead: str = "") -> str:
    name = "".join(c if c.isalnum() else "-" for c in title.lower())
    intro = _tag("p", _say(lead), class_="lead") if lead else ""
    return _tag("section", _tag("h2", escape(title), id=name) + intro + body, aria_labelledby=name) if body else ""


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML; the first of each row is its heading."""
    top = "".join(_tag("th", escape(cell), scope="col") for cell in head)
    body = "".join(
        _tag("tr", _tag("th", row[0], scope="row") + "".join(_tag("td", cell) for cell in row[1:])) for row in rows
    )
    inside = _tag("caption", escape(caption)) + _tag("thead", _tag("tr", top)) + _tag("tbody", body)
    return _tag("div", _tag("table", inside), class_="scroll", tabindex="0", role="region", aria_label=caption)


def duration(seconds: float) -> str:
    """A length of time for people.

    >>> duration(4.26), duration(150), duration(9000)
    ('4.3 s', '2.5 min', '2.5 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def _cards(summary: Summary) -> str:
    used, splits = summary["used"], summary["splits"]
    rejected = sum(r["count"] for r in summary["rejected"])
    cards = [
        ("Speech", duration(used["seconds"]), f"{used['utterances']} utterances"),
        ("Speakers", str(used["speakers"]), ""),
        ("Training", duration(splits["train"]["seconds"]), f"{splits['train']['utterances']} utterances"),
        ("Dev", duration(splits["dev"]["seconds"]), f"{splits['dev']['utterances']} utterances"),
        ("Rejected", str(rejected), f"of {used['utterances'] + rejected}"),
    ]
    return _tag("div", "".join(
        _tag("article", _tag("h3", name) + _tag("p", value, class_="value") + _tag("p", below, class_="below"),
             class_="card") for name, value, below in cards
    ), class_="cards")  # fmt: skip


def _points(summary: Summary) -> str:
    """What there is to know before training, in words."""
    shared, phones = summary["splits"]["shared_sentences"], summary["phones"]
    unknown = sum(summary["words_from"].get(name, 0) for name in ("heard", ""))
    aside = f"; of {unknown} utterances the words are not known" if unknown else ""
    points = [
        (shared == 0, f"{shared or 'No'} {'sentence is' if not shared else 'sentences are'} on both sides{aside}.")
    ]
    alone = summary["splits"]["speakers_in_dev_alone"]
    if alone:
        points.append((True, f"{len(alone)} speakers are in dev alone: {_few(alone)}."))
    if phones["missing"]:
        points.append((False, f"Never heard: {', '.join(phones['missing'])}."))
    if phones["rare"]:
        points.append((False, f"Heard fewer than {RARE} times: {', '.join(phones['rare'])}."))
    for name, count in sorted(summary["words_from"].items(), key=lambda item: -item[1]):
        points.append((name != "", f"{count} utterances have their words from {WORDS_FROM[name]}."))
    few = [s["name"] for s in summary["speakers"] if s["seconds"] < 60]
    if few:
        points.append((False, f"Less than a minute of {len(few)} speakers: {_few(few)}."))
    points += [(False, f"{count} times: {note}.") for note, count in summary["notes"].items()]
    items = ""
    for good, text in points:
        sign, kind, label = ("✓", "good", "good") if good else ("!", "bad", "note")
        mark = _tag("span", sign, class_=kind, role="img", aria_label=label)
        items += _tag("li", f"{mark} {_say(text)}")
    return _tag("ul", items, class_="points")


def _spread(found: Mapping[str, Any], unit: str) -> str:
    if found["median"] is None:
        return ""
    return f"Median {found['median']:g} {unit}; nine in ten between {found['p5']:g} and {found['p95']:g} {unit}."


def _speakers(summary: Summary) -> str:
    shown = sorted(summary["speakers"], key=lambda s: -s["seconds"])[:MOST_SPEAKERS]
    if not shown:
        return ""
    drawing = ranges(sorted(shown, key=lambda s: s["f0_median_hz"] or 0), "F0 range of each speaker")
    more = [key for key in ("gender", "accent") if any(s.get(key) for s in shown)]
    rows = [
        [_say(s["name"]), str(s["utterances"]), str(s["dev"]), duration(s["seconds"]), *(
            f"{s[key]:g}" if s[key] else "–" for key in ("f0_low_hz", "f0_median_hz", "f0_high_hz", "level_db")
        ), *(_say(s.get(key, "")) for key in more)]
        for s in shown
    ]  # fmt: skip
    head = ["speaker", "utterances", "in dev", "speech", "F0 5 %, Hz", "median", "95 %", "level, dB", *more]
    left = len(summary["speakers"]) - len(shown)
    title = f"The {len(shown)} of whom there is most; {left} more are in summary.json" if left else "All speakers"
    table = _table(title, head, rows)
    return drawing + _tag("details", _tag("summary", "As a table") + table, open="open" if len(shown) < 9 else "")


def _rejected(summary: Summary) -> str:
    if not summary["rejected"]:
        return _tag("p", "Nothing was rejected.")
    parts = []
    for row in summary["rejected"]:
        head = f"{_tag('b', str(row['count']))} {_say(row['means'])} {_tag('code', _say(row['reason']))}"
        examples = [[_say(e["id"]) or "–", _tag("code", _say(e["audio"])), _say(e["detail"])] for e in row["examples"]]
        shown = _table(f"{len(examples)} of {row['count']}", ["id", "file", "what was found"], examples)
        inside = _tag("p", f"What to do: {_say(row['remedy'])}.") + shown
        parts.append(_tag("details", _tag("summary", head) + inside))
    return "".join(parts)


def _sides(summary: Summary) -> str:
    rows = [
        [name, str(s["utterances"]), duration(s["seconds"]), str(s["speakers"]), str(s["sentences"])]
        for name, s in ((n, summary["splits"][n]) for n in ("train", "dev", "neither"))
        if s["utterances"] or name != "neither"
    ]
    return _table("The two sides", ["side", "utterances", "speech", "speakers", "sentences"], rows)


def _settings(summary: Summary) -> str:
    rates = ", ".join(f"{rate} Hz: {n}" for rate, n in summary["sample_rates"].items())
    flat = {k: v for k, v in summary["settings"].items() if k != "mel"}
    flat |= {f"mel {k}": v for k, v in summary["settings"]["mel"].items()} | {"sampling rates of the files": rates}
    settings = _table("Settings", ["setting", "value"], [[_say(k), _say(v)] for k, v in flat.items()])
    limits = [[_tag("code", _say(t["reason"])), _say(t["when"])] for t in summary["thresholds"]]
    return _table("Rejected for quality", ["reason", "when"], limits) + settings


def page(summary: Summary) -> str:
    """The whole page, from what `summary.summarise` gives."""
    style = (Path(__file__).parent / "summary.css").read_text(encoding="utf8")
    layout = summary["layout"]
    limits = {"snr_db": summary["limits"]["min_snr_db"], "level_db": summary["limits"]["min_level_db"]}
    phones = summary["phones"]
    parts = [
        _cards(summary) + _points(summary),
        _section("Rejected", _rejected(summary)),
        _section("Length", histogram(summary["seconds"], "s", "Lengths"), _spread(summary["seconds"], "s")),
        _section("F0 range by speaker", _speakers(summary), "5th to 95th percentile, with the median."),
        _section(
            "Phones covered",
            phone_bars(phones, "Phones") if any(phones["counts"].values()) else "",
            f"{phones['told']} from transcripts, {phones['heard']} heard; the scale is logarithmic.",
        ),
        _section(
            "Loudness", histogram(summary["level_db"], "dB re full scale", "Loudness", limits["level_db"]),
            _spread(summary["level_db"], "dB") + " Of the speech in the files; all is brought to one level.",
        ),
        _section(
            "Noise", histogram(summary["snr_db"], "dB signal to noise", "Noise", limits["snr_db"]),
            _spread(summary["snr_db"], "dB"),
        ),
        _section("Sides", _sides(summary)),
        _section("Settings and thresholds", _settings(summary)),
    ]  # fmt: skip
    lead = f"Layout: {layout['name']}, because {layout['why']}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">\n'
        '<meta name="color-scheme" content="light dark">\n<title>Prepared corpus</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header><h1>Prepared corpus</h1><p>{_say(summary['corpus'])}</p><p>{_say(lead)}</p></header>\n<main>\n"
        + "\n".join(part for part in parts if part) + "\n</main>\n</body>\n</html>\n"
    )  # fmt: skip
