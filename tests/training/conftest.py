"""A cache of four made-up utterances, measured and aligned; and other processes, to be killed or to train together."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.data.manifest import Row, cache_path
from prosody_transfer.features.cache import save_features, write_npz
from prosody_transfer.features.extract import extract, pad_to_frames


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


def babble(seed: int, f0: float, seconds: float) -> np.ndarray:
    """Vowel-like tones and bursts of noise in turn."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * 24000)) / 24000
    phase = 2 * np.pi * np.cumsum(f0 * 2 ** (0.2 * np.sin(2 * np.pi * 1.3 * t + seed))) / 24000
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    voiced = np.sin(2 * np.pi * 2 * t) > -0.5
    return (0.06 * np.where(voiced, tone, 0.3 * rng.standard_normal(len(t)))).astype(np.float32)


@pytest.fixture(scope="session")
def fake_cache(tmp_path_factory):
    """(rows, cache folder): speakers "one" and "two", two utterances of 1.2 s each."""
    cache, config = tmp_path_factory.mktemp("cache"), MelConfig()
    rows = []
    for number, (speaker, f0) in enumerate([("one", 110.0), ("one", 125.0), ("two", 210.0), ("two", 190.0)]):
        waveform = babble(number, f0, 1.2)
        features = extract(waveform, config)
        row = Row(id=f"u{number}", audio="nowhere.wav", speaker=speaker, text="a")
        pcm = np.round(pad_to_frames(waveform, config) * 32767).astype(np.int16)
        save_features(cache_path(cache, row), features, pcm)
        durations = np.full(8, features.n_frames // 8, np.int16)
        durations[-1] += features.n_frames - durations.sum()
        phones = np.array([0, 5, 12, 20, 33, 8, 15, 0], np.uint8)
        write_npz(
            cache_path(cache, row).with_suffix(".phones.npz"),
            phones=phones,
            stress=np.array([0, 1, 0, 2, 0, 0, 3, 0], np.uint8),
            durations=durations,
        )
        rows.append(row)
    return rows, cache


def in_another_process(function: Callable[..., Any], *args: Any) -> Any:
    """Run in a process of its own; a forked one has the parent's modules and fixtures."""
    process = multiprocessing.get_context("fork").Process(target=function, args=args)
    process.start()
    return process


def in_processes(function: Callable[..., Any], *args: Any, count: int = 2) -> None:
    """Run in `count` processes with what torchrun tells each; all must end well."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]

    def one(rank: int) -> None:
        os.environ.update(
            RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
        )
        function(*args)

    running = [in_another_process(one, rank) for rank in range(count)]
    for process in running:
        process.join(60)
    codes = [process.exitcode for process in running]
    for process in running:
        process.kill()
    assert codes == [0] * count, f"exit codes {codes}"


@pytest.fixture(scope="session")
def start():
    return in_another_process


@pytest.fixture(scope="session")
def together():
    return in_processes
