"""The page and the JSON of `ptx evaluate`: whole, self-contained, safe, and the same figures in both."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from prosody_transfer.core.errors import OutputError
from prosody_transfer.evaluation.evaluate import Measured, evaluate
from prosody_transfer.evaluation.judges import Settings
from prosody_transfer.evaluation.pairs import Excluded
from prosody_transfer.evaluation.report import build, choose, render, write

EVIL = "<script>alert('x')</script>"


class Page(HTMLParser):
    """What a page opens and does not close, where it leads, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br", "link", "img", "source"):
            self.open.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "data") and v]

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        import evaluate_fakes as fakes

        pairs = fakes.make_pairs(folder)
        pairs[0] = msgspec.structs.replace(pairs[0], id=f"{EVIL}.alice", text=EVIL)
        return evaluate(pairs, Settings(), folder / "work", workers=1, tools=fakes.FakeJudges)


@pytest.fixture(scope="module")
def report(measured: Measured) -> dict[str, Any]:
    return build(measured, Settings(), [Excluded("line 3", f"is not JSON {EVIL}")], {"pairs from": "here"})


@pytest.fixture(scope="module")
def text(report: dict[str, Any]) -> str:
    return render(report)


def test_the_page_is_whole_and_loads_nothing(text: str) -> None:
    page = Page(text)
    assert not page.open and page.tags.count("h1") == 1
    assert page.addresses and all(a.startswith(("data:", "#")) for a in page.addresses)
    assert not re.search(r"url\((?!#|data:)", text)


def test_names_are_text_and_never_code(text: str) -> None:
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


def test_page_and_json_say_the_same(report: dict[str, Any], tmp_path: Path) -> None:
    data = write(report, tmp_path / "report.html")
    again, text = json.loads(data.read_text()), Page((tmp_path / "report.html").read_text()).text
    assert again == json.loads(json.dumps(report))
    for verdict in again["verdicts"]:
        assert verdict["text"] in text
    for definition in again["definitions"].values():
        assert definition["definition"] in text
    for system in again["systems"].values():
        assert system["title"] in text
    assert "line 3" in text and f"{again['systems']['ptx']['figures']['ffe']['value']:.3f}" in text


def test_every_figure_has_its_definition_and_its_interval(report: dict[str, Any]) -> None:
    for system in report["systems"].values():
        for key, found in system["figures"].items():
            assert report["definitions"][key]["definition"]
            assert found["low"] is None or found["low"] <= found["value"] + 1e-9 <= found["high"] + 2e-9, key


def test_three_pairs_can_be_heard_and_seen(report: dict[str, Any], text: str) -> None:
    assert [s["why"].split()[0] for s in report["shown"]] == ["best", "median", "worst"]
    page = Page(text)
    assert page.tags.count("audio") >= 3 * 4 and page.tags.count("svg") >= 3


def test_a_recording_that_is_gone_is_not_missed(measured: Measured, report: dict[str, Any]) -> None:
    gone = json.loads(json.dumps(report))
    for system in gone["systems"].values():
        for row in system["rows"]:
            row["audio"] = "/nowhere/at.wav"
    assert not Page(render(gone)).open


def test_what_exists_is_kept(report: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write(report, tmp_path / "report.html")
    assert (tmp_path / "report.json").read_text() == "mine" and not (tmp_path / "report.html").exists()
    write(report, tmp_path / "report.html", overwrite=True)
    assert (tmp_path / "report.html").exists()


def test_as_many_as_wanted_from_best_to_worst() -> None:
    rows = [{"id": f"p{i}", "speaker": "alice", "ffe": i / 10} for i in range(7)]
    names = lambda count: [(s["id"], s["why"].split(" of ")[0]) for s in choose(rows, {}, count)]
    assert names(3) == [("p0", "best"), ("p3", "median"), ("p6", "worst")]
    assert names(4) == [("p0", "best"), ("p2", "number 3"), ("p4", "number 5"), ("p6", "worst")]
    assert len(names(99)) == 7 and names(0) == [] and choose(rows[:1], {})[0]["why"].startswith("best")
