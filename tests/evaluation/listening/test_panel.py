"""A simulated panel from its files to the tables: what was planted is found, what is broken is named, nothing leaks."""

from __future__ import annotations

import csv
import json
import re
import uuid
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from prosody_transfer.cli import _listen_analyse
from prosody_transfer.cli._shared import PtxGroup
from prosody_transfer.evaluation.listening.analysis import analyse
from prosody_transfer.evaluation.listening.build import build
from prosody_transfer.evaluation.listening.design import read_key
from prosody_transfer.evaluation.listening.panel import read_panel
from prosody_transfer.evaluation.listening.results_page import results_page
from prosody_transfer.evaluation.listening.sessions import parse_session, save_session

ASPECTS = ["rhythm", "emphasis", "syllable length", "melody", "loudness"]
PLANTED = {"reference": 97.0, "ptx": 70.0, "other": 55.0, "same <as> other": 55.0, "anchor_monotone": 25.0}


def simulate_folder(
    folder: Path, kind: str = "prosody", means: dict[str, float] = PLANTED, listeners: int = 16, items: int = 8
) -> Path:
    """A listening folder whose panel rates the systems at `means`, with the habits of people; returns it."""
    rng = np.random.default_rng(3)
    aspects = ASPECTS if kind == "prosody" else ["overall"]
    (folder / "results").mkdir(parents=True)
    roles = {"reference": "reference", "natural": "natural", "anchor_monotone": "anchor"}
    pages: list[dict[str, Any]] = []
    for i in range(items):
        stimuli = {f"{i}-{k}": {"system": s, "role": roles.get(s, "system")} for k, s in enumerate(means)}
        pages.append({"page": f"page-{i}", "item": f"item {i}", "repeat_of": None, "stimuli": stimuli})
    pages.append({**pages[0], "page": f"page-{items}", "repeat_of": "page-0"})
    key = {
        "format": "ptx-listening-1", "test": "t1", "kind": kind, "title": "How <it> is said", "scale": ["Good"],
        "aspects": aspects, "reference": "reference" in means, "pages": pages, "seed": 0,
    }  # fmt: skip
    (folder / "key.json").write_text(json.dumps(key))
    sizes = ((listeners, 1, 1), (1, items, 1), (listeners, 1, len(means)), (1, items, len(means)))
    habits = sum(rng.normal(0, spread, size) for spread, size in zip((8, 6, 4, 4), sizes, strict=True))
    for who in range(listeners):
        ratings = []
        for page in pages:
            item = int(page["item"].split()[1])
            for aspect in aspects:
                for k, (name, mean) in enumerate(zip(page["stimuli"], means.values(), strict=True)):
                    score = mean + habits[who, item, k] + rng.normal(0, 8)
                    score = mean + rng.integers(-6, 4) if k == 0 and mean > 95 else score
                    given = {"page": page["page"], "aspect": aspect, "stimulus": name, "seconds": 4.0}
                    ratings.append({**given, "score": int(np.clip(round(score), 0, 100))})
        write_session(folder, f"listener {who}", ratings)
    return folder


def write_session(folder: Path, listener: str, ratings: list[dict[str, Any]], **more: Any) -> None:
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, listener))
    facts = {"format": "ptx-ratings-1", "test": "t1", "session": name, "listener": listener, "comments": {}}
    times = {"started": "2025-01-01T10:00:00Z", "finished": "2025-01-01T10:30:00Z"}
    (folder / "results" / f"{name}.json").write_text(json.dumps({**facts, **times, "ratings": ratings, **more}))


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prosody test with one listener who is not listening and one who is hostile."""
    folder = simulate_folder(tmp_path_factory.mktemp("panel") / "listening")
    one = json.loads(next(iter((folder / "results").iterdir())).read_text())
    write_session(folder, "bored", [{**r, "score": 50} for r in one["ratings"]])
    write_session(folder, "<script>alert(1)</script>", one["ratings"], comments={"page-1": "=1+1 <img src=x>"})
    return folder


@pytest.fixture
def ptx():
    app = typer.Typer(cls=PtxGroup, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(_listen_analyse.analyse)
    app.command()(_listen_analyse.webmushra)
    return lambda *args: CliRunner().invoke(app, [str(a) for a in args], prog_name="ptx")


def test_what_was_planted_is_found_from_the_files(panel: Path) -> None:
    found = analyse(read_panel(panel))
    assert [c.listener for c in found.screening.excluded] == ["bored"]
    assert [aspect.name for aspect in found.aspects] == ["all aspects", *ASPECTS]
    for aspect in found.aspects:
        better = {frozenset((c.first, c.second)): c.better for c in aspect.comparisons}
        assert len(better) == 10
        assert better[frozenset(("ptx", "other"))] == "ptx"
        assert better[frozenset(("other", "same <as> other"))] == ""
        assert better[frozenset(("anchor_monotone", "other"))] == "other"
    main = found.aspects[0]
    (gap,) = [e for e in main.effects if (e.system, e.baseline) == ("ptx", "other")]
    assert gap.reference == "reference"
    assert gap.gap_closure.low < 15 / 42 < gap.gap_closure.high
    assert gap.relative_change.low < 15 / 55 < gap.relative_change.high


def test_a_naturalness_test_is_screened_by_attention_and_measured_to_the_natural_recording(tmp_path: Path) -> None:
    means = {"natural": 85.0, "ptx": 60.0, "other": 60.0}
    folder = simulate_folder(tmp_path / "listening", "naturalness", means, 8, 6)
    found = analyse(read_panel(folder))
    assert not found.panel.reference and "Attention check" in found.screening.rule and not found.screening.excluded
    assert {e.reference for e in found.aspects[0].effects} == {"natural"}
    assert any("8 listeners" in note for note in found.notes)


def test_bad_files_are_a_line_each_and_the_rest_is_analysed(panel: Path, tmp_path: Path, ptx) -> None:
    folder = tmp_path / "listening"
    (folder / "results").mkdir(parents=True)
    (folder / "key.json").write_bytes((panel / "key.json").read_bytes())
    for file in (panel / "results").iterdir():
        (folder / "results" / file.name).write_bytes(file.read_bytes())
    (folder / "results" / "<img src=x onerror=alert(1)>\n.json").write_text("{}")
    (folder / "results" / "broken.json").write_text('{"format": "ptx')
    (folder / "results" / "mushra.csv").write_text('session_test_id,"a\n1,2')
    before, after = ptx("analyse", panel, "--json"), ptx("analyse", folder / "results", "--json")
    assert before.exit_code == 0 and after.exit_code == 1
    whole, rest = json.loads(before.stdout), json.loads(after.stdout)
    assert rest["aspects"] == whole["aspects"] and rest["screening"] == whole["screening"]
    assert len(rest["problems"]) == 3
    lines = after.stderr.splitlines()
    assert [line for line in lines if line.startswith("ptx: note: ")] == lines[:3]
    assert lines[3] == f"ptx: {folder / 'results'}: nothing of 3 files could be used" and len(lines) == 4


class Page(HTMLParser):
    """Which elements there are, and every address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(v) for k, v in attributes if k in ("src", "href", "xlink:href", "action", "data")]
        assert not [k for k, _ in attributes if k.startswith("on")]


def test_the_page_holds_everything_and_asks_for_nothing(panel: Path) -> None:
    text = results_page(analyse(read_panel(panel)))
    page = Page(text)
    assert {"script", "img", "link", "iframe"}.isdisjoint(page.tags)
    assert page.tags.count("svg") == 4
    assert all(address.startswith("#") for address in page.addresses)
    assert "http" not in re.sub(r'xmlns\S*="[^"]*"', "", text)
    for wanted in (
        "How &lt;it&gt; is said", "17 listeners", "3 systems", "ptx is rated above other", "gap closure",
        "relative change", "bored: the hidden reference is below 90", "ITU-R BS.1534-3", "Holm-Bonferroni", "min F",
        "&lt;script&gt;alert(1)&lt;/script&gt;", "=1+1 &lt;img src=x&gt;", "same &lt;as&gt; other", "syllable length",
    ):  # fmt: skip
        assert wanted in text or wanted.replace("17 listeners", "17 listeners") in text, wanted


def test_the_command_writes_page_table_and_numbers(panel: Path, tmp_path: Path, ptx) -> None:
    page, table, numbers = tmp_path / "out.html", tmp_path / "out.csv", tmp_path / "out.json"
    result = ptx("analyse", panel / "results", "--report", page, "--csv", table, "--baseline", "other")
    assert result.exit_code == 0, result.stderr
    assert "ptx is rated above other by" in result.stdout and "excluded: bored" in result.stdout
    assert "ptx against other: relative change +" in result.stdout and "against anchor" not in result.stdout
    assert page.read_text().startswith("<!doctype html>")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 18 * 9 * 5 * 5
    assert {r["listener"] for r in rows if r["excluded"]} == {"bored"}
    assert not [cell for r in rows for cell in r.values() if cell[:1] in ("=", "+", "@")]
    again = ptx("analyse", panel / "results", "--report", page)
    assert again.exit_code == 5 and "exists" in again.stderr and again.stderr.count("\n") == 1
    assert ptx("analyse", panel / "results", "--report", numbers).exit_code == 0
    assert json.loads(numbers.read_text()) == json.loads(ptx("analyse", panel, "--json").stdout)


def test_numbers_name_their_definitions(panel: Path, ptx) -> None:
    numbers = json.loads(ptx("analyse", panel, "--json").stdout)
    assert {"mean", "relative_change", "gap_closure", "p_holm", "min_f", "t_ratings"} <= set(numbers["definitions"])
    first = numbers["aspects"]["melody"]["comparisons"][0]
    assert set(first["tests"]["min_f"]) == {"statistic", "p", "p_holm"} and first["verdict"]
    assert first["difference"]["low"] < first["difference"]["value"] < first["difference"]["high"]


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [(["nowhere"], 2, "there is no such file"), (["PANEL", "--baseline", "x"], 2, "no system 'x'"),
     (["PANEL", "--report", "a.pdf"], 5, "unknown kind of output '.pdf'")],
)  # fmt: skip
def test_wrong_arguments_are_one_line(panel: Path, ptx, arguments: list[str], code: int, problem: str) -> None:
    result = ptx("analyse", *(str(panel) if a == "PANEL" else a for a in arguments))
    assert result.exit_code == code and problem in result.stderr and result.stderr.count("\n") == 1


def test_to_webmushra_and_back_gives_the_same_figures(panel: Path, tmp_path: Path, ptx) -> None:
    config, table = tmp_path / "t.yaml", tmp_path / "back" / "results" / "mushra.csv"
    table.parent.mkdir(parents=True)
    (tmp_path / "back" / "key.json").write_bytes((panel / "key.json").read_bytes())
    assert ptx("webmushra", panel, "-o", config).exit_code == 0 and "testId: t1" in config.read_text()
    assert ptx("webmushra", panel, "-o", table).exit_code == 0
    there, back = (json.loads(ptx("analyse", path, "--json").stdout) for path in (panel, table))
    assert back["aspects"] == there["aspects"] and back["comments"] == there["comments"]
    wrong = ptx("webmushra", tmp_path, "-o", tmp_path / "x.csv")
    assert wrong.exit_code == 2 and "key.json" in wrong.stderr


def test_what_is_built_and_saved_is_what_is_analysed(tmp_path: Path, make_test) -> None:
    folder = tmp_path / "listening"
    build(make_test(tmp_path, items=2, more="repeats = 1"), folder)
    key = read_key(folder)
    for who in ("anna", "bob"):
        ratings = [
            {"page": page.page, "aspect": aspect, "stimulus": name, "seconds": 2.5,
             "score": {"reference": 99, "anchor": 10}.get(stimulus.role, 60)}
            for page in key.pages for aspect in key.aspects for name, stimulus in page.stimuli.items()
        ]  # fmt: skip
        number = str(uuid.uuid5(uuid.NAMESPACE_OID, who))
        session = {"format": "ptx-ratings-1", "test": "t1", "session": number, "listener": who, "comments": {},
                   "started": "2025-01-01T10:00:00Z", "finished": None, "ratings": ratings}  # fmt: skip
        save_session(folder, parse_session(json.dumps(session).encode(), key))
    panel = read_panel(folder)
    assert len(panel.ratings) == 2 * 3 * 5 * 4 and panel.reference and panel.failed == ()
    assert len(panel.problems) == 2 and all("was not finished (60 ratings, used)" in line for line in panel.problems)
    means = {s.system: s.mean.value for s in analyse(panel).aspects[0].systems}
    assert means == {"reference": 99, "ours": 60, "theirs": 60, "anchor_monotone": 10}


def test_long_and_odd_names_can_be_drawn(tmp_path: Path) -> None:
    means = {"natural": 80.0, "_hidden $x^2$ " + "w" * 60: 50.0, "日本": 40.0}
    folder = simulate_folder(tmp_path / "listening", "naturalness", means, 2, 2)
    assert results_page(analyse(read_panel(folder))).count("<svg") == 3
