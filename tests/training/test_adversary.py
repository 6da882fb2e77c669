"""The classifier of speakers beside the model: it learns, and the model does not notice."""

from __future__ import annotations

import math
from copy import deepcopy

import msgspec
import pytest
import torch

from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.training.adversary import SpeakerAdversary
from prosody_transfer.training.loop import LoopConfig, Trainer, run

SMALL = CopyCatConfig(
    speakers=("one", "two"), phone_channels=16, phone_layers=1, channels=24, layers=2, speaker_channels=8,
    reference_channels=16, reference_layers=1, source_channels=8, latent_channels=2,
)  # fmt: skip
LEVELS = {"one": math.log(115.0), "two": math.log(200.0)}
LOOP = LoopConfig(total_steps=6, warmup_steps=2)


@pytest.fixture
def task(fake_cache) -> CopyCatTask:
    torch.manual_seed(0)
    return CopyCatTask(SMALL, CopyCatTaskConfig(batch_size=3, crop_frames=64), *fake_cache, LEVELS)


def latents(speaker: torch.Tensor, seed: int) -> torch.Tensor:
    """Speakers differ in how the latent's first channel moves, not in its mean."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(speaker), 2, 24, generator=generator)
    values[:, 0] += 2 * torch.cos(torch.arange(24) * (0.5 + speaker[:, None]))
    return values


def test_it_tells_who_speaks_where_that_shows():
    adversary, mask = SpeakerAdversary(2, [0.25, 0.5, 0.25]), torch.ones(16, 24, dtype=torch.bool)
    told = [adversary.learn(latents(s := torch.arange(16) % 3, seed), mask, s) for seed in range(80)]
    assert told[-1]["speaker_accuracy"] > 0.9 and told[0]["speaker_accuracy"] < 0.8
    assert told[0]["speaker_chance"] == 0.5
    nothing = SpeakerAdversary(2, [1 / 3] * 3)
    blind = [nothing.learn(torch.randn(16, 2, 24), mask, torch.randint(3, (16,))) for _ in range(40)]
    assert sum(t["speaker_accuracy"] for t in blind[20:]) / 20 < 0.5


def test_padding_says_nothing():
    adversary = SpeakerAdversary(2, [0.5, 0.5])
    mask = torch.arange(24)[None] < torch.tensor([24, 10])[:, None]
    latent = torch.randn(2, 2, 24)
    other = torch.where(mask[:, None], latent, torch.full_like(latent, 99.0))
    assert torch.equal(adversary.logits(latent, mask), adversary.logits(other, mask))


def test_the_model_does_not_notice(task, tmp_path):
    """The same bits with and without it, and nothing drawn from the common random numbers."""
    assert task.adversary is not None
    without = deepcopy(task)
    without.adversary = None
    for name, each in (("with", task), ("without", without)):
        run(Trainer(each, LOOP, tmp_path / name), on_step=lambda step, figures: None)
    one, two = (load_checkpoint(tmp_path / n / "state.safetensors", "copycat-training")[0] for n in ("with", "without"))
    assert any(k.startswith("beside.") for k in one) and not any(k.startswith("beside.") for k in two)
    assert all(torch.equal(one[k], v) for k, v in two.items())
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    SpeakerAdversary(2, [0.5, 0.5])
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_state_without_it_is_gone_on_from(task, tmp_path):
    """As written before there was one."""
    without = deepcopy(task)
    without.adversary = None
    run(Trainer(without, LOOP, tmp_path), max_minutes=0.0)
    run(Trainer(task, LOOP, tmp_path), resume=True)
    assert load_checkpoint(tmp_path / "state.safetensors", "copycat-training")[1]["step"] == 6


def test_with_a_weight_it_moves_the_reference_encoder_alone(task):
    rng = __import__("numpy").random.default_rng(0)
    batch = task.batch(rng, 0)
    strong = deepcopy(task)
    strong.task = msgspec.structs.replace(task.task, adversary_weight=0.5)

    def gradients(of: CopyCatTask) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        of.loss(batch, 10, 10)[0].backward()
        return {k: p.grad for k, p in of.network.named_parameters() if p.grad is not None}

    for each in (task, strong):
        each.adversary.bound = math.inf
    plain, pushed = gradients(task), gradients(strong)
    moved = {k.split(".")[0] for k in plain if not torch.equal(plain[k], pushed[k])}
    assert "reference_encoder" in moved and not moved & {"decoder_early", "decoder_late", "head", "speaker_table"}
    assert all(p.requires_grad for p in strong.adversary.network.parameters())


def test_gradient_reversal_makes_it_guess(task):
    """A latent made to obey it alone becomes one that it cannot tell speakers by."""
    adversary = SpeakerAdversary(2, [0.5, 0.5])
    speaker, mask = torch.arange(16) % 2, torch.ones(16, 24, dtype=torch.bool)
    shift = torch.nn.Parameter(torch.tensor([3.0, -3.0]))
    step = torch.optim.Adam([shift], lr=0.1)
    noise = lambda seed: torch.randn(16, 2, 24, generator=torch.Generator().manual_seed(seed))
    accuracies = []
    for seed in range(150):
        latent = noise(seed) + shift[speaker][:, None, None]
        accuracies.append(adversary.learn(latent.detach(), mask, speaker)["speaker_accuracy"])
        step.zero_grad()
        (-adversary.against(latent, mask, speaker)).backward()
        step.step()
    assert max(accuracies[10:40]) == 1.0 and (shift[0] - shift[1]).abs() < 2.0


def test_one_voice_needs_none(fake_cache):
    rows, cache = fake_cache
    alone = msgspec.structs.replace(SMALL, speakers=("one",))
    task = CopyCatTask(alone, CopyCatTaskConfig(batch_size=2, crop_frames=64), rows, cache, LEVELS)
    assert task.adversary is None and task.beside() == {}


def test_it_goes_on_with_its_own_state():
    first, mask, speaker = SpeakerAdversary(2, [0.5, 0.5]), torch.ones(8, 24, dtype=torch.bool), torch.arange(8) % 2
    second = SpeakerAdversary(2, [0.5, 0.5])
    for seed in range(3):
        first.learn(latents(speaker, seed), mask, speaker)
    second.load({k: v.clone() for k, v in first.tensors().items()})
    for each in (first, second):
        each.learn(latents(speaker, 9), mask, speaker)
    assert all(torch.equal(v, second.tensors()[k]) for k, v in first.tensors().items())
    third = SpeakerAdversary(2, [0.4, 0.3, 0.3])
    third.load(first.tensors())  # other speakers: it starts anew
    assert third.last.out_features == 3
