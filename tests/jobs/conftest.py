"""Runs into folders, and what is compared of them."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import soundfile

from prosody_transfer.jobs.tasks import Done, Sources
from prosody_transfer.synthesis.prosody import TransferSettings

RATE = 24000
PHONES = TransferSettings(recognise="phones")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """New processes find it too."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import jobs_fakes

    return jobs_fakes


@pytest.fixture
def make_takes(tmp_path: Path, make_murmur):
    def make(*names: str, seconds: float = 1.0) -> list[Path]:
        for i, name in enumerate(names):
            path = tmp_path / "takes" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, (1 - 0.01 * i) * make_murmur(seconds, i % 2), RATE)
        return [tmp_path / "takes" / name for name in names]

    return make


@pytest.fixture
def transfer(fakes: ModuleType, networks: Path, tmp_path: Path):
    """Runs a batch; gives what became of each recording, by name."""
    from prosody_transfer.jobs.transfer import transfer_sources

    def go(paths: list[Path], out: str, **options: Any) -> dict[str, Done]:
        told: dict[str, Done] = {}
        more = {"load": fakes.load, "model": networks / "copycat.safetensors",
                "vocoder": networks / "vocoder.safetensors", **options}  # fmt: skip
        on_done = more.pop("on_done", lambda done: None)

        def note(done: Done) -> None:
            assert done.path.name not in told, "told twice"
            told[done.path.name] = done
            on_done(done)

        part = Sources(paths, tmp_path / out, tmp_path / "takes")
        failed = transfer_sources([part], "alice", settings=PHONES, on_done=note, **more)
        assert {path.name for path, _ in failed} == {n for n, done in told.items() if done.failure is not None}
        return told

    return go


@pytest.fixture
def holds(tmp_path: Path):
    return lambda out: contents(tmp_path / out)


def contents(folder: Path) -> dict[str, Any]:
    """Every file by its name, hidden ones too; records without what tells of the disk alone."""
    found: dict[str, Any] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        found[name] = path.read_bytes()
        if path.parent.name == ".ptx" and path.suffix == ".json":
            record = json.loads(found[name])
            seen = {part: looks["sha256"] for part, looks in record["seen"].items() if part != "output"}
            found[name] = {**record, "seen": seen}
    return found


def report(done: Done) -> str:
    """As JSON, what does not depend on the machine's speed or on where the output is."""
    told = {k: v for k, v in (done.report or {}).items() if k not in ("real_time_factor", "output")}
    return json.dumps(told, default=lambda value: value.tolist())


@pytest.fixture
def said():
    return report
