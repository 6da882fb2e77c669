"""A folder that was transferred before: current outputs are left, stale ones made again, edited ones not touched."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.core import closure
from prosody_transfer.core.config import load_config
from prosody_transfer.synthesis import batch, keys, records
from prosody_transfer.synthesis.records import Records
from prosody_transfer.synthesis.transfer import Transferer, TransferSettings

RATE = 24000
PHONES = TransferSettings(recognise="phones")
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0 1 <exists> 1 "IntervalTier" "phones" 0 1 2 0 0.4 "AH0" 0.4 1 "{last}"
"""


@pytest.fixture
def takes(tmp_path: Path, make_murmur) -> Path:
    for i, name in enumerate(("a.wav", "scene/b.wav")):
        (tmp_path / "takes" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "takes" / name, make_murmur(1.0, i), RATE)
    return tmp_path / "takes"


@pytest.fixture
def run(tiny, takes: Path, tmp_path: Path):
    """Transfers all takes; gives what happened to each, as "made", "again: ...", or what was left and why."""

    def go(transferer=tiny, out: Path = tmp_path / "out", settings=PHONES, **options) -> list[str]:
        told: list[str] = []

        def on_done(path, result, error) -> None:
            if error is not None:
                told.append(str(error))
            elif result is not None:
                changed = result.report.get("made_again")
                told.append("again: " + " ".join(changed) if changed else "made")

        paths = [takes / "a.wav", takes / "scene" / "b.wav"]
        left = lambda path, state: told.append(" ".join((state.kind, *state.changed)))
        transferer.from_files_to_files(
            paths, "alice", out, settings=settings, root=takes, on_done=on_done, on_left=left, **options
        )
        return told

    return go


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out" / "a.alice.wav"


def test_what_is_finished_is_not_made_again(run, output: Path):
    assert run() == ["made", "made"]
    before = output.stat()
    assert run() == ["current", "current"] == run()
    assert output.stat() == before


def test_a_replaced_recording_is_transferred_again(run, takes: Path, output: Path, make_murmur):
    run()
    was = output.read_bytes()
    soundfile.write(takes / "a.wav", make_murmur(1.0, 7), RATE)
    assert run() == ["again: source", "current"]
    assert output.read_bytes() != was and run() == ["current", "current"]


def test_a_replaced_recording_of_the_same_size_and_time_too(run, takes: Path, make_murmur):
    run()
    state = (takes / "a.wav").stat()
    soundfile.write(takes / "a.wav", make_murmur(1.0, 7), RATE)
    os.utime(takes / "a.wav", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (takes / "a.wav").stat().st_size == state.st_size
    assert run() == ["again: source", "current"]


def test_a_recording_that_was_only_touched_or_copied_is_the_same(run, takes: Path):
    run()
    os.utime(takes / "a.wav", (1, 1))
    content = (takes / "scene" / "b.wav").read_bytes()
    (takes / "scene" / "b.wav").unlink()
    (takes / "scene" / "b.wav").write_bytes(content)
    assert run() == ["current", "current"]


def test_words_that_came_or_changed_or_went(run, takes: Path):
    run()
    (takes / "a.TextGrid").write_text(TEXTGRID.format(last="T"))
    assert run() == ["again: words", "current"]
    (takes / "a.TextGrid").write_text(TEXTGRID.format(last="K"))
    assert run() == ["again: words", "current"] and run() == ["current", "current"]
    (takes / "a.TextGrid").unlink()
    assert run() == ["again: words", "current"]


@pytest.mark.parametrize("change", [
    {"strength": 0.5}, {"keep": ("rhythm", "pitch")}, {"f0_shift_semitones": 2.0}, {"check_transcript": False},
])  # fmt: skip
def test_other_settings_are_other_outputs(run, change):
    run()
    other = load_config(TransferSettings, {**PHONES.to_dict(), **change})
    assert run(settings=other) == ["again: options"] * 2
    assert run(settings=other) == ["current"] * 2 and run() == ["again: options"] * 2


def test_another_subtype_is_another_output(run, output: Path):
    run()
    assert run(subtype="PCM_16") == ["again: options"] * 2
    assert soundfile.info(output).subtype == "PCM_16"


def test_another_model_voice_or_program(run, tiny, monkeypatch):
    run()
    with monkeypatch.context() as other:
        other.setattr(tiny, "networks", ["another"])
        assert run() == ["again: model"] * 2
    with monkeypatch.context() as other:
        other.setattr(tiny.own, "facts", lambda name, credit: {"name": name, "weights": "of another day"})
        assert run() == ["again: voice model"] * 2
    assert run() == ["again: voice"] * 2
    monkeypatch.setattr(keys, "code_version", lambda: "of tomorrow")
    assert run() == ["again: code"] * 2


@pytest.mark.parametrize("same_look", [False, True])
def test_what_somebody_has_edited_is_not_touched(run, output: Path, same_look):
    run()
    state = output.stat()
    samples, rate = soundfile.read(output, dtype="int32")
    soundfile.write(output, samples // 2, rate, "PCM_24")
    if same_look:
        content, made = output.read_bytes(), output.with_name("other")
        made.write_bytes(content.ljust(state.st_size, b"\0")[: state.st_size])
        made.replace(output)
        os.utime(output, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert output.stat().st_size == state.st_size
    edited = output.read_bytes()
    assert run() == ["edited", "current"]
    assert run(settings=TransferSettings(recognise="phones", strength=0.5)) == ["edited options", "again: options"]
    assert output.read_bytes() == edited
    assert run(overwrite=True) == ["made", "again: options"] and output.read_bytes() != edited
    assert run() == ["current"] * 2


@pytest.mark.parametrize("content", [b"notes of mine, not a sound", b"\0" * 5000])
def test_whatever_was_put_in_an_outputs_place_is_not_touched(run, output: Path, content):
    run()
    output.write_bytes(content)
    assert run() == ["edited", "current"] and output.read_bytes() == content


@pytest.mark.parametrize("kept", [0, 4, 60, 30_000])
def test_an_output_that_was_cut_off_is_made_again(run, output: Path, kept):
    run()
    whole = output.read_bytes()
    output.write_bytes(whole[:kept])
    assert run() == ["made", "current"] and output.read_bytes() == whole


def test_an_output_without_a_record_is_left_and_that_is_said(run, output: Path, takes: Path):
    run()
    shutil.rmtree(output.parent / ".ptx")
    content = output.read_bytes()
    assert run() == ["unknown", "unknown"]
    os.utime(takes / "a.wav", (time.time() + 60,) * 2)
    assert run(settings=TransferSettings(recognise="phones", strength=0.5)) == ["unknown source", "unknown"]
    assert output.read_bytes() == content


def test_a_moved_or_copied_folder_is_still_finished(run, tmp_path: Path, output: Path):
    run()
    (tmp_path / "out").rename(tmp_path / "moved")
    assert run(out=tmp_path / "moved") == ["current", "current"]
    shutil.copytree(tmp_path / "moved", tmp_path / "copy", copy_function=shutil.copyfile)
    assert run(out=tmp_path / "copy") == ["current", "current"]


class Killed(BaseException):
    pass


def test_killed_before_a_new_output_had_its_name_the_old_one_does_not_look_edited(run, output: Path, monkeypatch):
    run()
    real = Records.write

    def write(self, *given):
        real(self, *given)
        raise Killed

    other = TransferSettings(recognise="phones", strength=0.5)
    with monkeypatch.context() as patch:
        patch.setattr(Records, "write", write)
        with pytest.raises(Killed):
            run(settings=other)
    assert run() == ["current", "current"], "what is there is what was asked for first"
    assert run(settings=other) == ["again: options"] * 2


def test_runs_at_the_same_time_leave_nothing_that_looks_edited(run, output: Path):
    settings = [TransferSettings(recognise="phones", strength=s) for s in (1.0, 0.5, 0.0)]
    threads = [threading.Thread(target=run, kwargs={"settings": s, "overwrite": True}) for s in settings * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [run(settings=s)[0] for s in settings]
    assert not any("edited" in one or "unknown" in one for one in told), told
    assert not list(output.parent.glob("*.part"))


def test_opus_whose_bytes_differ_each_time_is_not_taken_for_edited(run):
    assert run(suffix=".opus") == ["made"] * 2
    assert run(suffix=".opus", overwrite=True) == ["made"] * 2
    assert run(suffix=".opus") == ["current"] * 2


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[1]", b'{"format": "ptx-output", "version": 1}', b"[" * 100_000, b"\xff\0"]
)
def test_damaged_records_are_passed_over(run, output: Path, damage):
    run()
    for record in (output.parent / ".ptx").iterdir():
        record.write_bytes(damage)
    (output.parent / ".ptx" / "folder.json").mkdir()
    assert run() == ["unknown", "unknown"]
    assert run(overwrite=True) == ["made"] * 2 and run() == ["current"] * 2


def test_a_record_says_in_plain_words_what_it_is_of(run, output: Path):
    run()
    found = [json.loads(p.read_bytes()) for p in (output.parent / ".ptx").iterdir()]
    assert sorted(r["output"] for r in found) == ["a.alice.wav", "scene/b.alice.wav"]
    assert {r["sha256"] for r in found} == {
        keys.file_digest(output), keys.file_digest(output.parent / "scene" / "b.alice.wav")
    }  # fmt: skip


def test_old_records_of_an_output_are_forgotten(run, output: Path, takes: Path, make_murmur):
    for seed in range(4):
        soundfile.write(takes / "a.wav", make_murmur(1.0, seed), RATE)
        run()
        for record in (output.parent / ".ptx").iterdir():
            os.utime(record, (1, 1))
    assert len(list((output.parent / ".ptx").iterdir())) == 2


def test_every_option_of_a_transfer_reaches_it_from_a_folder_and_the_key(tiny, takes: Path, tmp_path, monkeypatch):
    """So that whoever adds an option can't forget the key."""
    options = inspect.signature(Transferer.from_file_to_file).parameters
    single = {"self", "path", "speaker", "output", "text", "transcript", "overwrite", "on_written"}
    told, keyed = {}, {}

    def speak(path, speaker, output, *, overwrite, on_written, **more):
        told.update(more)
        raise OSError("enough")

    monkeypatch.setattr(tiny, "from_file_to_file", speak)
    real = keys.output_key
    monkeypatch.setattr(batch, "output_key", lambda *given: keyed.update(given[3]) or real(*given))
    tiny.from_files_to_files([takes / "a.wav"], "alice", tmp_path / "out")
    assert set(told) == set(keyed) == set(options) - single


def test_a_finished_folder_is_looked_at_without_reading_it(tiny, takes: Path, tmp_path: Path, monkeypatch):
    def speak(path, speaker, output, *, overwrite, on_written, **options):
        from prosody_transfer.audio.io import write_audio
        from prosody_transfer.synthesis.transfer import TransferResult

        write_audio(output, np.full(RATE, 0.1, np.float32), RATE, overwrite=True, on_written=on_written)
        return TransferResult(np.zeros(1), RATE, speaker, 1.0, None, None, None, {})

    monkeypatch.setattr(tiny, "from_file_to_file", speak)
    paths = [takes / f"{i:04}.wav" for i in range(200)]
    for path in paths:
        shutil.copyfile(takes / "a.wav", path)
        path.with_suffix(".txt").write_text(path.name)
    left = []
    go = lambda: tiny.from_files_to_files(paths, "alice", tmp_path / "out", on_left=lambda p, s: left.append(s.kind))
    listed = []
    with monkeypatch.context() as counting:
        list_folder = os.listdir
        counting.setattr(records.os, "listdir", lambda folder: listed.append(folder) or list_folder(folder))
        go()
    assert left == [] and len(listed) <= 2, "a folder of records is not listed for each of them"
    read = []
    for module in (batch, records):
        monkeypatch.setattr(module, "file_digest", lambda path: read.append(path))
    began = time.process_time()
    go()
    assert left == ["current"] * 200 and read == []
    assert time.process_time() - began < 2.0


def test_the_version_of_the_code_is_that_of_what_it_does(monkeypatch, tmp_path: Path):
    real, version = closure._file, keys.code_version.__wrapped__

    def with_text(name: str, old: str, new: str):
        def find(module: str):
            path = real(module)
            if module != name:
                return path
            text = path.read_text()
            assert old in text
            changed = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
            changed.write_text(text.replace(old, new, 1))
            return changed

        monkeypatch.setattr(closure, "_file", find)
        return version()

    now = version()
    assert now == keys.code_version()
    speaking = "prosody_transfer.models.copycat.speaking"
    settings = "prosody_transfer.models.copycat.config"
    assert with_text(settings, "GUIDANCE = 0.05", "GUIDANCE = 0.05  # as it was") == now
    assert with_text(speaking, '"""A plan and a voice', '"""Some plan and a voice') == now
    assert with_text(settings, "GUIDANCE = 0.05", "GUIDANCE = 0.06") != now
    assert with_text("prosody_transfer.alignment.pocketsphinx", "_PAD = 0.2", "_PAD = 0.3") != now
    assert with_text("prosody_transfer.models.blocks.basic", "import", "import os\nimport") != now
    assert with_text("prosody_transfer.synthesis.records", '".ptx"', '".other"') == now, "bookkeeping speaks nothing"
