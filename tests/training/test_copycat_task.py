"""Self-transfer: what is dropped is dropped, the unknown source is learned, the latent holds its rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.training.loop import LoopConfig, Trainer, run

SMALL = CopyCatConfig(
    speakers=("one", "two"), phone_channels=16, phone_layers=1, channels=16, layers=2, speaker_channels=8,
    reference_channels=16, reference_layers=1, source_channels=8, latent_channels=2,
)  # fmt: skip
LEVELS = {"one": math.log(115.0), "two": math.log(200.0)}
NOTHING_DROPPED = {"drop_pitch": 0.0, "drop_energy": 0.0, "drop_latent": 0.0}


@pytest.fixture
def make(fake_cache):
    def made(**settings) -> CopyCatTask:
        torch.manual_seed(0)
        settings = {"batch_size": 3, "crop_frames": 64, **settings}
        return CopyCatTask(SMALL, CopyCatTaskConfig(**settings), *fake_cache, LEVELS)

    return made


def batch(task, seed=0):
    return task.batch(np.random.default_rng(seed), 0)


def gradients(task, a_batch) -> dict[str, float]:
    torch.manual_seed(1)
    loss, _ = task.loss(a_batch, 50, 100)
    loss.backward()
    return {k: 0.0 if p.grad is None else float(p.grad.abs().sum()) for k, p in task.network.named_parameters()}


@pytest.mark.parametrize(("aspect", "name"), [(0, "drop_pitch"), (1, "drop_energy"), (2, "drop_latent")])
def test_what_is_always_dropped_is_never_given(make, aspect, name):
    keep = batch(make(**{**NOTHING_DROPPED, name: 1.0})).prosody.keep
    assert not keep[:, aspect].any() and keep.sum() == 6
    assert (batch(make(**NOTHING_DROPPED)).prosody.keep == 1).all()


def test_the_shares_are_those_of_the_settings(make):
    task = make(batch_size=40, drop_pitch=0.15, drop_energy=0.5, drop_latent=0.25, unknown_source=0.5)
    batches = [batch(task, seed) for seed in range(10)]
    kept = torch.cat([b.prosody.keep for b in batches]).mean(0)
    assert kept.tolist() == pytest.approx([0.85, 0.5, 0.75], abs=0.08)
    assert torch.cat([b.known for b in batches]).mean() == pytest.approx(0.5, abs=0.08)


def test_a_dropped_latent_does_not_reach_the_decoder(make):
    """Only the rate's term is left to the reference encoder: the spectral loss is the same whatever it sampled."""
    task = make(**{**NOTHING_DROPPED, "drop_latent": 1.0})
    a_batch, figures = batch(task), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        figures.append(task.loss(a_batch, 0, 10)[1])
    assert figures[0] == figures[1]
    task = make(**NOTHING_DROPPED)
    a_batch, mels = batch(task), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        mels.append(task.loss(a_batch, 0, 10)[1]["mel"])
    assert mels[0] != mels[1]


def test_the_unknown_source_is_learned(make):
    unknown = gradients(task := make(unknown_source=1.0), batch(task))
    assert unknown["unknown_source"] > 0 and unknown["source_speaker.weight"] == 0
    known = gradients(task := make(unknown_source=0.0), batch(task))
    assert known["unknown_source"] == 0 and known["source_speaker.weight"] > 0


def test_everything_is_trained(make):
    task = make(batch_size=8)
    for parameter in task.network.parameters():  # what starts at zero lets nothing through at first
        torch.nn.init.normal_(parameter, std=0.1)
    found = gradients(task, batch(task))
    assert [name for name, size in found.items() if size == 0] == []


def test_soft_phones(make):
    hard, soft = batch(make(soft_phones=0.0)).phones, batch(make(soft_phones=1.0)).phones
    one_hot = lambda phones: (phones.phones.max(-1).values == 1)[phones.mask].float().mean()
    assert one_hot(hard) == 1 and hard.stress.any()
    assert one_hot(soft) < 0.9 and not soft.stress.any()
    assert torch.equal(hard.durations, soft.durations)


def test_a_crop_is_measured_against_its_own_phones(make):
    """The pitch target of every frame is the one measured there, relative to the speaker's level."""
    task = make(**NOTHING_DROPPED)
    a_batch = batch(task)
    for row in range(3):
        speaker, start = int(a_batch.speaker[row]), int(a_batch.start[row])
        level = LEVELS[("one", "two")[speaker]]
        stretches = [
            (u.features.log_f0[start : start + 64] - level) / 0.25
            for u, s in zip(task.corpus.utterances, task.corpus.speakers, strict=True)
            if s == ("one", "two")[speaker]
        ]
        assert min(np.abs(s - a_batch.prosody.log_f0[row].numpy()).max() for s in stretches) < 1e-5


def test_other_speakers_are_left_out(fake_cache):
    rows, cache = fake_cache
    only = CopyCatConfig(**{**{f: getattr(SMALL, f) for f in SMALL.__struct_fields__}, "speakers": ("two",)})
    task = CopyCatTask(only, CopyCatTaskConfig(batch_size=3, crop_frames=64), rows, cache, LEVELS)
    assert set(task.corpus.speakers) == {"two"} and not batch(task).speaker.any()


def test_the_rate_goes_to_its_target(make, tmp_path):
    """The penalty holds the latent at the capacity from both sides."""
    rates = {}
    for capacity in (0.0, 40.0):
        task = make(capacity_bits=capacity, kl_weight=3.0, batch_size=4, **NOTHING_DROPPED)
        figures: list[float] = []
        loop = LoopConfig(total_steps=60, warmup_steps=3, learning_rate=1e-2, precision="float32")
        note = lambda step, found, figures=figures: figures.append(found["latent_bits_per_second"])
        run(Trainer(task, loop, tmp_path / str(capacity)), on_step=note)
        rates[capacity] = float(np.mean(figures[-8:]))
    assert rates[0.0] < 6 and abs(rates[40.0] - 40) < 15


def test_the_recogniser_is_asked_only_where_phones_are_softened(make) -> None:
    assert make(recogniser="none.safetensors", soft_phones=0.0).batcher.posteriors == []
    told = make(recogniser="shipped", soft_phones=1.0)
    phones = batch(told).phones
    spoken = phones.phones[phones.mask]
    assert len(told.batcher.posteriors) == len(told.corpus.utterances) and not phones.stress.any()
    torch.testing.assert_close(spoken.sum(-1), torch.ones(len(spoken)), rtol=0, atol=0.02)
    assert spoken.max(-1).values.min() < 0.999  # posteriors, not one-hot
