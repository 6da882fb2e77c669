"""What knows an utterance by one vector: its networks, its bank, and the sampler over the parse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prosody_transfer.models.kathaka.network import Kathaka, KathakaConfig, Words
from prosody_transfer.models.kathaka.task import divergence
from prosody_transfer.models.utterance.network import Posterior, Said, Text
from prosody_transfer.models.utterance.speaking import said_tensors
from prosody_transfer.models.vae.network import Vae, VaeConfig
from prosody_transfer.text.prosody_tokens import CLASSES, NUMBERS, tokens_of
from prosody_transfer.text.spoken import spoken_sentences

SMALL = {"channels": 8, "layers": 2, "encoder_channels": 8, "latent_channels": 3, "bank": 4}


def noisy(network):
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def text(pad: int = 0) -> Text:
    tokens = tokens_of(spoken_sentences("A red cat ran home.")[0].words, "statement")
    size = tokens.classes.shape[1]
    wide = lambda values: torch.from_numpy(np.pad(values, ((0, 0), (0, pad))))[None]
    return Text(wide(tokens.classes), wide(tokens.numbers), torch.arange(size + pad)[None] < size, torch.tensor([5.2]))


def said(rows: int = 12, pad: int = 0) -> Said:
    rng = np.random.default_rng(0)
    given = said_tensors(
        [0, *range(1, rows - 1), 0], np.full(rows, 7), *(rng.random((4, rows)).astype(np.float32) for _ in range(3))
    )
    tensors = [torch.from_numpy(np.pad(v, [(0, 0)] * (v.ndim - 1) + [(0, pad)]))[None] for v in given.values()]
    return Said(*tensors)


def test_settings_are_those_of_the_tokens():
    assert VaeConfig().classes == tuple(size for _, size in CLASSES) and VaeConfig().numbers == len(NUMBERS)


def test_the_vector_decides_and_padding_does_not():
    network = noisy(Vae(VaeConfig(**SMALL)))
    short, long, zero = text(), text(pad=5), torch.zeros(1, 3)
    size = short.mask.shape[1]
    frames = torch.full((1, size + 5), 6)
    for z in (zero, zero + 1):
        a, b = network.melody(short, z, frames[:, :size]), network.melody(long, z, frames)
        torch.testing.assert_close(a.log_f0, b.log_f0[..., :size])
    assert not torch.allclose(network.timing(short, zero).log_frames, network.timing(short, zero + 1).log_frames)
    for one, other in zip(network.encode(said()), network.encode(said(pad=6)), strict=True):
        torch.testing.assert_close(one, other)


def test_the_encoder_knows_neither_the_voice_nor_the_silence_around():
    ids, frames = [0, 5, 6, 0, 7, 0], np.array([30, 7, 8, 9, 6, 40])
    log_f0 = np.random.default_rng(1).random((4, 6)).astype(np.float32)
    ones = np.ones((4, 6), np.float32)
    low, high = (said_tensors(ids, frames, log_f0 + shift, ones, -ones) for shift in (0.0, 0.7))
    assert low["phones"].tolist() == [5, 6, 0, 7] and low["frames"].tolist() == [7, 8, 9, 6]
    np.testing.assert_allclose(low["log_f0"], high["log_f0"], atol=1e-6)


def words(order, arcs) -> Words:
    rng = np.random.default_rng(2)
    vectors = torch.from_numpy(rng.random((1, 96, 4)).astype(np.float32))[:, :, order]
    return Words(vectors, torch.tensor([[1, 4, 2, 6]])[:, order], arcs, torch.ones(1, 4, dtype=torch.bool))


def test_the_sampler_hears_the_parse_and_not_the_order_or_the_padding():
    network = noisy(Kathaka(KathakaConfig(**SMALL, sampler_channels=8)))
    arcs = torch.eye(4)[None] * 0.5
    arcs[0, 0, 1] = arcs[0, 1, 0] = arcs[0, 2, 3] = arcs[0, 3, 2] = 0.5
    plain = network.predict(words([0, 1, 2, 3], arcs))
    turned = [2, 0, 3, 1]
    same = network.predict(words(turned, arcs[:, turned][:, :, turned]))
    torch.testing.assert_close(plain.mean, same.mean)
    assert not torch.allclose(plain.mean, network.predict(words([0, 1, 2, 3], torch.eye(4)[None])).mean, atol=1e-3)
    more = words([0, 1, 2, 3], arcs)
    padded = Words(
        torch.nn.functional.pad(more.vectors, (0, 2), value=3.0), torch.nn.functional.pad(more.tags, (0, 2)),
        torch.nn.functional.pad(arcs, (0, 2, 0, 2), value=1.0), torch.nn.functional.pad(more.mask, (0, 2)),
    )  # fmt: skip
    torch.testing.assert_close(plain.mean, network.predict(padded).mean)


def test_the_divergence_is_that_of_gaussians():
    rng = torch.Generator().manual_seed(0)
    a, b = (Posterior(*torch.randn(2, 5, 3, generator=rng)) for _ in range(2))
    normal = lambda p: torch.distributions.Normal(p.mean, torch.exp(p.log_variance / 2))
    expected = torch.distributions.kl_divergence(normal(a), normal(b)).sum(1)
    torch.testing.assert_close(divergence(a, b), expected)
    assert divergence(a, a) == pytest.approx(0.0, abs=1e-6)
