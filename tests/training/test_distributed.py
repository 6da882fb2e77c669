"""Two processes that train one network take the steps that one alone would take."""

from __future__ import annotations

import csv
import math
from copy import deepcopy

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import UsageError
from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.models.recogniser.network import RecogniserConfig
from prosody_transfer.models.recogniser.task import RecogniserTask, RecogniserTaskConfig
from prosody_transfer.models.vocoder.network import VocoderConfig
from prosody_transfer.models.vocoder.task import VocoderTask, VocoderTaskConfig
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.training import distributed
from prosody_transfer.training.loop import LoopConfig, Trainer, run

SMALL = CopyCatConfig(
    speakers=("one", "two"), phone_channels=16, phone_layers=1, channels=24, layers=2, speaker_channels=8,
    reference_channels=16, reference_layers=1, source_channels=8, latent_channels=2,
)  # fmt: skip
LEVELS = {"one": math.log(115.0), "two": math.log(200.0)}
LOOP = LoopConfig(total_steps=8, warmup_steps=2, log_steps=1, precision="float32")


def copycat(cache, batch_size: int = 4) -> CopyCatTask:
    """Crops longer than the recordings, so that processes have unlike numbers of real frames and voiced frames."""
    torch.manual_seed(0)
    settings = CopyCatTaskConfig(batch_size=batch_size, crop_frames=130, adversary_weight=0.1)
    return CopyCatTask(SMALL, settings, *cache, LEVELS)


def vocoder(cache) -> VocoderTask:
    torch.manual_seed(0)
    return VocoderTask(VocoderConfig(channels=8, layers=1), VocoderTaskConfig(batch_size=3, crop_frames=24), *cache)


def recogniser(cache) -> RecogniserTask:
    torch.manual_seed(0)
    settings = RecogniserTaskConfig(batch_size=3, crop_frames=160)
    return RecogniserTask(RecogniserConfig(channels=8, layers=1), settings, *cache)


def train(task, folder, **how) -> None:
    with distributed.joined():
        run(Trainer(task, LOOP, folder), **how)


def rows(folder):
    return list(csv.DictReader((folder / "log.csv").open()))


@pytest.mark.parametrize("make", [copycat, vocoder, recogniser])
def test_two_processes_have_the_loss_curve_of_one(make, fake_cache, tmp_path, together):
    task = make(fake_cache)
    train(deepcopy(task), tmp_path / "one")
    together(train, task, tmp_path / "two")
    one, two = rows(tmp_path / "one"), rows(tmp_path / "two")
    assert [r["step"] for r in one] == [r["step"] for r in two] == [str(i) for i in range(1, 9)]
    for left, right in zip(one, two, strict=True):
        for name in set(left) - {"seconds", "speech_hours_per_hour", "norm"}:  # a gradient has no curve to speak of
            assert float(left[name]) == pytest.approx(float(right[name]), rel=2e-3, abs=2e-3), (name, left["step"])
    assert float(one[0]["loss"]) == pytest.approx(float(two[0]["loss"]), rel=1e-4), "the first step is the same one"
    assert float(one[0]["norm"]) == pytest.approx(float(two[0]["norm"]), rel=1e-3), "and so is its gradient"
    if make is vocoder:  # its phases make gradients of nearly nothing, whose signs are chance, and Adam steps by signs
        return
    weights = [load_checkpoint(tmp_path / f / "model.safetensors", task.kind)[0] for f in ("one", "two")]
    moved = max((weights[0][k] - v).abs().max() for k, v in task.network.state_dict().items())
    apart = max((weights[0][k] - v).abs().max() for k, v in weights[1].items())
    assert apart < 0.2 * moved
    assert not list(tmp_path.rglob("*.part")) and len(list((tmp_path / "two").iterdir())) == 3


def test_processes_go_on_from_a_checkpoint(fake_cache, tmp_path, together):
    """Straight through, or in two parts: the same bits. Also from one process to two."""
    task = copycat(fake_cache)
    together(train, task, tmp_path / "straight")
    stopped = lambda task, folder: train(task, folder, max_minutes=0.0)
    together(stopped, task, tmp_path / "parts")
    assert len(rows(tmp_path / "parts")) == 1
    together(lambda *what: train(*what, resume=True), task, tmp_path / "parts")
    straight, parts = (load_checkpoint(tmp_path / f / "state.safetensors", "copycat-training")[0]
                       for f in ("straight", "parts"))  # fmt: skip
    assert set(straight) == set(parts) and all(torch.equal(v, parts[k]) for k, v in straight.items())
    assert [r["step"] for r in rows(tmp_path / "parts")] == [str(i) for i in range(1, 9)]


def test_a_batch_too_small_to_share(fake_cache, tmp_path, together):
    def refused(task, folder) -> None:
        with pytest.raises(UsageError, match="a batch of 1 cannot be shared by 2 processes"):
            train(task, folder)

    together(refused, copycat(fake_cache, batch_size=1), tmp_path)


def test_one_asked_to_stop_stops_all(fake_cache, tmp_path, together):
    """Only one process hears the signal, as when a machine is told to go down."""

    def stop(step: int, figures: dict[str, float]) -> None:
        import os
        import signal

        if step == 3 and distributed.rank() == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    together(lambda *what: train(*what, on_step=stop), copycat(fake_cache), tmp_path)
    assert load_checkpoint(tmp_path / "state.safetensors", "copycat-training")[1]["step"] == 3


def test_alone_everything_is_itself(fake_cache):
    value = torch.tensor([1.0, 2.0])
    assert distributed.total(value) is value and distributed.shared_mean(value, 3) is value
    assert distributed.shared_norm(value) == torch.linalg.norm(value)
    assert distributed.part(value) is value and (distributed.rank(), distributed.size()) == (0, 1)
    assert distributed.any_of(True) and not distributed.any_of(False)
    batch = copycat(fake_cache).batch(np.random.default_rng(0), 0)
    assert distributed.part(batch) is batch


def test_sums_over_processes_and_their_gradients(tmp_path, together):
    """By hand: rows 1, 2, 3 are shared as [1] and [2, 3]; their mean is 2, and d(sum of squares)/dx = 2x."""

    def check() -> None:
        with distributed.joined():
            mine = distributed.part(torch.tensor([1.0, 2.0, 3.0])).requires_grad_()
            assert mine.tolist() == ([1.0] if distributed.rank() == 0 else [2.0, 3.0])
            assert distributed.shared_mean(mine.mean(), len(mine)).item() == pytest.approx(2.0)
            assert distributed.shared_norm(mine).item() == pytest.approx(math.sqrt(14))
            distributed.total(mine.square().sum()).backward()  # times 2 processes, as gradients are averaged afterwards
            assert mine.grad.tolist() == [4 * x for x in mine.tolist()]
            assert distributed.any_of(distributed.rank() == 1)
            with distributed.apart():
                assert distributed.size() == 1 and distributed.total(mine) is mine
            assert distributed.is_leader() == (distributed.rank() == 0)

    together(check)
