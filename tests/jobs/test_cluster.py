"""A Dask scheduler's workers: one is killed, one recording kills two, and the files are those of one process."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from prosody_transfer.core.errors import AudioError, UsageError

NAMES = ("a.wav", "poison.wav", "slow.wav", "scene/b.wav", "c.wav")


@pytest.fixture
def address(fakes, monkeypatch: pytest.MonkeyPatch):
    """Of a scheduler with two workers, set as the guide says."""
    distributed = pytest.importorskip("distributed")
    import dask

    wanted = {"distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.allowed-failures": 2}
    with (
        dask.config.set(wanted),
        distributed.LocalCluster(
            2, threads_per_worker=1, memory_limit=None, dashboard_address=None, silence_logs=50
        ) as cluster,
    ):
        yield cluster.scheduler_address


def test_a_killed_worker_and_a_deadly_recording(make_takes, transfer, holds, said, address, monkeypatch) -> None:
    paths = make_takes(*NAMES)

    def kill() -> None:
        while not (begun := list(paths[2].parent.glob("slow.wav.begun-*"))):
            time.sleep(0.02)
        os.kill(int(begun[0].name.rpartition("-")[2]), signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    cluster = transfer(paths, "cluster", engine="dask", scheduler=address)
    killer.join(60)
    assert len(list(paths[2].parent.glob("slow.wav.begun-*"))) == 2, "by another process, once more"
    alone = transfer([path for path in paths if path.stem != "poison"], "alone")
    assert holds("cluster") == holds("alone") and len(holds("alone")) == 8
    died = cluster.pop("poison.wav").failure
    assert isinstance(died, AudioError) and "died of it 2 times" in str(died)
    assert {name: said(done) for name, done in cluster.items()} == {name: said(done) for name, done in alone.items()}


def test_where_no_scheduler_answers(make_takes, transfer, tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("distributed")
    from prosody_transfer.jobs import cluster

    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", "0.5s")
    for address in ("tcp://127.0.0.1:9", "nonsense://1", "no address at all"):
        with pytest.raises(UsageError, match="no Dask scheduler answers") as found:
            transfer(make_takes("a.wav"), "out", engine="dask", scheduler=address)
        assert found.value.place == "--scheduler"
    assert not (tmp_path / "out").exists()
