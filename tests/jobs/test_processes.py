"""Several processes: the same files as one, whoever dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from prosody_transfer.core.errors import AudioError, ModelError, PtxError
from prosody_transfer.jobs import losses

NAMES = ("a.wav", "poison.wav", "scene/b.wav", "scene/once.wav", "c.wav", "d.wav", "a.flac")


def test_processes_that_die_leave_the_same_files_as_one_process(make_takes, transfer, holds, said) -> None:
    paths = make_takes(*NAMES)
    (paths[0].parent / "bad.wav").write_bytes(b"no sound")
    paths.append(paths[0].parent / "bad.wav")
    good = [path for path in paths if path.stem not in ("poison", "once")]
    (paths[3].parent / "once.wav.tried").touch()
    alone = transfer([*good, paths[3]], "alone", workers=1)
    (paths[3].parent / "once.wav.tried").unlink()
    several = transfer(paths, "several", workers=2)
    assert holds("several") == holds("alone") and len(holds("alone")) == 10
    died = several.pop("poison.wav").failure
    assert isinstance(died, AudioError) and "poison.wav: its worker process died of it 2 times" in str(died)
    assert {name: said(done) for name, done in several.items()} == {name: said(done) for name, done in alone.items()}
    for name, told in (("bad.wav", "is not a sound file"), ("a.flac", "would be written to")):
        found, wanted = several[name].failure, alone[name].failure
        assert told in str(found) and type(found) is type(wanted)
        assert str(found).replace("several", "alone") == str(wanted)
    again = transfer(good, "several", workers=1)
    kinds = {name: done.state.kind for name, done in again.items() if done.state}
    assert kinds == dict.fromkeys(["a.wav", "b.wav", "c.wav", "d.wav"], "current")


def test_what_the_networks_refuse_ends_the_run(make_takes, transfer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        transfer(make_takes("a.wav"), "out", workers=2, model=tmp_path / "nowhere.safetensors")
    assert not list((tmp_path / "out").rglob("*"))


def test_where_no_process_lives_there_is_an_end(make_takes, transfer, fakes, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(losses, "MOST_IDLE", 1)
    with pytest.raises(PtxError, match="cannot be started"):
        transfer(make_takes("a.wav"), "out", workers=2, load=fakes.die)
    assert not list((tmp_path / "out").rglob("*"))
