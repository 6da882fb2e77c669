"""`ptx align`, `ptx features`, `ptx speakers`, `ptx doctor`, `ptx train`."""

from __future__ import annotations

import csv
import inspect
import json
import re
from pathlib import Path

import pytest

from prosody_transfer.cli._checks import NEEDED, Check
from prosody_transfer.core.extras import EXTRAS, PACKAGES
from prosody_transfer.store.weights import shipped

AUDIO = Path(__file__).parents[2] / "examples" / "audio"
SOURCE, TEXT = AUDIO / "source.flac", (AUDIO / "source.txt").read_text().strip()
WORDS = [word.strip(",.?") for word in TEXT.split()]
needs_weights = pytest.mark.skipif(not shipped("recogniser").exists(), reason="the recogniser's weights are not there")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch):
    """The example measured and aligned without the recogniser; remembers the options."""
    from prosody_transfer.alignment.base import align_text, get_aligner
    from prosody_transfer.analysis import analyse as module
    from prosody_transfer.analysis.pieces import Piece
    from prosody_transfer.analysis.recorded import Recorded
    from prosody_transfer.analysis.source import SourceAlignment
    from prosody_transfer.audio.io import read_audio
    from prosody_transfer.audio.levelling import Levelled, SourceLevel
    from prosody_transfer.core.config import MelConfig
    from prosody_transfer.features.extract import extract

    asked: dict = {}

    def fake(source: Path, **options: object) -> module.Analysis:
        waveform = read_audio(source, 24000).waveform
        asked.update(options)
        found = align_text(get_aligner(), waveform, 24000, TEXT)
        size, heard = len(waveform), SourceAlignment(found, [found], "text", TEXT, ["a warning"])
        levelled = Levelled(waveform, SourceLevel(0.0, 24000, size))
        pieces = [Piece(0, size, 0, extract(waveform, MelConfig()))]
        return module.Analysis(Recorded(24000, size), waveform, levelled, pieces, heard)

    monkeypatch.setattr(module, "measure", fake)
    return asked


def test_align_as_a_table(ptx, measured) -> None:
    result = ptx("align", SOURCE, "--text", TEXT, "--no-check")
    assert result.exit_code == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["START", "END", "PHONE", "WORD"] and rows[1][2] == "SIL"
    assert "train" in [row[3] for row in rows if len(row) == 4]
    assert measured["text"] == TEXT and measured["settings"].check_transcript is False
    assert result.stderr == f"ptx: note: {SOURCE}: a warning\n"


def test_align_writes_a_textgrid(ptx, measured, tmp_path: Path) -> None:
    from prosody_transfer.alignment.textgrid import read_textgrid

    output = tmp_path / "src.TextGrid"
    result = ptx("align", SOURCE, "--text", TEXT, "-o", output)
    assert result.exit_code == 0, result.stderr
    assert [w.word for w in read_textgrid(output).words] == WORDS
    again = ptx("align", SOURCE, "--text", TEXT, "-o", output)
    assert again.exit_code == 5 and "--force" in again.stderr
    assert ptx("align", SOURCE, "--text", TEXT, "-o", output, "--force").exit_code == 0


def test_align_as_json(ptx, measured) -> None:
    report = json.loads(ptx("align", SOURCE, "--json").stdout)
    assert [w["word"] for w in report["words"]] == WORDS
    assert report["phones"][0]["start"] == 0 and abs(report["phones"][-1]["end"] - report["seconds"]) < 1e-3
    assert report["words_from"] == "text" and report["aligner"] == "pocketsphinx"
    assert report["warnings"] == ["a warning"]


def test_features_as_csv_and_json(ptx, measured, tmp_path: Path) -> None:
    table, numbers = tmp_path / "src.csv", tmp_path / "src.json"
    assert ptx("features", SOURCE, "-o", table).exit_code == 0
    assert ptx("features", SOURCE, "-o", numbers).exit_code == 0
    rows, report = list(csv.DictReader(table.open())), json.loads(numbers.read_text())
    assert len(rows) == len(report["frames"]["time_s"]) == len(report["frames"]["f0_hz"])
    assert {row["word"] for row in rows} - {""} == set(WORDS)
    voiced = [row for row in rows if row["f0_hz"]]
    assert 0.2 < len(voiced) / len(rows) < 0.9 and all(50 < float(row["f0_hz"]) < 600 for row in voiced)
    ordered = sorted(float(row["f0_hz"]) for row in voiced)
    assert report["f0_median_hz"] == pytest.approx(ordered[len(ordered) // 2], rel=0.02)
    assert json.loads(ptx("features", SOURCE, "--json").stdout) == report


def test_features_as_a_summary_and_a_picture(ptx, measured, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert "median F0" in ptx("features", SOURCE).stdout
    picture = tmp_path / "prosody.png"
    result = ptx("features", SOURCE, "--plot", picture)
    assert result.exit_code == 0, result.stderr
    assert picture.read_bytes().startswith(b"\x89PNG") and str(picture) in result.stdout
    assert ptx("features", SOURCE, "--plot", picture).exit_code == 5


@pytest.mark.parametrize("verb", ["align", "features"])
def test_they_offer_what_measure_takes(verb: str) -> None:
    from importlib import import_module

    from prosody_transfer.analysis.analyse import measure
    from prosody_transfer.analysis.settings import AnalysisSettings

    options = inspect.signature(getattr(import_module(f"prosody_transfer.cli.{verb}"), verb)).parameters
    wanted = {n: p.default for n, p in inspect.signature(measure).parameters.items() if n not in ("path", "settings")}
    wanted |= AnalysisSettings().to_dict()
    own = {"source", "output", "json", "overwrite"} | ({"plot", "live", "input_rate"} & set(options))
    assert set(options) - set(wanted) == own
    assert all(options[name].default == default for name, default in wanted.items())


@pytest.mark.parametrize("verb", ["align", "features"])
@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["nowhere.wav"], 3, "no such file"),
        ([SOURCE, "-o", "x.doc"], 5, "x.doc"),
        ([SOURCE, "--aligner", "x"], 2, "viter"),
        ([SOURCE, "--text", "a", "--transcript", "b"], 2, "--text"),
    ],
)
def test_bad_input(verb: str, arguments: list, code: int, named: str, ptx, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = ptx(verb, *arguments)
    assert result.exit_code == code, result.stderr
    assert result.stderr.startswith("ptx: ") and result.stderr.count("\n") == 1 and named in result.stderr
    assert result.stdout == "" and list(tmp_path.iterdir()) == []


@needs_weights
def test_a_wrong_transcript_is_refused(ptx) -> None:
    result = ptx("align", SOURCE, "--text", "An entirely different sentence about nine green bottles on a wall.")
    assert result.exit_code == 4, result.stdout
    assert "does not match" in result.stderr and result.stderr.count("\n") == 1 and SOURCE.name in result.stderr


@needs_weights
def test_the_sidecar_is_found(ptx) -> None:
    report = json.loads(ptx("align", SOURCE, "--json").stdout)
    assert report["words_from"] == "sidecar" and report["text"] == TEXT


def test_speakers(ptx) -> None:
    table = ptx("speakers").stdout.splitlines()
    voices = json.loads(ptx("speakers", "--json").stdout)
    assert len(table) == len(voices) + 1
    assert {"alice", "kathleen"} <= {v["name"] for v in voices}
    assert [v["name"] for v in voices if not v["synthetic"]] == ["kathleen"]
    assert all(v["licence"] and v["provenance"] for v in voices)
    assert all(v["f0_low_hz"] < v["f0_median_hz"] < v["f0_high_hz"] for v in voices)


def test_doctor_says_what_is_there(ptx) -> None:
    result = ptx("doctor", "--json")
    report = json.loads(result.stdout)
    checks = {check["name"]: check for check in report["checks"]}
    assert {"python", "torch", "devices", "voices", "aligner pocketsphinx", "aligner mfa", *NEEDED} <= set(checks)
    assert checks["torch"]["works"] and checks["aligner pocketsphinx"]["works"]
    assert "x real time" in checks["runtime onnx"]["found"] and checks["runtime torch"]["works"]
    assert all(check["works"] or check["remedy"] for check in checks.values())
    assert result.exit_code == (0 if report["ready"] else 7)
    assert report["ready"] == all(c["works"] for c in checks.values() if c["needed"])


def test_doctor_ends_with_7_when_transfers_cannot_run(ptx, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Check("torch", False, True, "OSError: no such library", "pip install torch==2.13.0")
    monkeypatch.setattr("prosody_transfer.cli._checks._torch", lambda: broken)
    result = ptx("doctor")
    assert result.exit_code == 7
    assert "MISSING  torch" in result.stdout and "pip install torch==2.13.0" in result.stdout
    assert "Traceback" not in result.stderr


def test_doctor_knows_every_dependency() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    bare = lambda lines: {re.split("[><=]", line)[0].strip() for line in lines}
    assert bare(project["dependencies"]) == {*NEEDED}
    for extra, modules in EXTRAS.items():
        assert bare(project["optional-dependencies"][extra]) == {PACKAGES[name] for name in modules}


@pytest.mark.parametrize("kind", ["copycat", "vocoder", "recogniser"])
def test_train_passes_its_options_on(kind: str, ptx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prosody_transfer.training import commands

    real = commands.train
    asked: dict = {}

    def fake(kind: str, config: Path, **options: object) -> Path:
        asked.update(options, kind=kind, config=config)
        asked["on_event"]("prepare", 1, 2, {})
        asked["on_event"]("train", 25, 50, {"loss": 0.5})
        return tmp_path / "model.safetensors"

    monkeypatch.setattr(commands, "train", fake)
    result = ptx("train", kind, "a.toml", "--resume", "--run-dir", tmp_path, "--max-minutes", "2", "--device", "cuda")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'model.safetensors'}\n"
    assert "train 25/50  loss 0.5" in result.stderr
    assert set(asked) == set(inspect.signature(real).parameters)
    assert asked["kind"] == kind
    assert (asked["resume"], asked["max_minutes"], asked["device"]) == (True, 2.0, "cuda")


def test_train_without_a_config(ptx, tmp_path: Path) -> None:
    result = ptx("train", "copycat", tmp_path / "no.toml")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and "no.toml" in result.stderr
