"""Files: whose words are taken, folders that are resumed, and runs that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.analysis.transcript import Transcript, find_words
from prosody_transfer.core.errors import AudioError, OutputError, PtxError, TranscriptError, UsageError
from prosody_transfer.synthesis import render as rendering
from prosody_transfer.synthesis import transfer as module
from prosody_transfer.synthesis.transfer import TransferSettings

RATE = 24000
PHONES = TransferSettings(recognise="phones")
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0 1 <exists> 1 "IntervalTier" "phones" 0 1 2 0 0.4 "AH0" 0.4 1 "T"
"""


@pytest.fixture
def takes(tmp_path: Path, make_murmur) -> Path:
    folder = tmp_path / "takes"
    for i, name in enumerate(("a.wav", "b.flac", "scene/c.wav")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, make_murmur(1.0, i), RATE)
    return folder


def sources(folder: Path) -> list[Path]:
    return [folder / "a.wav", folder / "b.flac", folder / "scene" / "c.wav"]


def names(folder: Path) -> list[str]:
    found = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return sorted(str(p) for p in found if p.parts[0] != ".ptx")  # without the records of what made them


def test_words_come_from_the_nearest_source(tmp_path: Path):
    audio = tmp_path / "take.wav"
    assert find_words(audio, None, None) == Transcript()
    (tmp_path / "take.TextGrid").write_text(TEXTGRID)
    found = find_words(audio, None, None)
    assert found.origin == "textgrid" and [p.phone for p in found.alignment.phones] == ["AH0", "T"]
    (tmp_path / "take.lab").write_text("from the lab\nfile")
    assert find_words(audio, None, None) == Transcript("from the lab file", None, "sidecar")
    (tmp_path / "take.txt").write_text("from the text")
    assert find_words(audio, None, None).text == "from the text"
    (tmp_path / "other.txt").write_text("from another")
    assert find_words(audio, None, tmp_path / "other.txt") == Transcript("from another", None, "text")
    assert find_words(audio, None, tmp_path / "take.TextGrid").alignment is not None
    assert find_words(audio, "as said", tmp_path / "other.txt") == Transcript("as said", None, "text")


@pytest.mark.parametrize(
    ("text", "transcript", "place"), [("", None, "--text"), (" \n", None, "--text"), (None, "gone.txt", "gone.txt")]
)
def test_given_words_that_are_none(tmp_path: Path, text, transcript, place):
    with pytest.raises(TranscriptError) as caught:
        find_words(tmp_path / "take.wav", text, transcript)
    assert caught.value.place == place


def test_a_sidecar_textgrid_is_the_alignment(tiny, takes: Path):
    (takes / "a.TextGrid").write_text(TEXTGRID)
    result = tiny.from_file(takes / "a.wav", "alice")
    assert result.report["words_from"] == "textgrid" and [p.phone for p in result.alignment.phones] == ["AH0", "T"]
    (takes / "a.TextGrid").write_text(
        TEXTGRID.replace(" 1 2 0 0.4", " 9 2 0 0.4").replace("0 1 <", "0 9 <").replace("0.4 1 ", "0.4 9 ")
    )
    with pytest.raises(TranscriptError, match="the TextGrid is 9.00 s long, the recording 1.00 s") as caught:
        tiny.from_file(takes / "a.wav", "alice")
    assert caught.value.place == str(takes / "a.wav")


def test_one_file_to_another(tiny, takes: Path):
    result = tiny.from_file_to_file(takes / "a.wav", "alice", settings=PHONES)
    assert soundfile.info(takes / "a.alice.wav").frames == RATE == len(result.waveform)
    assert result.report["input"] == str(takes / "a.wav") and result.report["output"] == str(takes / "a.alice.wav")
    with pytest.raises(OutputError, match="exists"):
        tiny.from_file_to_file(takes / "a.wav", "alice", settings=PHONES)
    tiny.from_file_to_file(takes / "a.wav", "alice", settings=PHONES, overwrite=True)
    for suffix in ("flac", "opus"):
        tiny.from_file_to_file(takes / "a.wav", "alice", takes / f"out.{suffix}", settings=PHONES)
        assert soundfile.info(takes / f"out.{suffix}").frames == RATE


@pytest.mark.parametrize(("name", "speaker", "output", "error"), [
    ("gone.wav", "alice", "out.wav", AudioError), ("a.wav", "alise", "out.wav", UsageError),
    ("a.wav", "alice", "out.xyz", OutputError), ("a.wav", "alice", "no/folder/out.wav", OutputError),
    ("text.wav", "alice", "out.wav", AudioError),
])  # fmt: skip
def test_refusals_leave_nothing(tiny, takes: Path, name, speaker, output, error):
    (takes / "text.wav").write_text("not a sound")
    before = names(takes)
    with pytest.raises(error):
        tiny.from_file_to_file(takes / name, speaker, takes / output, settings=PHONES)
    assert names(takes) == before


def test_errors_name_the_file(tiny, takes: Path):
    soundfile.write(takes / "hum.wav", 0.1 * np.sin(np.arange(2 * RATE) * 0.01), RATE)
    with pytest.raises(AudioError, match=f"^{takes / 'hum.wav'}: no speech found"):
        tiny.from_file(takes / "hum.wav", "alice")
    with pytest.raises(TranscriptError, match=f"^{takes / 'a.wav'}: transcript: the word '日本' cannot"):
        tiny.from_file(takes / "a.wav", "alice", text="日本")


def test_a_folder(tiny, takes: Path, tmp_path: Path):
    seen = []
    failures = tiny.from_files_to_files(
        sources(takes), "alice", tmp_path / "out", settings=PHONES, root=takes, on_done=lambda *told: seen.append(told)
    )
    assert failures == [] and names(tmp_path / "out") == ["a.alice.wav", "b.alice.wav", "scene/c.alice.wav"]
    assert [path for path, *_ in seen] == sources(takes)
    assert all(result is not None and error is None for _, result, error in seen)
    flat = tiny.from_files_to_files(sources(takes), "emma", tmp_path / "flat", settings=PHONES, suffix=".flac")
    assert flat == [] and names(tmp_path / "flat") == ["a.emma.flac", "b.emma.flac", "c.emma.flac"]


def test_it_goes_on_where_it_stopped(tiny, takes: Path, tmp_path: Path):
    def run(**more) -> list[tuple[str, bool]]:
        made: list[tuple[str, bool]] = []
        note = lambda path, result, error: made.append((path.name, result is not None))
        tiny.from_files_to_files(sources(takes), "alice", tmp_path, settings=PHONES, on_done=note, **more)
        return made

    assert run() == [("a.wav", True), ("b.flac", True), ("c.wav", True)]
    whole = (tmp_path / "b.alice.wav").read_bytes()
    (tmp_path / "b.alice.wav").write_bytes(whole[: len(whole) // 2])
    assert run() == [("a.wav", False), ("b.flac", True), ("c.wav", False)], "a cut-off one is made again"
    assert (tmp_path / "b.alice.wav").read_bytes() == whole
    assert all(made for _, made in run(overwrite=True))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".opus"])
def test_a_cut_off_output_is_made_again(tiny, takes: Path, tmp_path: Path, suffix):
    run = lambda: tiny.from_files_to_files(sources(takes)[:1], "alice", tmp_path, settings=PHONES, suffix=suffix)
    run()
    target = tmp_path / f"a.alice{suffix}"
    whole = target.read_bytes()
    target.write_bytes(whole[: len(whole) // 2])
    run()
    assert target.read_bytes()[-500:] == whole[-500:] or soundfile.read(target)[0].size == RATE


def test_failures_do_not_stop_the_others(tiny, takes: Path, tmp_path: Path):
    (takes / "b.flac").write_bytes(b"not a sound at all")
    seen = []
    paths = [takes / "gone.wav", *sources(takes)]
    failures = tiny.from_files_to_files(
        paths, "alice", tmp_path / "out", settings=PHONES, on_done=lambda *told: seen.append(told)
    )
    assert [path.name for path, _ in failures] == ["gone.wav", "b.flac"]
    assert all(isinstance(error, AudioError) and str(path) in str(error) for path, error in failures)
    assert [error for *_, error in seen if error] == [error for _, error in failures] and len(seen) == 4
    assert names(tmp_path / "out") == ["a.alice.wav", "c.alice.wav"]


def test_a_mistake_of_ours_in_one_file_does_not_cost_the_others(tiny, takes: Path, tmp_path: Path, monkeypatch):
    real = rendering.render_waveform
    spoken = iter((False, True, False))
    broken = lambda *given: 1 / 0 if next(spoken) else real(*given)
    monkeypatch.setattr(rendering, "render_waveform", broken)
    ((path, error),) = tiny.from_files_to_files(sources(takes), "alice", tmp_path / "out", settings=PHONES)
    assert (
        path.name == "b.flac"
        and type(error) is PtxError
        and error.exit_code == 70
        and "ZeroDivisionError" in str(error)
    )
    assert names(tmp_path / "out") == ["a.alice.wav", "c.alice.wav"]
    monkeypatch.setenv("PTX_DEBUG", "1")
    monkeypatch.setattr(rendering, "render_waveform", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tiny.from_files_to_files(sources(takes), "emma", tmp_path / "out", settings=PHONES)


def test_outputs_that_cannot_be_made(tiny, takes: Path, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    failures = tiny.from_files_to_files(sources(takes), "alice", tmp_path / "file", settings=PHONES)
    assert [type(error) for _, error in failures] == [OutputError] * 3


def test_ctrl_c_keeps_what_is_done(tiny, takes: Path, tmp_path: Path, monkeypatch):
    real, count = rendering.render_waveform, iter(range(9))

    def interrupted(*given):
        if next(count) == 1:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(rendering, "render_waveform", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tiny.from_files_to_files(sources(takes), "alice", tmp_path / "out", settings=PHONES)
    assert names(tmp_path / "out") == ["a.alice.wav"]
    assert tiny.from_files_to_files(sources(takes), "alice", tmp_path / "out", settings=PHONES) == []
    assert len(names(tmp_path / "out")) == 3


KILLED = """
import os, runpy, signal, sys
folder, networks, conftest = sys.argv[1:]
made = runpy.run_path(conftest)
real = os.replace
def replace(a, b):
    if str(b).endswith("b.alice.wav"):
        os.kill(os.getpid(), signal.SIGKILL)
    real(a, b)
os.replace = replace
from pathlib import Path
from prosody_transfer.synthesis.prosody import TransferSettings
tiny = made["load_tiny_transferer"](Path(networks))
paths = [Path(folder) / name for name in ("a.wav", "b.flac", "scene/c.wav")]
tiny.from_files_to_files(paths, "alice", Path(folder) / "out", settings=TransferSettings(recognise="phones"))
"""


def test_a_killed_run_can_be_continued(tiny, networks: Path, takes: Path):
    """Killed at the worst moment, when the second output is written but does not have its name yet."""
    conftest = Path(__file__).parents[1] / "conftest.py"
    command = [sys.executable, "-c", KILLED, str(takes), str(networks), str(conftest)]
    died = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    visible = [p.name for p in (takes / "out").iterdir() if not p.name.startswith(".")]
    assert visible == ["a.alice.wav"] and soundfile.info(takes / "out" / "a.alice.wav").frames == RATE
    assert len(list((takes / "out").glob(".ptx-*"))) == 1
    made = []
    tiny.from_files_to_files(
        sources(takes), "alice", takes / "out", settings=PHONES, on_done=lambda p, r, e: made.append(r is not None)
    )
    assert made == [False, True, True]
    assert names(takes / "out") == ["a.alice.wav", "b.alice.wav", "c.alice.wav"], "and what it left is gone"


def test_what_another_run_writes_at_this_moment_is_left_alone(tiny, takes: Path, tmp_path: Path):
    (tmp_path / ".ptx-1-00.part").write_bytes(b"half")
    tiny.from_files_to_files(sources(takes)[:1], "alice", tmp_path, settings=PHONES)
    assert (tmp_path / ".ptx-1-00.part").exists()


def test_two_sources_of_one_name_are_not_taken_for_each_other(tiny, takes: Path, tmp_path: Path, make_murmur):
    soundfile.write(takes / "a.flac", make_murmur(1.5, 9), RATE)
    paths = [takes / "a.wav", takes / "a.flac"]
    ((path, error),) = tiny.from_files_to_files(paths, "alice", tmp_path / "out", settings=PHONES)
    assert path == takes / "a.flac" and isinstance(error, OutputError) and "a.wav" in str(error)
    assert soundfile.info(tmp_path / "out" / "a.alice.wav").frames == RATE


def test_the_functions_of_the_module_share_one_transferer(tiny, takes: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "_loaded", {"cpu": tiny})
    options = {"settings": PHONES}
    assert len(module.from_file(takes / "a.wav", "alice", **options).waveform) == RATE
    assert len(module.from_audio(soundfile.read(takes / "a.wav")[0], RATE, "alice", **options).waveform) == RATE
    module.from_file_to_file(takes / "a.wav", "alice", tmp_path / "x.wav", **options)
    assert (
        module.from_files_to_files(sources(takes), "alice", tmp_path, **options) == [] and (tmp_path / "x.wav").exists()
    )
