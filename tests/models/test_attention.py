"""The attention model: what it is told, padding, teacher forcing against speaking by itself, what attention lost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prosody_transfer.models.attention.config import AttentionConfig
from prosody_transfer.models.attention.detector import describe_lost, lost_words
from prosody_transfer.models.attention.network import Attention
from prosody_transfer.models.attention.readings import told_of_phones

CONFIG = AttentionConfig(
    speakers=("one", "two"), phone_channels=12, phone_layers=1, speaker_channels=6, prenet_channels=8, cell_channels=16,
    attention_channels=8, frames_per_step=3, channels=12, layers=1,
)  # fmt: skip
PHONES = 7


@pytest.fixture(scope="module")
def network() -> Attention:
    torch.manual_seed(0)
    network = Attention(CONFIG).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


def remembered(network: Attention, padding: int = 0, rubbish: float = 0.0, told: float = 1.0):
    torch.manual_seed(1)
    real = torch.eye(40)[torch.randint(0, 40, (1, PHONES))]
    phones = torch.cat([real, torch.full((1, padding, 40), rubbish)], 1)
    prosody = torch.cat([torch.randn(1, PHONES, 5) * told, torch.full((1, padding, 5), rubbish)], 1)
    mask = torch.arange(PHONES + padding)[None] < PHONES
    stress = torch.zeros(1, PHONES + padding, dtype=torch.long)
    with torch.no_grad():
        return network.remember(phones, stress, mask, prosody, torch.tensor([1]))


def test_padding_is_never_attended_to(network):
    with torch.no_grad():
        plain, weights = network.free(remembered(network), 20)
        padded, more = network.free(remembered(network, padding=4, rubbish=9.0), 20)
    assert torch.allclose(plain.mel, padded.mel, atol=1e-5) and not more[..., PHONES:].any()
    assert torch.allclose(weights.sum(2), torch.ones(weights.shape[:2])) and plain.mel.shape == (1, 100, 20)


def test_what_is_told_of_phones_changes_what_is_said(network):
    with torch.no_grad():
        first, second = (network.free(remembered(network, told=t), 12)[0].mel for t in (1.0, 0.0))
    assert not torch.allclose(first, second, atol=1e-3)


def test_hearing_its_own_frames_is_speaking_by_itself(network):
    """Teacher forcing with what it would have said gives that."""
    memory = remembered(network)
    with torch.no_grad():
        said, weights = network.free(memory, 18)
        coarse, _, again = network.forced(said.early_mel, memory)
    assert torch.allclose(3 * coarse - 5, said.early_mel, atol=1e-4) and torch.allclose(weights, again, atol=1e-5)


def path(*phones: int) -> np.ndarray:
    """Attention that goes straight from phone to phone."""
    return np.eye(max(phones) + 1)[list(phones)]


WORDS, SILENT = (0, 1, 1, 2, 2, 3), (True, False, False, False, False, True)


def test_a_straight_path_loses_nothing():
    lost = lost_words(path(0, 1, 1, 2, 2, 3, 3, 4, 4, 5), 5, WORDS, SILENT)
    assert not lost.any() and describe_lost(lost, 2) == ""


def test_a_word_that_is_jumped_over_is_dropped():
    assert lost_words(path(0, 1, 1, 2, 2, 5, 5), 5, WORDS, SILENT).dropped == (2,)


def test_a_word_that_is_gone_back_to_is_said_twice():
    lost = lost_words(path(0, 1, 1, 2, 2, 3, 3, 4, 4, 1, 1, 1, 4, 5), 5, WORDS, SILENT)
    assert lost.repeated == (1,) and "repeated 1 of 2 words" in describe_lost(lost, 2)


def test_attention_that_is_everywhere_mumbles():
    weights = path(0, 1, 1, 2, 2, 3, 3, 4, 4, 5)
    weights[5:9] = 0.15
    weights[5:7, 3] = weights[7:9, 4] = 0.25
    assert lost_words(weights, 5, WORDS, SILENT).mumbled == (2,)


def test_nothing_told_is_zeros():
    contour = np.zeros(6)
    assert not told_of_phones(np.array([2, 4]), contour, contour > 1, contour, ()).any()
    told = told_of_phones(np.array([2, 4]), contour + 0.25, contour < 1, contour - 10, ("energy",))
    assert told[:, 2].tolist() == [-1, -1] and not told[:, [0, 1, 3]].any()
