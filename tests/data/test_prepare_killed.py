"""kill -9 at any moment: the same command again finishes the work, as if nothing had been, and does nothing twice."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.corpus import examine
from prosody_transfer.corpus.prepare import prepare_corpus

COUNT = 16


def run(corpus: Path, out: Path, log: Path) -> None:
    """Prepare, and write down what is begun."""
    judge = examine._judge

    def noted(entry, setup):
        with open(log, "a") as file:
            file.write(entry.id + "\n")
        return judge(entry, setup)

    examine._judge = noted
    prepare_corpus(corpus, out, workers=1, recognise="none")


def begin(*args: Path) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=run, args=args)
    process.start()
    return process


def files(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.suffix != ".part"}


@pytest.fixture
def corpus(tmp_path, make_babble) -> Path:
    for i in range(COUNT):
        make_babble(tmp_path / "in" / f"{i:02}.wav", i)
    make_babble(tmp_path / "in" / "tiny.wav", 99, seconds=0.35)
    return tmp_path / "in"


def test_killed_five_times(corpus, tmp_path):
    log, out, rng = tmp_path / "log", tmp_path / "out", np.random.default_rng(6)
    run_whole = begin(corpus, tmp_path / "whole", tmp_path / "whole.log")
    run_whole.join(120)
    assert run_whole.exitcode == 0
    kills, before = 0, {}
    while kills < 5:
        process = begin(corpus, out, log)
        target = len(before) + int(rng.integers(1, 4))  # verdicts to wait for, then a moment more
        while process.is_alive() and len(list(out.glob("verdicts/*/*.json"))) < target:
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0, 0.04)))
        process.kill()
        process.join()
        kills += 1
        now = {p: p.stat().st_mtime_ns for p in out.glob("verdicts/*/*.json")}
        assert {p: now[p] for p in before} == before, "what was finished is not done again"
        assert not (out / "train.jsonl").exists() or len(now) == COUNT + 1
        before = now
    last = begin(corpus, out, log)
    last.join(120)
    assert last.exitcode == 0 and files(out) == files(tmp_path / "whole")
    begun = log.read_text().split()
    assert len(set(begun)) == COUNT + 1 and len(begun) <= COUNT + 1 + kills, "at most what was in hand is begun again"
