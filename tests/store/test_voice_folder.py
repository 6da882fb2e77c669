"""Voices of the user's on disk: named safely, read whole or refused, never mistaken for a shipped one."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import ModelError, OutputError, PtxError, UsageError
from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint
from prosody_transfer.store.consent import Consent
from prosody_transfer.store.voice_file import export_voice, import_voice
from prosody_transfer.store.voice_folder import (
    accept_voice,
    checksum,
    credit,
    read_voice,
    read_weights,
    remove_voice,
    renew,
)
from prosody_transfer.store.voice_moves import put_in_place
from prosody_transfer.store.voice_network import REFERENCES, ROW, adapted, read_references
from prosody_transfer.store.voices import all_voices, check_name, get_voice, list_voices, user_voices, voices_folder
from prosody_transfer.store.weights import load_network

OVER = Consent(who="Jane Doe", purposes=("tests",), date="2020-01-01", until="2020-12-31")


def test_what_is_written_is_read(make_voice, tmp_path, agreed):
    made = make_voice()
    own = read_voice("jane", tmp_path / "voices")
    assert own == made and own.consent == agreed
    assert own.facts()["consent"]["who"] == "Jane Doe" and not own.facts()["consent"]["expired"]
    assert {ROW, "head.bias"} < set(read_weights(own)[0])
    assert [v.name for v in all_voices(tmp_path / "voices")] == sorted(["jane", *(v.name for v in list_voices())])
    assert get_voice("jane", voices=tmp_path / "voices") == own.voice


def test_references_of_the_same_judge(make_voice, tmp_path):
    make_voice(**{REFERENCES: torch.eye(3)})
    root = tmp_path / "voices"
    assert read_references("jane", "", root) is None and read_references("nobody", "judge", root) is None
    weights = root / "jane" / "weights.safetensors"
    tensors, header = load_checkpoint(weights, "voice")
    save_checkpoint(weights, "voice", tensors, header["config"], judge="judge")
    record = root / "jane" / "voice.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "weights": checksum(weights)}))
    assert np.array_equal(read_references("jane", "judge", root), np.eye(3))
    assert read_references("jane", "another", root) is None


def test_where_voices_live(monkeypatch, tmp_path):
    monkeypatch.setenv("PTX_VOICES", str(tmp_path / "a"))
    assert voices_folder() == tmp_path / "a" and voices_folder("b").name == "b"
    monkeypatch.delenv("PTX_VOICES")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    if sys.platform == "linux":
        assert voices_folder() == tmp_path / "share" / "ptx" / "voices"
        monkeypatch.setenv("XDG_DATA_HOME", "relative")
        assert voices_folder().parts[-4:] == (".local", "share", "ptx", "voices")


@pytest.mark.parametrize("name", [
    "", ".", "..", "../up", "a/b", "a\\b", "/abs", "C:x", "con", "nul", "com1", "a.b", "-x", "x-", "_x", "Jane", "jané",
    "a" * 41, "a\0b", "a\nb", " a", "a b", "~", "*", "alice",
])  # fmt: skip
def test_hostile_names(name, tmp_path):
    with pytest.raises(UsageError) as caught:
        check_name(name)
    assert "\n" not in str(caught.value)
    for call in (read_voice, remove_voice):
        with pytest.raises(UsageError):
            call(name, tmp_path)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=50))
def test_a_name_that_passes_is_one_plain_folder(name):
    try:
        check_name(name)
    except UsageError:
        return
    assert name.isascii() and not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789_-") and 0 < len(name) <= 40
    assert os.path.basename(name) == name


def test_a_voice_that_may_not_speak_any_more(make_voice, tmp_path):
    make_voice(consent=OVER)
    with pytest.raises(UsageError, match="agreed to this voice until 2020-12-31; .*ptx voice renew jane"):
        get_voice("jane", voices=tmp_path / "voices")
    assert read_voice("jane", tmp_path / "voices").facts()["consent"]["expired"]
    with pytest.raises(UsageError, match="until 2020-12-31"):
        renew("jane", OVER, tmp_path / "voices")
    until = (datetime.date.today() + datetime.timedelta(days=3)).isoformat()
    again = Consent(who="Jane Doe", purposes=("tests",), date="2021-01-01", until=until)
    assert renew("jane", again, tmp_path / "voices").consent == again
    assert get_voice("jane", voices=tmp_path / "voices").name == "jane"


@pytest.mark.parametrize(("file", "change"), [
    ("voice.json", lambda data: {**data, "version": 2}),
    ("voice.json", lambda data: {**data, "format": "other"}),
    ("voice.json", lambda data: {**data, "mood": "good"}),
    ("voice.json", lambda data: {**data, "log_f0_median": 1e9}),
    ("voice.json", lambda data: {**data, "log_f0_median": float("nan")}),
    ("voice.json", lambda data: {**data, "voice": {**data["voice"], "name": "../up"}}),
    ("voice.json", lambda data: {**data, "voice": {**data["voice"], "name": "joan"}}),
    ("voice.json", lambda data: {**data, "voice": {**data["voice"], "accent": "a\nb"}}),
    ("voice.json", lambda data: {**data, "ptx": "\ud800"}),
    ("voice.json", lambda data: {**data, "measured": {"\ud800": 1}}),
    ("voice.json", lambda data: {**data, "failed": ["a\nb"]}),
    ("voice.json", lambda data: {**data, "failed": ["a"] * 21}),
    ("voice.json", lambda data: {**data, "accepted_by": "a" * 201}),
    ("consent.json", lambda data: {**data, "who": "\ud800"}),
    ("voice.json", lambda data: [data]),
    ("consent.json", lambda data: {**data, "until": "2999-01-01"}),
    ("consent.json", lambda data: {**data, "who": ""}),
    ("consent.json", lambda data: None),
])  # fmt: skip
def test_a_damaged_voice_is_refused_and_does_not_hide_the_others(make_voice, tmp_path, file, change):
    make_voice("joe")
    make_voice()
    path = tmp_path / "voices" / "jane" / file
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(ModelError) as caught:
        read_voice("jane", tmp_path / "voices")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    names = [v.name for v in all_voices(tmp_path / "voices")]
    assert "joe" in names and "jane" not in names
    remove_voice("jane", tmp_path / "voices")
    assert user_voices(tmp_path / "voices") == ["joe"]


KEYS = st.sampled_from(["voice", "format", "version", "base"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


@settings(deadline=None, max_examples=60)
@given(JSON)
def test_any_json_is_a_voice_or_one_line(data):
    from prosody_transfer.store.voice_folder import parse_record, parse_stored_consent

    for parse in (parse_record, parse_stored_consent):
        with pytest.raises(PtxError) as caught:
            parse(data, "x")
        assert "\n" not in str(caught.value)


def test_weights_of_another_voice_are_refused(make_voice, tmp_path):
    make_voice()
    other = make_voice("joe", **{"head.bias": torch.zeros(102).half()})
    weights = other.folder / "weights.safetensors"
    (tmp_path / "voices" / "jane" / "weights.safetensors").write_bytes(weights.read_bytes())
    with pytest.raises(ModelError, match="is not the file that voice.json means"):
        read_weights(read_voice("jane", tmp_path / "voices"))


def test_the_shipped_network_is_not_touched_and_its_voices_stay(base, make_voice):
    network = load_network("copycat", base)[0]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    own = make_voice()
    made = adapted(network, read_weights(own)[0], "x")
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert made.speaker_table.weight.shape[0] == 3 and network.speaker_table.weight.shape[0] == 2
    assert torch.equal(made.speaker_table.weight[:2], network.speaker_table.weight)
    frozen = [k for k in before if k.startswith(("phone_", "reference_", "unknown_", "source_"))]
    assert frozen and all(torch.equal(made.state_dict()[key], before[key]) for key in frozen)


@pytest.mark.parametrize("change", [
    {"phone_embedding.weight": torch.zeros(8, 40)}, {"speaker_table.weight": torch.zeros(2, 6)},
    {"head": torch.zeros(1)},
    {"head.bias": torch.zeros(3)}, {"head.bias": torch.full((102,), torch.nan)}, {"head.bias": torch.zeros(102).int()},
    {ROW: torch.zeros(7)}, {ROW: torch.full((6,), torch.inf)},
])  # fmt: skip
def test_tensors_that_no_voice_has(base, make_voice, change):
    own = make_voice(**change)
    with pytest.raises(ModelError):
        adapted(load_network("copycat", base)[0], read_weights(own)[0], "x")


def test_a_finished_folder_gets_its_name_in_one_step(tmp_path):
    for text in ("one", "two"):
        (tmp_path / "ready").mkdir()
        (tmp_path / "ready" / "f").write_text(text)
        put_in_place(tmp_path / "ready", tmp_path / "voice", replace=text == "two")
        assert (tmp_path / "voice" / "f").read_text() == text and not (tmp_path / "ready").exists()
    (tmp_path / "ready").mkdir()
    with pytest.raises(OutputError, match="exists"):
        put_in_place(tmp_path / "ready", tmp_path / "voice")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ready", "voice"]


def refused(root, name="jane", **more) -> None:
    """Make a voice one that has not passed its test."""
    path = root / name / "voice.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "failed": ["outputs reach 0.4, not 0.85"], **more}))


def test_a_voice_that_is_not_accepted_does_not_speak_until_somebody_takes_it(make_voice, tmp_path, agreed):
    make_voice()
    root = tmp_path / "voices"
    refused(root)
    (root / "jane" / "training").mkdir()
    (root / "jane" / "test.html").write_text("why")
    with pytest.raises(UsageError) as caught:
        get_voice("jane", voices=root)
    said = str(caught.value)
    assert said.startswith("jane: the voice was not accepted: outputs reach 0.4, not 0.85; see ") and "\n" not in said
    assert "ptx voice accept jane" in said and str(root / "jane" / "test.html") in said
    with pytest.raises(UsageError, match="not accepted"):
        export_voice("jane", tmp_path / "jane.ptxvoice", root)
    renew("jane", agreed, root)
    assert not read_voice("jane", root).accepted, "a new consent is no acceptance"
    own = accept_voice("jane", "  Ann \n Lee ", root)
    assert own == read_voice("jane", root) and get_voice("jane", voices=root) == own.voice
    facts = own.facts()
    assert facts["accepted"] and facts["accepted_by"] == "Ann Lee" and facts["failed"] and facts["page"]
    assert facts["accepted_on"] == datetime.date.today().isoformat() and not (root / "jane" / "training").exists()
    taken = import_voice(export_voice("jane", tmp_path / "jane.ptxvoice", root), root, name="joan")
    assert taken.record.accepted_by == "Ann Lee", "who took it travels with it"


def test_nobody_accepts_a_voice_whose_consent_has_ended_or_without_a_name(make_voice, tmp_path):
    make_voice(consent=OVER)
    refused(tmp_path / "voices")
    with pytest.raises(UsageError, match="until 2020-12-31"):
        accept_voice("jane", "Ann", tmp_path / "voices")
    for by in ("", " ", "a" * 201, "a\0b", "\ud800"):
        with pytest.raises(UsageError, match="--by"):
            accept_voice("jane", by, tmp_path / "voices")
    assert not read_voice("jane", tmp_path / "voices").record.accepted_by


def test_a_file_of_a_voice_that_is_not_accepted_is_not_taken_in(make_voice, tmp_path):
    make_voice()
    file, root = export_voice("jane", tmp_path / "jane.ptxvoice", tmp_path / "voices"), tmp_path / "other"
    tensors, header = load_checkpoint(file, "voice-export")
    facts = {key: header[key] for key in ("consent", "facts")}
    record = {**header["voice"], "failed": ["why"]}
    save_checkpoint(file, "voice-export", tensors, header["config"], voice=record, **facts)
    with pytest.raises(UsageError, match="was not accepted: why"):
        import_voice(file, root)
    assert user_voices(root) == []


def test_killed_between_two_renames_the_old_voice_comes_back(make_voice, tmp_path):
    root, old = tmp_path / "voices", tmp_path / "voices" / ".jane.old"
    own = make_voice()
    own.folder.rename(old)
    assert user_voices(root) == ["jane"] and read_voice("jane", root) == own and not old.exists()
    own.folder.rename(old)
    assert read_voice("jane", root) == own, "whoever looks first"
    shutil.copytree(own.folder, old)
    (old / "voice.json").write_text("the one before")
    assert read_voice("jane", root) == own and not old.exists(), "the new one was in place already"


def test_a_killed_replacement_leaves_one_whole_voice(make_voice, tmp_path, monkeypatch):
    """The process dies at each of the renames in turn."""
    root, rename = tmp_path / "voices", os.rename
    make_voice()
    for deadly in (1, 2, 3):
        make_voice("next")
        (root / "next").rename(tmp_path / "ready")
        calls = []

        def dying(source, target, calls=calls, deadly=deadly):
            calls.append(1)
            if len(calls) == deadly:
                raise SystemExit
            rename(source, target)

        with monkeypatch.context() as patch, contextlib.suppress(SystemExit):
            patch.setattr(os, "rename", dying)
            put_in_place(tmp_path / "ready", root / "jane", replace=True)
        assert user_voices(root) == ["jane"] and [p.name for p in root.iterdir()] == ["jane"]
        shutil.rmtree(tmp_path / "ready", ignore_errors=True)


@pytest.mark.parametrize("left", [".jane.old", ".jane.partial", ".jane.importing", ".jane.removed"])
def test_removing_removes_everything(make_voice, tmp_path, left):
    root = tmp_path / "voices"
    make_voice("joe")
    make_voice()
    shutil.copytree(root / "joe", root / left)
    remove_voice("jane", root)
    assert [p.name for p in root.iterdir()] == ["joe"]
    if left == ".jane.partial":
        shutil.copytree(root / "joe", root / left)
        remove_voice("jane", root)
        assert [p.name for p in root.iterdir()] == ["joe"], "one that was never finished, too"
        with pytest.raises(UsageError, match="you have no voice 'jane'"):
            remove_voice("jane", root)


def test_removing_killed_half_way_leaves_nothing_to_be_seen(make_voice, tmp_path, monkeypatch):
    from prosody_transfer.store import voice_moves

    root = tmp_path / "voices"
    make_voice("joe")
    make_voice()

    def die(*asked, **more):
        raise SystemExit

    with monkeypatch.context() as patch, contextlib.suppress(SystemExit):
        patch.setattr(voice_moves.shutil, "rmtree", die)
        remove_voice("jane", root)
    assert user_voices(root) == ["joe"] and [p.name for p in root.iterdir()] == ["joe"], "the next start cleans up"


def test_what_a_file_says_of_its_speaker(agreed):
    shipped = {v.name: v for v in list_voices()}
    assert "synthetic, nobody's voice" in credit(shipped["alice"]) and "Apache-2.0" in credit(shipped["alice"])
    assert "CC0" in credit(shipped["kathleen"]) and "a real person" in credit(shipped["kathleen"])
    assert agreed.line() in credit(shipped["kathleen"], agreed)


def test_listing_is_light(make_voice, tmp_path):
    make_voice()
    code = (
        "import sys; from prosody_transfer.store.voices import all_voices; print([v.name for v in all_voices()][5:8])"
    )
    code += "\nprint([m for m in ('torch', 'numpy', 'safetensors') if m in sys.modules])"
    environment = {**os.environ, "PTX_VOICES": str(tmp_path / "voices")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert done.stdout == "['heart', 'jane', 'kathleen']\n[]\n", done.stderr
