"""The training loop on a task small enough to do it for real: learn, stop, resume, diverge."""

from __future__ import annotations

import csv
import os
import signal

import numpy as np
import pytest
import torch
from torch import nn

from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import ModelError
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.training.loop import LoopConfig, Trainer, learning_rate, run
from prosody_transfer.training.records import Records
from prosody_transfer.training.task import Task


class TinyConfig(Config):
    width: int = 8


class Tiny(Task):
    """Learn y = sin(2x) with dropout and a counting buffer, so that noise and buffers are part of the state."""

    kind, settings_class, task = "tiny", TinyConfig, TinyConfig()

    def __init__(self, width: int = 8, breaks_at: int = -1, infinite_gradient_at: int = -1) -> None:
        torch.manual_seed(5)
        self.config = TinyConfig(width=width)
        self.network = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Dropout(0.02), nn.Linear(width, 1))
        self.network.register_buffer("seen", torch.tensor(0))
        self.breaks_at, self.infinite_gradient_at = breaks_at, infinite_gradient_at

    def batch(self, rng: np.random.Generator, step: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(-1, 1, (32, 1))).float()

    def loss(self, batch, step, total_steps):
        self.network.seen += 1
        loss = (self.network(batch) - torch.sin(2 * batch)).square().mean()
        if step == self.breaks_at:
            loss = loss * float("nan")
        if step == self.infinite_gradient_at:  # a finite loss whose gradient is not: sqrt at zero
            loss = loss + torch.sqrt(self.network[0].weight.sum() * 0)
        return loss, {"half": loss.item() / 2}


def config(**changes) -> LoopConfig:
    return LoopConfig(**{"total_steps": 20, "warmup_steps": 4, "learning_rate": 1e-2, "log_steps": 5, **changes})


def state(folder):
    return load_checkpoint(folder / "state.safetensors", "tiny-training")


def assert_same(left, right) -> None:
    assert set(left) == set(right)
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def test_it_learns(tmp_path):
    seen = []
    path = run(
        Trainer(Tiny(), config(total_steps=150, learning_rate=5e-2), tmp_path),
        on_step=lambda step, figures: seen.append((step, figures)),
    )
    assert path == tmp_path / "model.safetensors"
    assert [s for s, _ in seen] == list(range(1, 151))
    assert set(seen[0][1]) == {"loss", "half", "norm"}
    first, last = (np.mean([f["loss"] for _, f in part]) for part in (seen[:5], seen[-20:]))
    assert last < 0.3 * first
    tensors, header = load_checkpoint(path, "tiny")
    network = Tiny().network
    network.load_state_dict(tensors)
    x = torch.linspace(-1, 1, 50)[:, None]
    assert (network.eval()(x) - torch.sin(2 * x)).square().mean() < 0.3 * first, "the averaged weights have learnt too"
    assert header["config"] == {"width": 8} and header["step"] == 150 and header["loop"]["total_steps"] == 150


def test_resuming_is_exact_to_the_bit(tmp_path):
    straight, parts = tmp_path / "straight", tmp_path / "parts"
    run(Trainer(Tiny(), config(), straight))

    def stop_at_ten(step, figures):
        if step == 10:
            os.kill(os.getpid(), signal.SIGINT)

    run(Trainer(Tiny(), config(), parts), on_step=stop_at_ten)
    assert state(parts)[1]["step"] == 10
    torch.manual_seed(99)  # another process would have other random numbers
    run(Trainer(Tiny(), config(), parts), resume=True)
    assert_same(state(straight)[0], state(parts)[0])
    assert_same(
        load_checkpoint(straight / "model.safetensors", "tiny")[0],
        load_checkpoint(parts / "model.safetensors", "tiny")[0],
    )
    assert any(k.startswith("optimiser.exp_avg.") for k in state(parts)[0])


def test_another_seed_is_another_run(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path / "a"))
    run(Trainer(Tiny(), config(seed=2), tmp_path / "b"))
    assert not torch.equal(state(tmp_path / "a")[0]["network.0.weight"], state(tmp_path / "b")[0]["network.0.weight"])


def test_a_nan_loss_stops_and_keeps_the_last_checkpoint(tmp_path):
    task = Tiny(breaks_at=7)
    with pytest.raises(ModelError, match="the loss is nan at step 7; the last good checkpoint is kept") as caught:
        run(Trainer(task, config(checkpoint_minutes=0.0), tmp_path))
    assert str(tmp_path) in str(caught.value)
    tensors, header = state(tmp_path)
    assert header["step"] == 7 and all(torch.isfinite(v).all() for v in tensors.values() if v.is_floating_point())
    run(Trainer(Tiny(), config(learning_rate=1e-3), tmp_path), resume=True)
    assert state(tmp_path)[1]["step"] == 20


def test_a_nan_gradient_keeps_the_last_checkpoint(tmp_path):
    with pytest.raises(ModelError):
        run(Trainer(Tiny(infinite_gradient_at=7), config(checkpoint_minutes=0.0), tmp_path))
    assert all(torch.isfinite(v).all() for v in state(tmp_path)[0].values() if v.is_floating_point())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_asked_to_stop_saves_first(tmp_path, number):
    before = signal.getsignal(number)
    path = run(
        Trainer(Tiny(), config(), tmp_path), on_step=lambda step, _: os.kill(os.getpid(), number) if step == 6 else None
    )
    assert path.exists() and state(tmp_path)[1]["step"] == 6
    assert signal.getsignal(number) is before, "the handlers are put back"


def test_time_can_run_out(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path), max_minutes=0.0)
    header = state(tmp_path)[1]
    assert header["step"] == 1 and header["seconds"] >= 0
    run(Trainer(Tiny(), config(), tmp_path), resume=True, max_minutes=10.0)
    assert state(tmp_path)[1]["step"] == 20


def test_a_run_is_never_overwritten(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path))
    old = (tmp_path / "state.safetensors").read_bytes()
    with pytest.raises(ModelError, match="already holds a run; give --resume to continue it, or another folder"):
        run(Trainer(Tiny(), config(), tmp_path))
    assert (tmp_path / "state.safetensors").read_bytes() == old
    run(Trainer(Tiny(), config(), tmp_path), resume=True)  # finished: nothing is left to do
    assert state(tmp_path)[1]["step"] == 20


def test_another_network_is_refused(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path))
    with pytest.raises(ModelError, match="was trained with other network settings"):
        run(Trainer(Tiny(width=9), config(), tmp_path), resume=True)


def test_a_damaged_state_is_refused(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path))
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ModelError, match="damaged"):
        run(Trainer(Tiny(), config(), tmp_path), resume=True)


def test_resume_without_a_run_starts_one(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path / "new"), resume=True)
    assert state(tmp_path / "new")[1]["step"] == 20


def test_facts_are_kept(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path, {"data": {"utterances": 3}}))
    assert load_checkpoint(tmp_path / "model.safetensors", "tiny")[1]["data"] == {"utterances": 3}


def test_the_log(tmp_path):
    run(Trainer(Tiny(), config(), tmp_path))
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [r["step"] for r in rows] == ["5", "10", "15", "20"]
    assert set(rows[0]) == {"step", "seconds", "loss", "half", "norm"}
    assert float(rows[0]["half"]) == pytest.approx(float(rows[0]["loss"]) / 2, rel=1e-3)


def test_learning_rate_schedule():
    settings = config(total_steps=100, warmup_steps=10, learning_rate=1.0, final_rate=0.1)
    rates = [learning_rate(settings, s) for s in range(120)]
    assert rates[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert (
        rates[10] == pytest.approx(1.0)
        and rates[55] == pytest.approx(0.55)
        and rates[100:] == pytest.approx([0.1] * 20)
    )
    assert all(a >= b for a, b in zip(rates[10:], rates[11:], strict=False))
    assert learning_rate(config(total_steps=5, warmup_steps=50), 4) < 1e-2


class Exploding(Tiny):
    """Learns, until its loss is multiplied by 100 from some step on."""

    def __init__(self, explodes_at: int, lasts: int = 10**6) -> None:
        super().__init__()
        self.explodes_at, self.lasts = explodes_at, lasts

    def loss(self, batch, step, total_steps):
        loss, figures = super().loss(batch, step, total_steps)
        factor = 100.0 if self.explodes_at <= step < self.explodes_at + self.lasts else 1.0
        return (loss + 0.1) * factor, figures


def test_an_explosion_stops_and_never_replaces_the_good_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("prosody_transfer.training.watch.WINDOW", 20)
    settings = config(total_steps=60, checkpoint_minutes=0.0)
    with pytest.raises(ModelError, match="the loss has exploded: .* times what it was") as caught:
        run(Trainer(Exploding(35), settings, tmp_path))
    assert "the last good checkpoint is kept (state.safetensors, step 35)" in str(caught.value)
    assert state(tmp_path)[1]["step"] == 35 and state(tmp_path)[1]["loss_level"] < 0.6
    again = Trainer(Exploding(35), settings, tmp_path)
    again.resume()
    assert again.watch.level == state(tmp_path)[1]["loss_level"]
    with pytest.raises(ModelError, match="exploded"):  # the same again: the level is known, so it is noticed at once
        run(Trainer(Exploding(35), settings, tmp_path), resume=True)
    run(Trainer(Exploding(10**6), settings, tmp_path), resume=True)
    assert state(tmp_path)[1]["step"] == 60


def test_one_odd_batch_is_no_explosion(tmp_path):
    run(Trainer(Exploding(130, lasts=3), config(total_steps=150), tmp_path))
    assert state(tmp_path)[1]["step"] == 150
    with pytest.raises(ModelError, match="there is no checkpoint yet: start again with a lower learning_rate"):
        run(Trainer(Tiny(breaks_at=3), config(), tmp_path / "other"))


def test_how_it_ended(tmp_path):
    trainer = Trainer(Tiny(), config(), tmp_path)
    run(trainer, max_minutes=0.0)
    assert trainer.ending == "time"
    run(trainer, resume=True, on_step=lambda step, _: os.kill(os.getpid(), signal.SIGINT) if step == 6 else None)
    assert trainer.ending == "asked"
    run(trainer, resume=True)
    assert trainer.ending == "finished"


def test_the_header_says_how_it_was_made(tmp_path):
    header = load_checkpoint(run(Trainer(Tiny(), config(seed=4), tmp_path)), "tiny")[1]
    assert header["loop"]["seed"] == 4 and header["seconds"] >= 0
    assert {"ptx", "torch"} <= set(header["made_with"])


def test_throughput_counts_speech(tmp_path):
    task = Tiny()
    task.speech_seconds = lambda batch: 36.0
    told = []
    run(Trainer(task, config(), tmp_path), on_step=lambda step, figures: told.append(figures))
    assert {"loss", "half", "norm", "speech_hours_per_hour"} == set(told[0])
    trainer = Trainer(Tiny(), config(log_steps=2), tmp_path / "by hand")
    records = Records(trainer)
    for step, speech, seconds, rate in ((1, 20.0, 2.0, 10.0), (2, 20.0, 6.0, 40 / 8), (3, 30.0, 3.0, 10.0)):
        trainer.step, trainer.speech_seconds = step, trainer.speech_seconds + speech
        trainer.seconds += seconds
        assert records.add({"loss": 1.0})["speech_hours_per_hour"] == pytest.approx(rate), "since the last row"
