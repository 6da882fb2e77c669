"""Words from phones and text; and tasks whose latent has a step for each phone or word."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
import torch

from prosody_transfer.analysis.phone_words import words_of_phones
from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.text.phones import phone_id

SMALL = CopyCatConfig(
    speakers=("one", "two"), phone_channels=16, phone_layers=1, channels=16, layers=2, speaker_channels=8,
    reference_channels=16, reference_layers=1, source_channels=8, latent_channels=2,
)  # fmt: skip
LEVELS = {"one": math.log(115.0), "two": math.log(200.0)}


def ids(phones: str) -> list[int]:
    return [phone_id(p) for p in phones.split()]


@pytest.mark.parametrize(
    ("phones", "text", "words"),
    [
        ("SIL AE T IH T SIL", "At it.", [0, 1, 1, 2, 2, 3]),
        ("AE T SIL SIL IH T", "At... it!", [0, 0, 1, 1, 2, 2]),
        ("T AH M AA T OW T AH M EY T OW", "tomato tomato", [0] * 6 + [1] * 6),  # both pronunciations
        ("SIL B IY SIL", "b", [0, 1, 1, 2]),
        ("SIL AE T K SIL IH T", "At it", [0, 1, 1, 1, 2, 3, 3]),  # phones of other words: from pause to pause
        ("AE T IH T IH T", "at it", [0] * 6),  # one word too many
        ("AE SIL T", "at", [0, 1, 2]),  # a pause inside
        ("AE T SIL IH T", "", [0, 0, 1, 2, 2]),
    ],
)
def test_words_by_hand(phones, text, words):
    assert words_of_phones(ids(phones), text).tolist() == words


def make(fake_cache, unit="frames", **settings) -> CopyCatTask:
    torch.manual_seed(0)
    network = msgspec.structs.replace(SMALL, latent_unit=unit)
    settings = {"batch_size": 3, "crop_frames": 64, **settings}
    return CopyCatTask(network, CopyCatTaskConfig(**settings), *fake_cache, LEVELS)


@pytest.mark.parametrize("unit", ["phone", "word"])
def test_units_are_trained_and_their_rate_is_a_second(fake_cache, unit):
    task = make(fake_cache, unit)
    batch = task.batch(np.random.default_rng(0), 0)
    loss, figures = task.loss(batch, 50, 100)
    loss.backward()
    assert all(p.grad.abs().sum() > 0 for p in task.network.reference_encoder.parameters())
    with torch.no_grad():
        up, _ = task.network.expand(batch.phones, batch.total_frames)
        at = (batch.start[:, None] + torch.arange(64)).clamp(max=batch.total_frames - 1)
        up, units = up.gather(2, at[:, None].expand(-1, 16, -1)), task.network.units(batch.phones, batch.total_frames)
        found = task.network.encode_reference(batch.heard, batch.mask, up, batch.known, units.gather(1, at))
    kl = 0.5 * (found.mean**2 + found.log_variance.exp() - 1 - found.log_variance).sum(1)[found.mask].sum()
    seconds = batch.mask.sum() * 256 / 24000
    assert figures["latent_bits_per_second"] == pytest.approx(float(kl / math.log(2) / seconds), rel=1e-4)


def test_only_networks_of_words_carry_words(fake_cache):
    assert make(fake_cache).batch(np.random.default_rng(0), 0).phones.words is None
    words = make(fake_cache, "word").batch(np.random.default_rng(0), 0).phones.words
    assert words.shape == (3, 8) and words[0].tolist() == [0, 1, 1, 1, 1, 1, 1, 2]  # not the phones of "a"


def test_an_unperturbed_encoder_hears_the_recording(fake_cache):
    batch = make(fake_cache, perturb=False).batch(np.random.default_rng(0), 0)
    assert torch.equal(batch.heard.clamp(min=-11.5), batch.mel)
    batch = make(fake_cache).batch(np.random.default_rng(0), 0)
    assert not torch.equal(batch.heard.clamp(min=-11.5), batch.mel)
