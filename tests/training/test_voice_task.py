"""A new voice learns; what must not move does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.copycat.config import CopyCatConfig, adaptable
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.copycat.voice_task import VoiceTask, free_direction
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.voice_folder import checksum
from prosody_transfer.store.voice_network import ROW, adapted
from prosody_transfer.training.loop import LoopConfig, Trainer, run
from prosody_transfer.voices.fisher import estimate, load_fisher, make_fisher, save_fisher
from prosody_transfer.voices.settings import VoiceTaskConfig

CONFIG = CopyCatConfig(
    speakers=("old", "two"), phone_channels=16, phone_layers=1, channels=16, layers=4, speaker_channels=8,
    reference_channels=16, reference_layers=1, source_channels=8, latent_channels=2,
)  # fmt: skip
LEVELS = [math.log(130.0), math.log(200.0), math.log(115.0)]


@pytest.fixture
def base():
    torch.manual_seed(0)
    network = CopyCat(CONFIG).eval()
    for name, parameter in network.named_parameters():
        if ".modulation." in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return network


@pytest.fixture
def make(base, fake_cache):
    rows, cache = fake_cache
    new = [row for row in rows if row.speaker == "one"]

    def made(fisher=None, replay=False, **settings) -> VoiceTask:
        old = ([row for row in rows if row.speaker == "two"], cache) if replay else None
        config = VoiceTaskConfig(**{"batch_size": 3, "crop_frames": 64, "distil_size": 2, "replay_size": 2, **settings})
        return VoiceTask(base, LEVELS, config, new, cache, fisher, old)

    return made


def train(task: VoiceTask, folder, steps: int = 30, rate: float = 0.01) -> Trainer:
    trainer = Trainer(task, LoopConfig(total_steps=steps, learning_rate=rate, warmup_steps=2, weight_decay=0.0,
                                       validation_steps=0, ema_decay=0.5, precision="float32"), folder)  # fmt: skip
    run(trainer)
    return trainer


def old_voices(task: VoiceTask, network) -> torch.Tensor:
    """What a network says in the first shipped voice, (B, M, T)."""
    torch.manual_seed(5)
    batch = task.new.batch(np.random.default_rng(5), 0)
    inputs = task._inputs(batch)
    with torch.no_grad():
        return task._decode(network, inputs, [torch.zeros(3, dtype=torch.long)], [batch.level]).mel


def test_a_free_direction_is_orthogonal_to_every_voice():
    torch.manual_seed(0)
    table, layers = torch.randn(5, 12), [torch.randn(7, 12), torch.randn(9, 12)]
    found = free_direction(table, layers)
    assert found.norm().item() == pytest.approx(1, abs=1e-5) and (table @ found).abs().max() < 1e-5
    least = (torch.cat(layers) @ found).norm()
    for _ in range(50):  # no other free direction is answered less
        other = torch.randn(12)
        other -= torch.linalg.lstsq(table.T, other[:, None]).solution[:, 0] @ table
        assert (torch.cat(layers) @ (other / other.norm())).norm() > least


def test_it_learns_and_what_must_not_move_does_not(make, base, tmp_path):
    task = make(distil_size=0, ewc_weight=0.0)
    before = {key: value.clone() for key, value in base.state_dict().items()}
    assert task.begin_like() in CONFIG.speakers
    losses = []
    trainer = train(task, tmp_path)
    for _ in range(4):
        with torch.no_grad():
            losses.append(task.loss(task.batch(np.random.default_rng(9), 0), 0, 1)[1]["mel"])
    fresh = make(distil_size=0)
    assert losses[0] < 0.9 * fresh.loss(fresh.batch(np.random.default_rng(9), 0), 0, 1)[1]["mel"]
    assert all(torch.equal(value, before[key]) for key, value in base.state_dict().items()), "the shipped network"
    found = task.tensors(trainer.average)
    assert set(found) <= {ROW, *adaptable(before)} and ROW in found
    moved = {key for key, value in found.items() if key != ROW and not torch.equal(value, before[key])}
    assert "head.weight" in moved and any("decoder_early" in key for key in moved)
    assert not any(key.endswith("modulation.bias") for key in found)


def test_the_tensors_are_the_network_that_was_trained(make, base, tmp_path):
    task = make()
    task.begin_like()
    train(task, tmp_path, steps=5)
    made = adapted(base, task.tensors(task.network.state_dict()), "x")
    for row in range(3):
        batch = task.new.batch(np.random.default_rng(1), 0)
        torch.manual_seed(1)
        inputs = task._inputs(batch)
        speakers = [torch.full((3,), row)]
        with torch.no_grad():
            ours = task._decode(task.model, inputs, speakers, [batch.level]).mel
            theirs = task._decode(made, inputs, speakers, [batch.level]).mel
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_the_conditioning_alone_costs_the_old_voices_nothing(make, base, tmp_path):
    task = make(distil_size=0, ewc_weight=0.0)
    wanted = old_voices(task, base)
    for name in [n for n in task.network._parameters if n != ROW and ":modulation:" not in n]:
        del task.network._parameters[name]
    train(task, tmp_path)
    assert any(value.abs().max() > 0.05 for key, value in task.network.state_dict().items() if key != ROW)
    assert torch.allclose(old_voices(task, task.model), wanted, atol=1e-4)


@pytest.mark.parametrize("how", [{"distil_weight": 3.0}, {"ewc_weight": 1e7}])
def test_what_keeps_the_old_voices_does_so(make, base, tmp_path, how):
    fisher = {name: torch.full_like(dict(base.named_parameters())[name], 1e-4) for name in adaptable(base.state_dict())}
    nothing = {"distil_weight": 0.0, "ewc_weight": 0.0}
    away = []
    for number, task in enumerate((make(fisher, **nothing | how), make(**nothing))):
        wanted = old_voices(task, base)
        train(task, tmp_path / str(number), rate=0.003)
        away.append((old_voices(task, task.model) - wanted).abs().mean().item())
    assert away[0] < 0.7 * away[1]


def test_old_recordings_are_repeated(make, tmp_path):
    kept = {"distil_weight": 0.0, "ewc_weight": 0.0}
    with_it, without = make(replay=True, replay_weight=3.0, **kept), make(**kept)
    batch = with_it.old.batch(np.random.default_rng(3), 0)
    assert set(batch.speaker.tolist()) == {1}
    said = []
    for number, task in enumerate((with_it, without)):
        train(task, tmp_path / str(number), rate=0.003)
        torch.manual_seed(3)
        with torch.no_grad():
            decoded = task._decode(task.model, task._inputs(batch), [batch.speaker], [batch.level])
            said.append(task._recorded(decoded, batch)[1]["mel"])
    assert said[0] < 0.97 * said[1]


def test_consolidation_by_hand(make, base):
    fisher = {name: torch.ones_like(dict(base.named_parameters())[name]) for name in adaptable(base.state_dict())}
    task = make(fisher)
    assert task.consolidation().item() == 0
    with torch.no_grad():
        dict(task.network.named_parameters())["head:bias"][:3] += torch.tensor([1.0, 2.0, -3.0])
        task.network.state_dict()[ROW] += 5  # the voice's own: nothing holds it
    assert task.consolidation().item() == pytest.approx(14)
    torch.manual_seed(0)
    batch = task.batch(np.random.default_rng(0), 0)
    torch.manual_seed(0)
    loss, figures = task.loss(batch, 0, 1)
    task.fisher = {}
    torch.manual_seed(0)
    assert (loss - task.loss(batch, 0, 1)[0]).item() == pytest.approx(0.5 * task.task.ewc_weight * 14, rel=1e-4)
    assert figures["ewc"] == pytest.approx(14)


def test_distillation_of_an_unchanged_network_is_nothing(make):
    task = make()
    with torch.no_grad():
        assert task.loss(task.batch(np.random.default_rng(0), 0), 0, 1)[1]["distilled"] == pytest.approx(0, abs=1e-5)


def test_a_run_goes_on_to_the_bit(make, tmp_path):
    whole = train(make(), tmp_path / "whole", steps=8)
    loop = whole.config
    first = Trainer(make(), loop, tmp_path / "cut")
    for _ in range(3):
        first.advance()
    first.save()
    second = Trainer(make(), loop, tmp_path / "cut")
    run(second, resume=True)
    assert all(torch.equal(value, second.average[key]) for key, value in whole.average.items())


def test_fisher_is_the_mean_of_squared_gradients(base, fake_cache, tmp_path):
    rows, cache = fake_cache
    voices = {name: {"log_f0_median": level} for name, level in zip(CONFIG.speakers, LEVELS, strict=False)}
    save_checkpoint(tmp_path / "m.safetensors", "copycat", base.state_dict(), CONFIG.to_dict(), voices=voices)
    found = estimate(rows, cache, model=tmp_path / "m.safetensors", batches=3, batch_size=1)
    assert set(found) == set(adaptable(base.state_dict())) and all((f >= 0).all() for f in found.values())
    assert found["head.bias"].max() > 0
    one = [estimate(rows, cache, model=tmp_path / "m.safetensors", batches=n, batch_size=1) for n in (1, 2)]
    third = 3 * found["head.bias"] - 2 * one[1]["head.bias"]
    assert (third > -1e-9).all(), "a sum of squares only grows"
    path = make_fisher(rows, cache, tmp_path / "f.safetensors", model=tmp_path / "m.safetensors", batches=3)
    assert set(load_fisher(path, checksum(tmp_path / "m.safetensors"))) == set(found)
    with pytest.raises(ModelError, match="another acoustic model; make it again: ptx voice fisher"):
        load_fisher(path, "0" * 64)


def test_fisher_survives_half_precision(tmp_path):
    torch.manual_seed(0)
    fisher = {"a": torch.rand(50, 50) ** 4 * 1e-9, "b": torch.zeros(3), "c": torch.rand(5) * 1e6}
    save_fisher(tmp_path / "f.safetensors", fisher, "base")
    found = load_fisher(tmp_path / "f.safetensors", "base")
    for name, values in fisher.items():
        assert torch.allclose(found[name], values, rtol=0.005, atol=float(values.max()) * 1e-6)
