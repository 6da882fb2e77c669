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
from prosody_transfer.store.voices import VoiceInfo

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
        voice = VoiceInfo(
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


def test_purposes_are_shown_where_a_voice_is_used_and_the_checksum_is_called_one(ptx, voices, capsys):
    speakers()
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.endswith("AGREED PURPOSES")
    assert [row for row in rows if row.startswith("jane")][0].endswith("audiobooks; tests")
    speakers(json=True)
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert found["jane"]["purposes"] == ["audiobooks", "tests"] and "purposes" not in found["alice"]
    assert "a checksum against accidents, not a signature" in ptx("show", "jane").stdout
    guide = (Path(__file__).parents[2] / "docs" / "voices.md").read_text()
    assert "checksums against accidents, not signatures" in guide


def test_an_ended_consent_can_be_edited_back_which_is_why_it_is_called_a_checksum(ptx, voices):
    """Nothing hinders it; the documents must not say that something does."""
    record, consent = ((voices / "joe" / f"{name}.json") for name in ("voice", "consent"))
    consent.write_text(consent.read_text().replace("2020-12-31", "2999-12-31"))
    assert ptx("show", "joe").exit_code == 6, "an accident is found"
    changed = Consent(who="Joe Doe", purposes=("tests",), date="2020-01-01", until="2999-12-31")
    record.write_text(record.read_text().replace(OVER.fingerprint(), changed.fingerprint()))
    assert ptx("show", "joe").exit_code == 0


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


def not_accepted(voices: Path, name: str = "jane") -> None:
    path = voices / name / "voice.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "failed": ["outputs reach 0.40, not 0.85"]}))
    (voices / name / "test.html").write_text("why")


def test_every_command_knows_a_voice_that_is_not_accepted(ptx, voices, tmp_path, capsys):
    not_accepted(voices)
    assert any(line.split()[0] == "jane" and line.endswith("not accepted") for line in ptx("list").stdout.splitlines())
    rows = {row["name"]: row for row in json.loads(ptx("list", "--json").stdout)}
    assert not rows["jane"]["accepted"] and rows["alice"]["accepted"]
    shown = ptx("show", "jane").stdout
    assert "outputs reach 0.40, not 0.85" in shown and str(voices / "jane" / "test.html") in shown
    result = ptx("export", "jane", "-o", tmp_path / "jane.ptxvoice")
    assert result.exit_code == 2 and "ptx voice accept jane" in result.stderr and result.stderr.count("\n") == 1
    speakers(json=True)
    assert "jane" not in {row["name"] for row in json.loads(capsys.readouterr().out)}, "it cannot speak"
    assert ptx("remove", "jane", "--yes").exit_code == 0 and sorted(p.name for p in voices.iterdir()) == ["joe"]


def test_transfer_refuses_it_in_one_line_before_any_work(voices, tmp_path, monkeypatch):
    from prosody_transfer.cli.app import app as main

    not_accepted(voices)
    (tmp_path / "a.wav").write_bytes(b"no sound is looked at")
    result = CliRunner().invoke(
        main, ["transfer", str(tmp_path / "a.wav"), "--speaker", "jane", "--voices", str(voices)]
    )
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "jane: the voice was not accepted" in result.stderr and "ptx voice accept jane" in result.stderr


def test_accept(ptx, voices):
    not_accepted(voices)
    assert "accepted by Ann Lee on " in ptx("accept", "jane", "--by", "Ann Lee").stdout
    found = json.loads(ptx("accept", "jane", "--by", "Bob", "--json").stdout)
    assert found["accepted_by"] == "Ann Lee", "the first who takes it"
    assert any(line.split()[0] == "jane" and line.endswith("unlimited") for line in ptx("list").stdout.splitlines())
    not_accepted(voices, "joe")
    result = ptx("accept", "joe", "--by", "Ann Lee")
    assert result.exit_code == 2 and "until 2020-12-31" in result.stderr
    result = ptx("accept", "alice")
    assert result.exit_code == 2 and "is a shipped voice" in result.stderr


def test_accept_notes_who_is_logged_in(ptx, voices, monkeypatch):
    assert "nothing to accept" in ptx("accept", "jane").stdout
    not_accepted(voices)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    assert json.loads(ptx("accept", "jane", "--json").stdout)["accepted_by"] == "ann"


def test_a_record_that_no_text_can_hold_is_named_and_the_others_speak(ptx, voices, capsys):
    path = voices / "jane" / "voice.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "made": "\ud800"}))
    result = ptx("list")
    assert result.exit_code == 0 and "alice" in result.stdout and "joe" in result.stdout
    assert "jane" in result.stderr and result.stderr.count("\n") == 1
    assert ptx("show", "alice").exit_code == 0 and ptx("remove", "jane", "--yes").exit_code == 0


def test_a_transfer_names_a_damaged_voice_and_goes_on(voices, tmp_path, monkeypatch):
    import soundfile

    from prosody_transfer.cli.app import app as main
    from prosody_transfer.synthesis import transfer

    class Speaks:
        def __init__(self, *asked):
            pass

        def from_file_to_file(self, source, speaker, target, **more):
            facts = {"output": str(target), "input": str(source), "seconds": 1.0, "words_from": "text"}
            return type("Result", (), {"report": {**facts, "speaker": speaker, "real_time_factor": 0.1}})

    monkeypatch.setattr(transfer, "Transferer", Speaks)
    path = voices / "jane" / "voice.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "made": "\ud800"}))
    soundfile.write(tmp_path / "a.wav", [0.1] * 24000, 24000)
    command = ["transfer", str(tmp_path / "a.wav"), "--speaker", "alice", "--voices", str(voices)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0 and "a.alice.wav" in result.stdout, result.stderr
    assert result.stderr.count("\n") == 1 and "the voice jane cannot speak" in result.stderr


def test_what_an_interrupted_add_left_is_removed_after_asking(ptx, voices):
    (voices / ".ann.partial").mkdir()
    result = ptx("remove", "ann")
    assert result.exit_code == 2 and "--yes" in result.stderr and (voices / ".ann.partial").exists()
    assert ptx("remove", "ann", "--yes").exit_code == 0 and not (voices / ".ann.partial").exists()


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
    from prosody_transfer.voices import adapt

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
