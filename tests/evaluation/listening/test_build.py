"""The folder: matched sounds under names that tell nothing, a key, and a page that asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import speech_level_db
from prosody_transfer.core.errors import AudioError, OutputError, UsageError
from prosody_transfer.evaluation.listening.build import Sound, build, fade, match_lengths, match_levels
from prosody_transfer.evaluation.listening.design import read_key

RATE = 24000
OURS, THEIRS = ("ours", "system"), ("theirs", "system")


def data_of(folder: Path) -> dict:
    page = (folder / "index.html").read_text()
    return json.loads(re.search(r'<script type="application/json" id="test">(.*?)</script>', page, re.S)[1])


@pytest.fixture(scope="module")
def prosody(tmp_path_factory: pytest.TempPathFactory, make_test) -> Path:
    """A prosody test with repeats, of which nothing is changed."""
    folder = tmp_path_factory.mktemp("prosody")
    build(make_test(folder, "prosody", 3, "repeats = 1\nitems_per_session = 2"), folder / "out")
    return folder / "out"


def roles(folder: Path) -> list[tuple[str, str]]:
    return sorted((s.system, s.role) for s in read_key(folder).pages[0].stimuli.values())


def test_the_key_tells_who_is_who(prosody: Path) -> None:
    key = read_key(prosody)
    assert (key.test, key.kind, key.reference, key.seed) == ("t1", "prosody", True, 3)
    assert key.aspects == ("rhythm", "emphasis", "syllable length", "melody", "loudness")
    assert key.scale == ("Excellent", "Good", "Fair", "Poor", "Bad")
    names = [(page.page, page.item) for page in key.pages[:3]]
    assert names == [("page-01", "item0"), ("page-02", "item1"), ("page-03", "item2")]
    (repeat,) = key.pages[3:]
    original = next(p for p in key.pages if p.page == repeat.repeat_of)
    assert (repeat.page, repeat.item, repeat.stimuli) == ("page-04", original.item, original.stimuli)
    assert roles(prosody) == [("anchor_monotone", "anchor"), OURS, ("reference", "reference"), THEIRS]


def test_the_page_is_told_no_names(prosody: Path) -> None:
    page, data = (prosody / "index.html").read_text(), data_of(prosody)
    for name in ("ours", "theirs", "anchor_", "monotone", "item0", "sources"):
        assert f'"{name}' not in page, name
    assert data["items"] == 2 and sum(p["always"] for p in data["pages"]) == 2  # the repeated one, and its repeat
    for view, page_of in zip(data["pages"], read_key(prosody).pages, strict=True):
        assert view["stimuli"] == sorted(page_of.stimuli) and view["reference"] not in page_of.stimuli
        assert set(view["seconds"]) == {*view["stimuli"], view["reference"]}
    wanted = {name for view in data["pages"] for name in view["seconds"]}
    assert {path.name for path in (prosody / "audio").iterdir()} == {f"{name}.wav" for name in wanted}
    assert all(re.fullmatch(r"[0-9a-f]{16}", name) for name in wanted)


def test_the_page_asks_for_nothing_outside(prosody: Path) -> None:
    page = (prosody / "index.html").read_text()
    assert not re.findall(r"https?:|\bsrc=|@import|//[a-z]+\.[a-z]", page)
    assert re.findall(r'href="([^"]*)"', page) == ["data:,"]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    for kind, text in (("script", re.search(r"<script>(.*)</script>", page, re.S)[1]),
                       ("style", re.search(r"<style>(.*)</style>", page, re.S)[1])):  # fmt: skip
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
        assert "</" not in text and "<!--" not in text
        assert kind == "script" or "url(" not in text
    assert "<title>A &lt;test&gt;</title>" in page and "{{" not in page.split("<style>")[0]


def test_sounds_of_a_page_are_alike_in_level_length_and_rate(prosody: Path) -> None:
    for view in data_of(prosody)["pages"]:
        sounds = [read_audio(prosody / "audio" / f"{name}.wav") for name in view["seconds"]]
        assert {sound.sample_rate for sound in sounds} == {RATE} and len({len(s.waveform) for s in sounds}) == 1
        levels = [speech_level_db(sound.waveform, RATE) for sound in sounds]
        assert max(levels) - min(levels) < 0.3 and abs(np.mean(levels) + 26) < 0.3, levels
        for name, sound in zip(view["seconds"], sounds, strict=True):
            assert view["seconds"][name] == len(sound.waveform) / RATE == 0.5


def test_the_same_test_gives_the_same_files(tmp_path: Path, make_test) -> None:
    path = make_test(tmp_path, "naturalness", 2)
    for name in ("one", "two"):
        build(path, tmp_path / name)
    files = lambda name: {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.*")}
    assert files("one") == files("two") and len(files("one")) == 10
    path.write_text(path.read_text().replace("seed = 3", "seed = 4"))
    build(path, tmp_path / "three")
    assert not {p.name for p in (tmp_path / "three" / "audio").iterdir()} & {p.name for p in files("one")}


def test_naturalness_hides_the_natural_recording(tmp_path: Path, make_test) -> None:
    folder = build(make_test(tmp_path, "naturalness", 1), tmp_path / "out").folder
    assert roles(folder) == [("anchor_low_pass", "anchor"), ("natural", "natural"), OURS, THEIRS]
    assert not read_key(folder).reference and data_of(folder)["pages"][0]["reference"] is None


@pytest.mark.parametrize(("more", "top", "length"), [("", "reference", 0.7), ('natural = "natural"', "natural", 0.5)])
def test_similarity_hides_the_target_speaker(tmp_path: Path, make_test, more: str, top: str, length: float) -> None:
    path = make_test(tmp_path, "similarity", 1, f'similarity_anchor = "source"\n{more}')
    folder = build(path, tmp_path / "out").folder
    assert roles(folder) == sorted([("anchor_source", "anchor"), (top, top), OURS, THEIRS])
    assert read_key(folder).reference is (top == "reference")
    (view,) = data_of(folder)["pages"]
    hidden = next(name for name, s in read_key(folder).pages[0].stimuli.items() if s.system == top)
    assert view["seconds"][view["reference"]] == pytest.approx(0.7) and view["seconds"][hidden] == pytest.approx(length)


def test_stimuli_of_other_lengths_are_refused_unless_allowed(tmp_path: Path, make_test, save_voice) -> None:
    path = make_test(tmp_path, "naturalness", 2)
    save_voice(tmp_path / "ours" / "item1.wav", seconds=0.56)
    with pytest.raises(UsageError, match=r'items "item1": stimuli differ in length \(.* 0.500 s, ours 0.560 s\)'):
        build(path, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir() if "out" in p.name or "part" in p.name) == []
    path.write_text("allow_length_difference = true\n" + path.read_text())
    folder = build(path, tmp_path / "out").folder
    assert set(data_of(folder)["pages"][1]["seconds"].values()) == {0.56}


def test_what_cannot_be_used_is_named(tmp_path: Path, make_test) -> None:
    path = make_test(tmp_path, "prosody", 1)
    (tmp_path / "ours" / "item0.wav").write_bytes(b"nothing")
    with pytest.raises(AudioError, match="item0.wav"):
        build(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_builds_and_says_what(tmp_path: Path, make_test) -> None:
    from typer.testing import CliRunner

    from prosody_transfer.cli.listen import app

    ptx = lambda *words: CliRunner().invoke(app, [str(word) for word in words])
    path, out = make_test(tmp_path, "naturalness", 2), tmp_path / "out"
    done = ptx("build", path, "-o", out)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{out}  2 pages  8 stimuli  about 0 min a session\n"
    again = ptx("build", path, "-o", out)
    assert again.exit_code == 5 and again.stderr.startswith(f"ptx: {out}: exists; ")
    told = json.loads(ptx("build", path, "-o", out, "--force", "--json").stdout)
    assert (told["folder"], told["pages"], told["warnings"]) == (str(out), 2, [])
    wrong = ptx("build", tmp_path / "none.toml", "-o", out)
    assert wrong.exit_code == 2 and wrong.stderr.count("\n") == 1
    assert ptx("serve", tmp_path).exit_code == 2


def test_long_items_and_long_sessions_are_noted(tmp_path: Path, make_test) -> None:
    built = build(make_test(tmp_path, "naturalness", 1, "", seconds=12.5), tmp_path / "out")
    assert built.warnings == ("item0: 12.5 s are long; BS.1534 advises 12 s at most",)
    assert (built.pages, built.stimuli) == (1, 4) and built.minutes == pytest.approx(4 * 15.5 / 60, abs=0.1)


def test_only_an_earlier_test_without_results_is_replaced(tmp_path: Path, make_test) -> None:
    path, out = make_test(tmp_path, "naturalness", 1), tmp_path / "out"
    out.mkdir()
    build(path, out)  # an empty folder is as good as none
    with pytest.raises(OutputError, match="exists"):
        build(path, out)
    old = {p.name for p in (out / "audio").iterdir()}
    path.write_text(path.read_text().replace("seed = 3", "seed = 9"))
    build(path, out, overwrite=True)
    assert not old & {p.name for p in (out / "audio").iterdir()} and read_key(out).seed == 9
    (out / "results").mkdir()
    (out / "results" / "x.json").write_text("{}")
    with pytest.raises(OutputError, match="holds results"):
        build(path, out, overwrite=True)
    with pytest.raises(OutputError, match="holds other things"):
        build(path, tmp_path / "ours", overwrite=True)
    with pytest.raises(OutputError, match="is not a folder"):
        build(path, path, overwrite=True)
    assert (tmp_path / "ours" / "item0.wav").exists()


def test_words_and_instructions_are_only_text(tmp_path: Path, make_test) -> None:
    more = 'instructions = """First </script><b>.\n\nSecond."""'
    path = make_test(tmp_path, "naturalness", 1, more)
    text = path.read_text().replace("items = ['item0']", "")
    path.write_text(text + '\n[[items]]\nid = "item0"\ntext = "<!-- {{SCRIPT}} </script> \u2028 ü"\n')
    data = data_of(build(path, tmp_path / "out").folder)
    assert data["instructions"] == ["First </script><b>.", "Second."]
    assert data["pages"][0]["text"] == "<!-- {{SCRIPT}} </script> \u2028 ü"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.003, 3.0), min_size=1, max_size=5), st.integers(0, 99))
def test_levels_are_matched_whatever_the_peaks(gains: list[float], seed: int) -> None:
    """Also where a peak holds one back: then all are as soft as that one."""
    rng = np.random.default_rng(seed)
    waves = [(gain * 0.05 * rng.standard_t(3, 8000)).astype(np.float32) for gain in gains]
    out, level = match_levels(waves, RATE)
    assert level <= -26 and max(np.abs(wave).max() for wave in out) <= 0.9901
    levels = [speech_level_db(wave, RATE) for wave in out]
    assert max(levels) - min(levels) < 0.05 and abs(levels[0] - level) < 0.05
    again, same = match_levels(out, RATE)
    assert abs(same - level) < 0.05 and np.allclose(again[0], out[0], rtol=0.01, atol=1e-6)


def test_lengths_are_padded_with_silence_and_free_sounds_left_alone() -> None:
    ones = lambda size: np.ones(size, np.float32)
    bound = [Sound("a", "system", ones(1000)), Sound("b", "system", ones(990))]
    a, b, r = (s.waveform for s in match_lengths([*bound, Sound("r", "reference", ones(3000), True)], RATE, "here"))
    assert len(a) == len(b) == 1000 and len(r) == 3000
    assert not b[990:].any() and b[120:860].min() == 1.0
    for wave, end in ((a, 1000), (b, 990), (r, 3000)):
        np.testing.assert_array_equal(wave[:120], wave[end - 120 : end][::-1])  # 5 ms, alike at both ends
        assert wave[0] < 1e-3 and np.all(np.diff(wave[:121]) > 0)
    assert len(fade(ones(1), RATE)) == 1


def test_what_a_killed_build_has_left_goes_with_the_next(tmp_path: Path, make_test) -> None:
    import multiprocessing
    import os
    import signal

    test = make_test(tmp_path, "prosody", 2)
    die = lambda done, item: os.kill(os.getpid(), signal.SIGKILL)
    begin = multiprocessing.get_context("fork").Process
    process = begin(target=build, args=(test, tmp_path / "out"), kwargs={"on_item": die})
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL and list(tmp_path.glob(".ptx-*.part"))
    build(test, tmp_path / "out")
    assert not list(tmp_path.glob(".*")) and (tmp_path / "out" / "key.json").is_file()
