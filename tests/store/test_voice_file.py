"""A voice handed on as one file: it comes out as it went in, or not at all."""

from __future__ import annotations

import json

import pytest
import torch

from prosody_transfer.core.errors import ModelError, OutputError, PtxError, UsageError
from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint
from prosody_transfer.store.consent import Consent
from prosody_transfer.store.voice_file import KIND, export_voice, import_voice
from prosody_transfer.store.voice_folder import read_voice, read_weights
from prosody_transfer.store.voices import user_voices

OVER = Consent(who="Jane Doe", purposes=("tests",), date="2020-01-01", until="2020-12-31")


@pytest.fixture
def exported(make_voice, tmp_path):
    make_voice()
    return export_voice("jane", tmp_path / "jane.ptxvoice", tmp_path / "voices")


def test_there_and_back(exported, tmp_path):
    own = import_voice(exported, tmp_path / "other")
    first = read_voice("jane", tmp_path / "voices")
    assert (own.record, own.consent) == (first.record, first.consent)
    mine, theirs = read_weights(own)[0], read_weights(first)[0]
    assert mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)
    again = load_checkpoint(export_voice("jane", tmp_path / "again.ptxvoice", tmp_path / "other"), KIND)
    assert again[1] == load_checkpoint(exported, KIND)[1]
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["jane"]


def test_nothing_is_overwritten_unless_asked(exported, tmp_path):
    with pytest.raises(OutputError, match="exists"):
        export_voice("jane", exported, tmp_path / "voices")
    with pytest.raises(OutputError, match="there is a voice 'jane'"):
        import_voice(exported, tmp_path / "voices")
    assert import_voice(exported, tmp_path / "voices", name="joan").voice.name == "joan"
    assert import_voice(exported, tmp_path / "voices", overwrite=True).voice.name == "jane"
    assert user_voices(tmp_path / "voices") == ["jane", "joan"]
    with pytest.raises(OutputError, match="ends with .ptxvoice"):
        export_voice("jane", tmp_path / "x.zip", tmp_path / "voices")


@pytest.mark.parametrize("at", [0, 9, 300, 2000, -2000, -1])
def test_a_changed_byte_is_noticed(exported, tmp_path, at):
    data = bytearray(exported.read_bytes())
    data[at] ^= 1
    exported.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        import_voice(exported, tmp_path / "other")
    assert "\n" not in str(caught.value) and not (tmp_path / "other").exists()


@pytest.mark.parametrize("size", [0, 7, 500, -1])
def test_a_file_that_is_cut_off(exported, tmp_path, size):
    exported.write_bytes(exported.read_bytes()[:size])
    with pytest.raises(ModelError):
        import_voice(exported, tmp_path / "other")
    with pytest.raises(ModelError, match="no such"):
        import_voice(tmp_path / "nowhere.ptxvoice", tmp_path / "other")


def forge(path, change=lambda header: header, tensors=None, kind=KIND):
    """The same file with other content and a checksum that is right."""
    kept, header = load_checkpoint(path, KIND)
    header = change(json.loads(json.dumps(header)))
    config = header.pop("config")
    save_checkpoint(path, kind, kept if tensors is None else tensors(kept), config, **header)


def rename(name):
    return lambda header: {**header, "voice": {**header["voice"], "voice": {**header["voice"]["voice"], "name": name}}}


@pytest.mark.parametrize("change", [
    *(rename(name) for name in ("../../up", "/abs", "a/b", "..", "alice", "con", "A", "")),
    lambda h: {**h, "voice": None}, lambda h: {**h, "voice": {}}, lambda h: {**h, "consent": {}},
    lambda h: {**h, "voice": {**h["voice"], "base": "0" * 64}}, lambda h: {**h, "voice": {**h["voice"], "version": 9}},
    lambda h: {**h, "consent": {**h["consent"], "until": "2099-01-01"}},
    lambda h: {**h, "voice": {**h["voice"], "phone_log_frames": ["a"]}},
    lambda h: {**h, "config": []},
])  # fmt: skip
def test_a_forged_header(exported, tmp_path, change):
    forge(exported, change)
    with pytest.raises(PtxError) as caught:
        import_voice(exported, tmp_path / "other")
    assert "\n" not in str(caught.value) and not (tmp_path / "other").exists() and not (tmp_path / "up").exists()


def test_forged_tensors_and_kinds(exported, tmp_path):
    forge(exported, tensors=lambda kept: {**kept, "phone_embedding.weight": torch.zeros(8, 40)})
    with pytest.raises(ModelError, match="phone_embedding.weight"):
        import_voice(exported, tmp_path / "other")
    forge(exported, kind="copycat")
    with pytest.raises(ModelError, match="holds a copycat"):
        import_voice(exported, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_pickle_is_no_voice(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "evil.ptxvoice").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ModelError, match="not a safetensors file"):
        import_voice(tmp_path / "evil.ptxvoice", tmp_path / "other")
    assert not (tmp_path / "ran").exists()


def test_a_consent_that_has_ended_goes_nowhere(make_voice, tmp_path, exported):
    make_voice("joe", consent=OVER)
    with pytest.raises(UsageError, match="until 2020-12-31"):
        export_voice("joe", tmp_path / "joe.ptxvoice", tmp_path / "voices")

    def older(header):
        return {**header, "consent": OVER.to_dict(), "voice": {**header["voice"], "consent": OVER.fingerprint()}}

    forge(exported, older)
    with pytest.raises(UsageError, match="until 2020-12-31"):
        import_voice(exported, tmp_path / "other")
