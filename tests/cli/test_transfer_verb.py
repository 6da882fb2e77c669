"""`ptx transfer` over a stand-in for the networks: what is refused, what is asked of the library, what is printed."""

from __future__ import annotations

import inspect
import json
import typing
from pathlib import Path

import pytest
import soundfile

from prosody_transfer.alignment.base import aligner_names
from prosody_transfer.cli import _options
from prosody_transfer.synthesis.prosody import TransferSettings

# What is done with the result, and by whom; and the sources' own name.
COMMAND_ONLY = {"save_plan", "workers", "shard", "engine", "scheduler", "plot", "json", "source"}


def test_every_option_is_a_parameter_of_what_is_called() -> None:
    from prosody_transfer.cli.transfer import transfer
    from prosody_transfer.synthesis.transfer import Transferer

    options = inspect.signature(transfer).parameters
    settings = dict(zip(TransferSettings.__struct_fields__, TransferSettings.__struct_defaults__, strict=True))
    calls = (Transferer.__init__, Transferer.from_file_to_file, Transferer.from_files_to_files)
    known = set(settings) | {name for call in calls for name in inspect.signature(call).parameters}
    assert set(options) - COMMAND_ONLY <= known
    assert set(settings) <= set(options), "a setting that no flag reaches"
    for name, default in settings.items():
        assert options[name].default == (",".join(default) if name == "keep" else default), name


def test_choices_are_the_library_s() -> None:
    assert typing.get_args(_options.AlignerName) == aligner_names()
    assert typing.get_args(_options.RecogniseName) == ("auto", "words", "phones")


def test_one_recording(ptx, recording: Path, transferer) -> None:
    result = ptx("transfer", recording, "--speaker", "alice", "--strength", "0.5", "--keep", "pitch, energy")
    output = recording.with_name("src.alice.wav")
    assert result.exit_code == 0, result.stderr
    assert soundfile.info(output).frames == 24000
    assert result.stdout.startswith(f"{output}  1.00 s  words from its transcript  F0 correlation 0.97")
    assert "real-time factor 0.09" in result.stdout and result.stdout.count("\n") == 1
    assert result.stderr == f"ptx: note: {recording}: turned down by 1.0 dB\n"
    ((path, speaker, options),) = transferer.calls
    assert (path, speaker) == (recording, "alice")
    assert options["settings"] == TransferSettings(keep=("pitch", "energy"), strength=0.5)


def test_the_choice_of_output(ptx, recording: Path, transferer, tmp_path: Path) -> None:
    assert ptx("transfer", recording, "-s", "alice", "-o", tmp_path / "out.flac").exit_code == 0
    assert soundfile.info(tmp_path / "out.flac").format == "FLAC"
    folder = tmp_path / "new" / "deep"
    assert ptx("transfer", recording, "-s", "alice", "--out-dir", folder, "--format", "opus").exit_code == 0
    assert (folder / "src.alice.opus").exists()


def test_json_is_the_report(ptx, recording: Path, transferer) -> None:
    result = ptx("transfer", recording, "-s", "alice", "--json", "--device", "cuda:1", "--vocoder", "griffin-lim")
    report = json.loads(result.stdout)
    assert report["f0_correlation"] == 0.971
    assert report["output"] == str(recording.with_name("src.alice.wav"))
    assert transferer.made == [(None, "griffin-lim", "cuda:1")]


REFUSED = [
    (["--speaker", "alise"], 2, "did you mean alice"),
    (["--speaker", "alice", "--keep", "rhythm,melody"], 2, "'melody'"),
    (["--speaker", "alice", "--strength", "1.5"], 2, "--strength"),
    (["--speaker", "alice", "--strength", "nan"], 2, "--strength"),
    (["--speaker", "alice", "--strength", "much"], 2, "--strength"),
    (["--speaker", "alice", "--duration-scale", "0"], 2, "--duration-scale"),
    (["--speaker", "alice", "--aligner", "kaldi"], 2, "pocketsphinx"),
    (["--speaker", "alice", "--recognise", "all"], 2, "phones"),
    (["--speaker", "alice", "--format", "mp3"], 2, "opus"),
    (["--speaker", "alice", "--text", " "], 4, "--text"),
    (["--speaker", "alice", "--text", "a", "--transcript", "b.txt"], 2, "--transcript"),
    (["--speaker", "alice", "--transcript", "nowhere.txt"], 4, "nowhere.txt"),
    (["--speaker", "alice", "-o", "nowhere/out.wav"], 5, "nowhere"),
    (["--speaker", "alice", "-o", "out.mp3"], 5, ".flac"),
    (["--speaker", "alice", "-o", "out.wav", "--out-dir", "x"], 2, "--out-dir"),
    (["--speaker", "alice", "-o", "src.wav", "--force"], 5, "the source itself"),
    (["--speaker", "alice", "--plot", "picture.bmp"], 5, ".png"),
    (["--speaker", "alice", "--plot", "nowhere/picture.png"], 5, "nowhere"),
    ([], 2, "--speaker"),
]


@pytest.mark.parametrize(("flags", "code", "named"), REFUSED, ids=[" ".join(r[0]) or "no voice" for r in REFUSED])
def test_refused_before_a_network_is_loaded(
    flags: list[str], code: int, named: str, ptx, recording: Path, transferer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recording.parent)
    result = ptx("transfer", "src.wav", *flags)
    assert result.exit_code == code, result.stderr
    assert result.stderr.startswith("ptx: ") and result.stderr.count("\n") == 1, result.stderr
    assert named in result.stderr and "Traceback" not in result.stderr
    assert result.stdout == "" and transferer.made == []
    assert [p.name for p in recording.parent.iterdir()] == ["src.wav"], "something was left behind"


BAD_SOURCES = {
    "missing.wav": (None, "no such file"),
    "empty.wav": (b"", "empty"),
    "text.wav": (b"Not a sound at all. " * 9, "not a sound"),
    "cut.wav": (b"RIFF\x00\x10\x00\x00WAVEfmt ", "cut"),
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_bad_sources(name: str, ptx, tmp_path: Path, transferer) -> None:
    content, problem = BAD_SOURCES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    result = ptx("transfer", tmp_path / name, "-s", "alice")
    assert result.exit_code == 3, result.stderr
    assert result.stderr.count("\n") == 1 and name in result.stderr and problem in result.stderr
    assert transferer.made == [] and sorted(tmp_path.iterdir()) == before


def test_an_output_that_exists_is_kept(ptx, recording: Path, transferer) -> None:
    output = recording.with_name("src.alice.wav")
    output.write_bytes(b"precious")
    result = ptx("transfer", recording, "-s", "alice")
    assert result.exit_code == 5 and "--force" in result.stderr
    assert output.read_bytes() == b"precious" and transferer.made == []
    assert ptx("transfer", recording, "-s", "alice", "--force").exit_code == 0
    assert soundfile.info(output).frames == 24000


def test_a_failure_leaves_nothing(ptx, make_recording, tmp_path: Path, transferer) -> None:
    source = make_recording(tmp_path / "bad.wav")
    result = ptx("transfer", source, "-s", "alice")
    assert result.exit_code == 3
    assert result.stderr == f"ptx: {source}: holds no speech; say something\n"
    assert [p.name for p in tmp_path.iterdir()] == ["bad.wav"]


def test_another_model_may_have_other_voices(ptx, recording: Path, transferer, tmp_path: Path) -> None:
    result = ptx("transfer", recording, "-s", "anna", "--model", tmp_path / "own.safetensors")
    assert result.exit_code == 0, result.stderr
    assert transferer.made[0][0] == tmp_path / "own.safetensors"
