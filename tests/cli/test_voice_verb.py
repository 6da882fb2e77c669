"""`ptx voice ...` over a tiny model: what is printed, asked and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from prosody_transfer.cli._options import complete_own_voice, complete_speaker
from prosody_transfer.cli.speakers import speakers
from prosody_transfer.cli.voice import app
from prosody_transfer.store import weights
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.consent import TEMPLATE, Consent
from prosody_transfer.store.voice_folder import VoiceRecord, checksum, write_folder
from prosody_transfer.store.voice_network import ROW
from prosody_transfer.store.voices import Voice

AGREED = Consent(who="Jane Doe", purposes=("audiobooks", "tests"), date="2024-01-31", until="unlimited")
OVER = Consent(who="Joe Doe", purposes=("tests",), date="2020-01-01", until="2020-12-31")


@pytest.fixture
def ptx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`ptx voice` with PTX_VOICES pointing at `tmp_path / "voices"`."""
    monkeypatch.setenv("PTX_VOICES", str(tmp_path / "voices"))
    return lambda *args, **more: CliRunner().invoke(app, [str(a) for a in args], prog_name="ptx voice", **more)


@pytest.fixture
def voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """jane, who agreed, and joe, whose consent has ended, for a tiny model in the shipped one's place."""
    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.models.copycat.network import CopyCat

    config = CopyCatConfig(speakers=("alice",), phone_channels=8, phone_layers=1, channels=8, layers=2,
                           speaker_channels=4, reference_channels=8, reference_layers=1, source_channels=4)  # fmt: skip
    base = tmp_path / "copycat.safetensors"
    save_checkpoint(base, "copycat", CopyCat(config).state_dict(), config.to_dict(), voices={"alice": {}})
    found = weights.shipped
    monkeypatch.setattr(weights, "shipped", lambda kind: base if kind == "copycat" else found(kind))
    for name, consent in (("jane", AGREED), ("joe", OVER)):
        voice = Voice(
            name=name, synthetic=False, accent="US English", gender="female", f0_median_hz=180.0, f0_low_hz=140.0,
            f0_high_hz=240.0, minutes=5.0, licence="by consent", provenance="recordings",
        )  # fmt: skip
        record = VoiceRecord(
            voice=voice, log_f0_median=5.19, phone_log_frames=(2.0,) * 40, base=checksum(base), weights="", consent="",
            made="2024-02-01", ptx="0.1.0", measured={"margin": 0.31},
        )  # fmt: skip
        write_folder(tmp_path / "voices" / name, record, consent, {ROW: torch.zeros(4)}, config.to_dict(), {})
    return tmp_path / "voices"


def test_list(ptx, voices):
    lines = ptx("list").stdout.splitlines()
    assert lines[0].split()[:2] == ["NAME", "FROM"]
    assert any(line.split()[:2] == ["jane", "you"] and line.endswith("unlimited") for line in lines)
    assert any(line.split()[:2] == ["joe", "you"] and line.endswith("2020-12-31 (over)") for line in lines)
    assert any(line.split()[:2] == ["kathleen", "ptx"] for line in lines)
    found = {row["name"]: row for row in json.loads(ptx("list", "--json").stdout)}
    assert found["joe"]["expired"] and not found["jane"]["expired"] and found["alice"]["from"] == "ptx"


def test_a_damaged_voice_is_named_and_the_others_listed(ptx, voices):
    (voices / "joe" / "voice.json").write_text("{")
    result = ptx("list")
    assert result.exit_code == 0 and "jane" in result.stdout and "joe" not in result.stdout
    assert "joe" in result.stderr and "damaged" in result.stderr and result.stderr.count("\n") == 1


def test_show(ptx, voices):
    shown = ptx("show", "jane").stdout
    assert all(word in shown for word in ("Jane Doe", "audiobooks, tests", "2024-01-31", "unlimited", "0.31"))
    assert json.loads(ptx("show", "joe", "--json").stdout)["consent"]["expired"] is True
    assert "nobody's voice" in ptx("show", "alice").stdout and "CC0 1.0" in ptx("show", "kathleen").stdout
    result = ptx("show", "jana")
    assert result.exit_code == 2 and "did you mean jane" in result.stderr


def test_export_import_remove(ptx, voices, tmp_path):
    file = tmp_path / "jane.ptxvoice"
    assert ptx("export", "jane", "-o", file).stdout.strip() == str(file)
    assert ptx("export", "jane", "-o", file).exit_code == 5
    result = ptx("import", file)
    assert result.exit_code == 5 and "--force" in result.stderr and "--name" in result.stderr
    imported = ptx("import", file, "--name", "joan", "--json")
    assert json.loads(imported.stdout)["consent"]["who"] == "Jane Doe"
    assert ptx("import", file, "--voices", tmp_path / "other").stdout.startswith("jane  Jane Doe agreed on 2024-01-31")
    result = ptx("remove", "joan")
    assert result.exit_code == 2 and "--yes" in result.stderr and (voices / "joan").exists()
    assert ptx("remove", "joan", "--yes").exit_code == 0 and not (voices / "joan").exists()
    result = ptx("remove", "alice", "--yes")
    assert result.exit_code == 2 and "is a shipped voice" in result.stderr
    for hostile in ("..", "../jane", "/", "."):
        result = ptx("remove", hostile, "--yes")
        assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert (voices / "jane").exists()


def test_renew(ptx, voices, tmp_path):
    (tmp_path / "c.txt").write_text("who: Joe Doe\npurposes: tests\ndate: 2024-01-01\nuntil: unlimited\n")
    assert (
        "joe  Joe Doe agreed on 2024-01-01, until unlimited"
        in ptx("renew", "joe", "--consent", tmp_path / "c.txt").stdout
    )
    assert not json.loads(ptx("show", "joe", "--json").stdout)["consent"]["expired"]


def test_no_voice_without_consent(ptx, voices, tmp_path):
    result = ptx("add", "ann", tmp_path)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith(TEMPLATE) and "without their consent none is added" in result.stderr
    (tmp_path / "c.txt").write_text(TEMPLATE)
    result = ptx("add", "ann", tmp_path, "--consent", tmp_path / "c.txt")
    assert result.exit_code == 2 and "template" in result.stderr
    for name in ("alice", "../up", "Ann"):
        assert ptx("add", name, tmp_path).exit_code == 2
    assert sorted(p.name for p in voices.iterdir()) == ["jane", "joe"]


def test_add_passes_everything_on(ptx, voices, tmp_path, monkeypatch):
    from prosody_transfer.store.voice_folder import read_voice
    from prosody_transfer.training import adapt

    asked = {}

    def fake(name, recordings, consent, gate, **more):
        asked.update(name=name, recordings=recordings, consent=consent, gate=gate, **more)
        return read_voice("jane", voices)

    monkeypatch.setattr(adapt, "add_voice", fake)
    (tmp_path / "c.txt").write_text("who: Jane Doe\npurposes: audiobooks; tests\ndate: 2024-01-31\nuntil: unlimited\n")
    result = ptx("add", "ann", tmp_path, "--consent", tmp_path / "c.txt", "--gender", "female", "--steps", "7",
                 "--max-minutes", "3", "--workers", "1", "--synthetic", "--json")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["name"] == "jane"
    assert asked["consent"] == AGREED and asked["max_minutes"] == 3 and asked["workers"] == 1
    settings = asked["settings"]
    assert (settings.gender, settings.steps, settings.synthetic) == ("female", 7, True)


def test_fisher_needs_to_know_where_things_are(ptx, tmp_path):
    result = ptx("fisher", tmp_path / "a.jsonl")
    assert result.exit_code == 2 and "--cache" in result.stderr


def test_the_shell_completes_own_voices(ptx, voices):
    assert complete_own_voice("j") == ["jane", "joe"]
    assert [name for name, _ in complete_speaker("ja")] == ["jane"]


def test_speakers_has_them_too(ptx, voices, capsys):
    speakers(json=True)
    assert {"jane", "alice"} <= {row["name"] for row in json.loads(capsys.readouterr().out)}
