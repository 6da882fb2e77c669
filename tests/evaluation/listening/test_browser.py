"""The page in a real browser: clicked and typed through from the first page to saved results."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prosody_transfer.evaluation.listening.build import build
from prosody_transfer.evaluation.listening.serve import ListeningServer

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

# Sounds are played, but fast; waiting is short; the tones of the headphones check are always in one order.
HURRY = """
const play = HTMLMediaElement.prototype.play, later = window.setTimeout;
HTMLMediaElement.prototype.play = function () { this.playbackRate = 16; return play.call(this); };
window.setTimeout = (f, ms, ...rest) => later(f, ms / 10, ...rest);
Math.random = () => 0.999;
"""
KILLED = "import sys, prosody_transfer.evaluation.listening.serve as s; s.serve(sys.argv[1], port=int(sys.argv[2]))"


class Browser:
    """A headless Chromium and what a listener does in it."""

    def __init__(self, profile: Path, *, phone: bool = False) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1280,900",
                     "autoplay-policy=no-user-gesture-required", f"user-data-dir={profile}"):  # fmt: skip
            options.add_argument(f"--{flag}")
        options.add_experimental_option("prefs", {"download.default_directory": str(profile.parent)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        if phone:
            metrics = {"width": 360, "height": 640, "pixelRatio": 2, "touch": True}
            options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HURRY})
        self.asked: list[str] = []
        self.closed = False

    def close(self) -> None:
        if not self.closed:
            self.driver.quit()
        self.closed = True

    def open(self, url: str) -> None:
        self.driver.get(url)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> Any:
        return self.until(lambda: next(iter(self.all(selector)), None), selector)

    def until(self, condition: Any, what: str = "") -> Any:
        return WebDriverWait(self.driver, 30, 0.02).until(lambda _: condition(), what)

    def run(self, script: str, *args: Any) -> Any:
        return self.driver.execute_script(f"return {script}", *args)

    def keys(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def begin(self, name: str = "Anna") -> None:
        self.one("#listener").send_keys(name)
        self.one("#consent").click()
        self.one("form .primary").click()

    def place(self) -> tuple[int, list[Any]]:
        """Which page is shown, and the order of the whole session."""
        return self.run("[session.view.at, session.view.order]")

    def heard(self, count: int) -> None:
        self.until(lambda: len(self.all(".play.heard")) == count, f"{count} heard")

    def hear(self, play: Any) -> None:
        play.click()
        self.until(lambda: "heard" in play.get_attribute("class").split(), f"{play.text} heard")

    def rate_by_mouse(self) -> None:
        """Plays all, drags every slider, goes on."""
        for play in self.all(".play"):
            self.hear(play)
        for i, slider in enumerate(self.all("input[type=range]")):
            drag = ActionChains(self.driver, duration=20)
            drag.click_and_hold(slider).move_by_offset(0, 20 * i - 30).release().perform()
        self.one("#next").click()

    def rate_by_keyboard(self) -> None:
        """Nothing but keys: digits and 0 play, arrows rate, Tab and Enter go on."""
        sliders = self.all("input[type=range]")
        reference = len(self.all(".play.reference"))
        if reference:
            self.keys("0")
            self.heard(1)
        for i in range(len(sliders)):
            self.keys(str(i + 1))
            self.heard(reference + i + 1)
            self.keys(*[Keys.ARROW_UP] * (i + 1))
        self.keys(Keys.TAB, Keys.TAB)  # the comment; "Back"
        if self.driver.switch_to.active_element.get_attribute("id") != "next":
            self.keys(Keys.TAB)
        assert self.driver.switch_to.active_element.get_attribute("id") == "next"
        self.keys(Keys.ENTER)

    def requests(self) -> list[str]:
        """Every address that the page has asked for."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            if not message["params"]["documentURL"].startswith("chrome:"):  # the browser's own first page
                self.asked.append(message["params"]["request"]["url"])
        return self.asked

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Opens browsers with one profile, which outlives them."""
    opened: list[Browser] = []

    def start(**settings: Any) -> Browser:
        opened.append(Browser(tmp_path / "profile", **settings))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def serve() -> Iterator[Any]:
    with contextlib.ExitStack() as stack:

        def start(folder: Path) -> ListeningServer:
            server = stack.enter_context(ListeningServer(folder, port=0))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return server

        yield start


def results(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "results").glob("*.json")
    return json.loads(path.read_text())


def shown(page: Browser) -> dict[str, Any]:
    """What the listener sees, as it should be on the disk."""
    return page.run("({...session.result, revision: session.state.revision})")


def saved(page: Browser) -> None:
    page.until(lambda: page.run("sender.state === 'saved' && session.state.sent === session.state.revision"), "saved")


def test_ten_pages_from_the_first_to_saved_results(tmp_path: Path, make_test, browser, serve) -> None:
    """By mouse, then by keyboard; the browser is closed halfway and the test goes on where it was."""
    more = 'repeats = 2\nheadphones = "off"\nsimilarity_anchor = "source"'
    folder = build(make_test(tmp_path, "similarity", 8, more), tmp_path / "out").folder
    url = serve(folder).url
    page = browser()
    page.open(url)
    page.begin()
    for at in range(5):
        page.until(lambda at=at: page.place()[0] == at)
        if not at:
            page.one("#next").click()
            assert "Still to do" in page.one(".hint").text and page.place()[0] == 0  # nothing heard, nothing rated
        page.rate_by_mouse() if at < 2 else page.rate_by_keyboard()
    page.until(lambda: page.place()[0] == 5)
    page.keys("1", Keys.ARROW_DOWN)  # one rating of the sixth page
    page.heard(1)
    before = page.place(), page.run("session.result")
    asked, complaints = page.requests(), page.complaints()
    page.close()

    page = browser()
    page.open(url)
    page.until(lambda: page.all("#next"))
    assert (page.place(), page.run("session.result")) == before
    assert page.one(".stimulus output").text == "49" and len(page.all(".play.heard")) == 1
    assert page.run("[...document.querySelectorAll('.stimulus')].length") == len(before[0][1][5]["stimuli"]) == 4
    for at in range(5, 10):
        page.until(lambda at=at: page.place()[0] == at)
        page.rate_by_keyboard() if at > 5 else page.rate_by_mouse()
    assert "are saved" in page.until(lambda: "saved." in page.one("#outcome").text and page.one("#outcome").text)
    check_results(folder, before[0][1])
    assert not page.one("#download").is_displayed()
    asked = asked + page.requests()
    assert len(asked) > 20 and all(a.startswith((url, "data:", "blob:" + url)) for a in asked), asked
    assert not complaints + page.complaints()


def check_results(folder: Path, order: list[Any]) -> None:
    """All that was rated is on the disk, and fits the key."""
    found, key = results(folder), json.loads((folder / "key.json").read_text())
    pages = {p["page"]: p for p in key["pages"]}
    assert found["listener"] == "Anna" and found["finished"] and found["test"] == "t1"
    rated = {(r["page"], r["stimulus"]) for r in found["ratings"]}
    assert rated == {(name, stimulus) for name, p in pages.items() for stimulus in p["stimuli"]}
    assert len(found["ratings"]) == 40 == len(rated)
    assert {r["aspect"] for r in found["ratings"]} == {"overall"}
    assert all(0 <= r["score"] <= 100 and r["seconds"] > 0 for r in found["ratings"])
    assert len({r["score"] for r in found["ratings"]}) > 5
    assert [o["page"] for o in order] != sorted(pages)  # shuffled
    assert any(o["stimuli"] != sorted(o["stimuli"]) for o in order)


def test_a_server_killed_in_the_middle_loses_nothing(tmp_path: Path, make_test, browser) -> None:
    folder = build(make_test(tmp_path, "naturalness", 3, 'headphones = "off"'), tmp_path / "out").folder
    with ListeningServer(folder, port=0) as free:
        port = free.server_address[1]
    start = lambda: subprocess.Popen([sys.executable, "-c", KILLED, folder, str(port)],
                                     env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    page = browser()
    server = start()
    try:
        page.until(lambda: answers(page, f"http://127.0.0.1:{port}/"))
        page.begin()
        page.until(lambda: page.run("sounds.urls.size") == 12)  # all sounds are here before they are needed
        page.rate_by_keyboard()
        saved(page)
        server.kill()
        server.wait()
        page.until(lambda: page.place()[0] == 1)
        page.rate_by_keyboard()
        page.until(lambda: "kept on this device" in page.one("#banner").text and page.one("#banner").is_displayed())
        assert len(results(folder)["ratings"]) == 4
        server = start()
        saved(page)
        assert not page.one("#banner").is_displayed()
        assert results(folder) == shown(page)
        assert len(results(folder)["ratings"]) == 8
    finally:
        server.kill()
        server.wait()


def test_saved_is_said_only_of_what_the_server_has(tmp_path: Path, make_test, browser, serve) -> None:
    """It holds a later revision than this device knows, as after a browser's crash; then it lost its files."""
    folder = build(make_test(tmp_path, "naturalness", 1, 'headphones = "off"'), tmp_path / "out").folder
    page, url = browser(), serve(folder).url
    page.open(url)
    page.begin()
    saved(page)
    (path,) = (folder / "results").glob("*.json")
    path.write_text(json.dumps({**shown(page), "comments": {"page-01": "Another."}, "revision": 40}))
    page.one("input[type=range]").click()
    page.until(lambda: page.run("session.state.revision") > 40)
    saved(page)
    assert results(folder) == shown(page)
    assert len(results(folder)["ratings"]) == 1 and page.one("#saved").text == "Saved"
    path.unlink()
    page.open(url)
    page.until(path.exists)
    saved(page)
    assert results(folder) == shown(page)


def answers(page: Browser, url: str) -> bool:
    with contextlib.suppress(Exception):  # refused: the server is not up yet
        page.open(url)
    return bool(page.all("#listener"))


def test_on_a_phone_five_aspects_and_no_horizontal_scroll(tmp_path: Path, make_test, browser, serve) -> None:
    folder = build(make_test(tmp_path, "prosody", 1, 'headphones = "ask"'), tmp_path / "out").folder
    page = browser(phone=True)
    page.open(serve(folder).url)
    fits = lambda: page.run("document.documentElement.scrollWidth <= innerWidth && innerWidth === 360")
    assert fits()
    page.begin("Bo")
    assert fits()
    page.one("#wear").click()
    page.until(lambda: page.one("main > .primary").is_enabled())
    page.one("main > .primary").click()
    assert page.one(".board.rows") and fits()
    for play in page.all(".play"):
        page.hear(play)
    for aspect in ("rhythm", "emphasis", "syllable length", "melody", "loudness"):
        assert page.one("[aria-selected=true]").text.lower() == aspect
        for i, slider in enumerate(page.all("input[type=range]")):
            assert slider.get_attribute("aria-label") == f"{'ABCD'[i]}, {aspect}"
            assert slider.get_attribute("aria-valuetext") == "not rated yet"
            slider.click()  # the middle counts, once it is touched
            assert slider.get_attribute("aria-valuetext") == "50, Fair"
        assert fits()
        page.one("#next").click()
    page.until(lambda: "saved." in page.one("#outcome").text)
    assert fits()
    found = results(folder)["ratings"]
    assert len(found) == 20 == len({(r["aspect"], r["stimulus"]) for r in found})
    assert not page.complaints()


def test_from_a_file_the_ratings_are_downloaded(tmp_path: Path, make_test, browser) -> None:
    folder = build(make_test(tmp_path, "naturalness", 1, 'headphones = "off"'), tmp_path / "out").folder
    page = browser()
    url = (folder / "index.html").as_uri()
    page.open(url)
    page.begin()
    for slider in page.all("input[type=range]"):
        slider.click()
    page.one("#next").click()
    assert page.one(".hint").text == "Still to do: listen to A, B, C, D."  # rated unheard
    page.rate_by_mouse()
    assert "download" in page.one("#outcome").text
    page.one("#download").click()
    target = tmp_path / page.run("`${session.result.session}.json`")
    page.until(target.exists)
    found = json.loads(target.read_text())
    assert found == page.run("session.result") and len(found["ratings"]) == 4 and found["finished"]
    assert all(a.startswith(("file:", "data:", "blob:")) for a in page.requests()), page.asked
    assert not page.complaints()
    page.driver.refresh()
    assert "Thank you, Anna." in page.one("h1").text  # and it is still there


def test_sounds_are_switched_in_place(tmp_path: Path, make_test, browser) -> None:
    """The next one goes on where the last one was, wherever that is: Chromium can't find every place of a flac."""
    folder = build(make_test(tmp_path, "naturalness", 1, 'headphones = "off"'), tmp_path / "out").folder
    page = browser()
    page.open((folder / "index.html").as_uri())
    page.begin()
    first, *others = page.all(".play")
    page.hear(first)
    for count, other in enumerate(others, 2):
        page.run("(arguments[0].click(), setTimeout(() => arguments[1].click(), 150), 0)", first, other)
        page.heard(count)
    assert not page.one("#banner").is_displayed()


def test_only_headphones_pass_and_another_tab_takes_over(tmp_path: Path, make_test, browser, serve) -> None:
    folder = build(make_test(tmp_path, "naturalness", 1), tmp_path / "out").folder
    page, url = browser(), serve(folder).url
    page.open(url)
    page.begin()
    go = page.one("main > .primary")
    for said, passed in ((0, False), (1, False), (1, False), (1, True)):  # "soft" comes second here
        assert not go.is_enabled()
        page.all("section:nth-of-type(2) .wide")[0].click()
        tone = page.all(".tone")[said]
        page.until(tone.is_enabled)
        tone.click()
        assert go.is_enabled() is passed
    go.click()
    assert page.all(".stimulus")
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.open(url)
    page.one("#next")
    page.driver.switch_to.window(first)
    page.until(lambda: "another tab" in page.one("h1").text)
    page.one(".primary").click()
    page.one("#next")


def test_each_session_draws_its_own_pages_in_its_own_order(tmp_path: Path, make_test, browser) -> None:
    more = "repeats = 2\nitems_per_session = 5"
    folder = build(make_test(tmp_path, "naturalness", 8, more), tmp_path / "out").folder
    page = browser()
    page.open((folder / "index.html").as_uri())
    orders = page.run("Array.from({length: 60}, (_, i) => drawOrder('session ' + i))")
    assert orders == page.run("Array.from({length: 60}, (_, i) => drawOrder('session ' + i))")
    pages = {p["page"]: p for p in json.loads((folder / "key.json").read_text())["pages"]}
    firsts, tops = set(), set()
    for order in orders:
        names = [o["page"] for o in order]
        assert len(names) == 7 == len(set(names))
        repeats = [name for name in names if pages[name]["repeat_of"]]
        assert len(repeats) == 2
        assert all(abs(names.index(name) - names.index(pages[name]["repeat_of"])) > 1 for name in repeats)
        assert all(sorted(o["stimuli"]) == sorted(pages[o["page"]]["stimuli"]) for o in order)
        firsts.add(names[0])
        tops |= {(o["page"], o["stimuli"][0]) for o in order}
    assert len(firsts) == 10 and len(tops) == 40  # every page comes first somewhere, every stimulus stands first
