"""Many threads at once, and processes that are forked after a transfer."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.synthesis.prosody import TransferSettings

TEXTS = (
    "Shall we take the train, or would you prefer to drive?", "Shall we take a train or would you prefer to drive",
    "Shall we take the train or would you rather drive", "Shall they take the train or would you prefer to drive",
)  # fmt: skip
UNCHECKED = TransferSettings(check_transcript=False)


def in_threads(count: int, function, items) -> list:
    """Results in order; all threads begin together."""
    gate = threading.Barrier(count)
    with ThreadPoolExecutor(count, initializer=gate.wait) as pool:
        return list(pool.map(function, items))


def test_eight_threads_say_what_one_says(make_tiny_transferer, networks: Path, clip):
    tiny = make_tiny_transferer(networks)  # fresh: the first use is raced for
    say = lambda k: tiny.from_audio(clip, 24000, ("alice", "emma")[k % 2], text=TEXTS[k % 4], settings=UNCHECKED)
    spoken = in_threads(8, say, range(24))
    for k in range(4):
        alone = say(k)
        for other in spoken[k::4]:
            assert other.alignment == alone.alignment and np.array_equal(other.waveform, alone.waveform)


def test_transferers_in_threads_do_not_disturb_each_other(make_tiny_transferer, networks: Path, clip):
    say = lambda k: make_tiny_transferer(networks).from_audio(clip, 24000, "alice", text=TEXTS[0], settings=UNCHECKED)
    first, *others = in_threads(8, say, range(8))
    assert all(np.array_equal(first.waveform, other.waveform) for other in others)


def test_the_shared_transferer_is_loaded_once(monkeypatch, tiny, clip):
    from prosody_transfer.synthesis import transfer

    made = []

    def slow(device):
        made.append(device)
        threading.Event().wait(0.05)
        return tiny

    monkeypatch.setattr(transfer, "_loaded", {})
    monkeypatch.setattr(transfer, "Transferer", slow)
    settings = TransferSettings(recognise="phones")
    in_threads(8, lambda k: transfer.from_audio(clip[:24000], 24000, "alice", settings=settings), range(8))
    assert made == ["cpu"]


def test_what_is_shared_is_used_by_one_at_a_time():
    shared, inside, most = Shared(list), [], []

    def use(k: int) -> None:
        with shared.use() as found:
            inside.append(k)
            most.append(len(inside))
            threading.Event().wait(0.002)
            inside.pop()
            found.append(k)

    in_threads(8, use, range(40))
    with shared.use() as found:
        assert sorted(found) == list(range(40)) and set(most) == {1}


def test_what_could_not_be_made_is_tried_again():
    attempts = iter((ValueError("not now"), None))

    def make() -> str:
        if error := next(attempts):
            raise error
        return "made"

    shared = Shared(make)
    with pytest.raises(ValueError, match="not now"), shared.use():
        pass
    with shared.use() as found:
        assert found == "made"


def forked(function, *args):
    """What `function` gives in a forked process; TimeoutError where it hangs."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply_async(function, args).get(60)


def _held(shared: Shared) -> object:
    with shared.use() as found:
        return found


def test_a_lock_that_another_thread_holds_is_free_after_a_fork():
    counter = iter(range(9))
    busy, idle, mortal = Shared(lambda: next(counter)), Shared(lambda: next(counter)), Shared(list, survives=False)
    assert _held(idle) == 0
    with mortal.use() as found:
        found.append("of the parent")
    with busy.use() as number:
        assert number == 1
        assert forked(_held, _Global.put("busy", busy)) == 2, "in use at that moment: it is made again"
        assert forked(_held, _Global.put("idle", idle)) == 0
        assert forked(_held, _Global.put("mortal", mortal)) == []


class _Global:
    """Hands a thing to a forked process by name: what is pickled is not what was forked."""

    kept: dict[str, Shared] = {}

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def put(cls, name: str, thing: Shared) -> _Global:
        cls.kept[name] = thing
        return cls(name)

    def use(self):
        return self.kept[self.name].use()


FORKING = """
import hashlib, multiprocessing, runpy, sys
from pathlib import Path
import prosody_transfer
from prosody_transfer.audio.io import read_audio
from prosody_transfer.synthesis.prosody import TransferSettings
import torch
torch.set_num_threads(2)
made = runpy.run_path(sys.argv[1])
tiny = made["load_tiny_transferer"](Path(sys.argv[2]))
clip = read_audio(made["EXAMPLE"], 24000).waveform
def say(text):
    result = tiny.from_audio(clip, 24000, "alice", text=text, settings=TransferSettings(check_transcript=False))
    return hashlib.sha256(result.waveform.tobytes()).hexdigest()
if __name__ == "__main__":
    texts = sys.argv[3:]
    torch.ones(400, 400) @ torch.ones(400, 400)  # wakes both threads
    torch.ones(3_000_000).exp().sum()
    before = [say(t) for t in texts]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        after = pool.map_async(say, texts).get(60)
        threads = pool.apply_async(torch.get_num_threads).get(60)
    print(before == after, threads, torch.get_num_threads())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_pool_forked_after_a_transfer_says_the_same(networks: Path):
    conftest = Path(__file__).parents[1] / "conftest.py"
    command = [sys.executable, "-c", FORKING, str(conftest), str(networks), *TEXTS]
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment)
    assert done.stdout.split() == ["True", "1", "2"], done.stderr
    assert not done.stderr.strip()


def test_networks_on_a_gpu_are_refused_in_a_forked_process(tiny, clip, monkeypatch):
    monkeypatch.setattr(tiny, "_process", os.getpid() + 1)
    with pytest.raises(UsageError, match='start processes with "spawn"'):
        tiny.from_audio(clip, 24000, "alice", text=TEXTS[0], settings=UNCHECKED, measure_output=False)


@pytest.mark.parametrize(("given", "set_to"), [
    ({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active"), ({"GOMP_SPINCOUNT": "100"}, "None"),
])  # fmt: skip
def test_threads_that_wait_sleep_unless_the_user_says_otherwise(given, set_to):
    code = "import os, sys, prosody_transfer; print(os.environ.get('OMP_WAIT_POLICY'), 'torch' in sys.modules)"
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
    environment = {**{k: v for k, v in os.environ.items() if k not in names}, **given}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == [set_to, "False"]


SPINNING = """
import time, prosody_transfer, torch
torch.set_num_threads(2)
torch.ones(3_000_000).exp()
before = time.process_time()
for _ in range(40):
    torch.ones(100_000).exp()
    time.sleep(0.01)
print(time.process_time() - before)
"""


def test_a_second_thread_costs_nothing_between_two_pieces_of_work():
    """By default it spins for as long as nothing comes: about one CPU second for each second of waiting."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "KMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", SPINNING], capture_output=True, text=True, env=environment, check=True
    )
    assert float(done.stdout) < 0.2


def test_the_number_of_threads_does_not_change_a_sample():
    """A product by BLAS sums in another order with two threads than with one."""
    say = (
        "import hashlib, sys; from prosody_transfer.synthesis.transfer import Transferer, TransferSettings as S;"
        "r = Transferer(runtime='onnx').from_file(sys.argv[1], 'alice', settings=S(check_transcript=False));"
        "print(hashlib.sha256(r.waveform.tobytes()).hexdigest())"
    )
    source = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"
    said = []
    for threads in "12":
        env = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", say, source], env=env, capture_output=True, text=True, check=True)
        said.append(done.stdout)
    assert said[0] == said[1] and len(said[0]) > 60
