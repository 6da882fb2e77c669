"""The latent's steps: so many frames, a phone or a word; and what instance normalisation takes out."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import torch

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import PhoneInputs, pool_units
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.store.checkpoint import load_into, save_checkpoint
from prosody_transfer.store.weights import load_network, shipped

CONFIG = CopyCatConfig(
    speakers=("one", "two"), phone_channels=12, phone_layers=2, channels=16, layers=2, speaker_channels=6,
    reference_channels=10, reference_layers=2, source_channels=5, latent_channels=3, temporal_downsampling=4,
)  # fmt: skip
DURATIONS = [[3, 8, 2, 6, 4], [5, 0, 4], [9]]
WORDS = [[0, 1, 1, 1, 2], [0, 0, 1], [0]]


def make(**changes) -> CopyCat:
    torch.manual_seed(0)
    network = CopyCat(msgspec.structs.replace(CONFIG, **changes)).eval()
    for parameter in network.parameters():  # also those that start at zero
        torch.nn.init.normal_(parameter, std=0.2)
    return network


def inputs() -> PhoneInputs:
    torch.manual_seed(1)
    padded = lambda rows: torch.tensor([row + [0] * (5 - len(row)) for row in rows])
    mask = torch.arange(5)[None] < torch.tensor([len(d) for d in DURATIONS])[:, None]
    phones = torch.nn.functional.one_hot(torch.randint(0, 40, mask.shape), 40).float() * mask[..., None]
    return PhoneInputs(phones, torch.randint(0, 4, mask.shape) * mask, padded(DURATIONS), mask, padded(WORDS))


def encode(network: CopyCat, phones: PhoneInputs, mel: torch.Tensor, mask: torch.Tensor):
    with torch.no_grad():
        up, _ = network.expand(phones, mask.shape[1])
        units = network.units(phones, mask.shape[1])
        posterior = network.encode_reference(mel, mask, up, torch.ones(len(mel)), units)
        return posterior, network.spread(posterior.mean, mask.shape[1], units)


def test_pooling_by_hand():
    values = torch.tensor([[[1.0, 3.0, 8.0, 4.0, 99.0]], [[2.0, 4.0, 6.0, 8.0, 10.0]]])
    mask = torch.tensor([[True, True, True, True, False], [True] * 5])
    means, there = pool_units(values, mask, torch.tensor([[0, 0, 1, 1, 1], [0, 0, 2, 2, 2]]))
    assert means.tolist() == [[[2.0, 6.0, 0.0]], [[3.0, 0.0, 8.0]]]
    assert there.tolist() == [[True, True, False], [True, False, True]]


@pytest.mark.parametrize(("unit", "numbers"), [("phone", [[0, 1, 2, 3, 4], [0, 1, 2], [0]]), ("word", WORDS)])
def test_a_step_is_the_mean_of_its_frames(unit, numbers):
    """A loop over what the network would say of every frame; padding is nothing."""
    lengths = [sum(d) for d in DURATIONS]
    phones, size = inputs(), max(lengths)
    mask = torch.arange(size)[None] < torch.tensor(lengths)[:, None]
    mel = torch.randn(3, 100, size) - 5
    posterior, spread = encode(make(latent_unit=unit), phones, mel, mask)
    frames, _ = encode(make(latent_unit="frames", temporal_downsampling=1), phones, mel, mask)
    for row, (durations, of) in enumerate(zip(DURATIONS, numbers, strict=True)):
        owner = [u for u, d in zip(of, durations, strict=True) for _ in range(d)]
        for step in set(owner):
            its = [t for t, u in enumerate(owner) if u == step]
            assert (posterior.mean[row, :, step] - frames.mean[row, :, its].mean(1)).abs().max() < 1e-5
            assert posterior.mask[row, step]
            assert (spread[row, :, its] == posterior.mean[row, :, step, None]).all()
        assert posterior.mask[row].sum() == len(set(owner))


def test_a_crop_may_begin_with_any_phone():
    network, phones = make(latent_unit="phone"), inputs()
    units = network.units(phones, 23)[:, 12:]  # of row 0: the last frame of phone 2, then phones 3 and 4
    up, mel, mask = torch.zeros(3, 12, 11), torch.randn(3, 100, 11) - 5, torch.ones(3, 11, dtype=torch.bool)
    with torch.no_grad():
        posterior = network.encode_reference(mel, mask, up, torch.zeros(3), units)
        spread = network.spread(posterior.mean, 11, units)
    assert posterior.mask[0].tolist() == [True, True, True]
    assert [int(n) for n in torch.unique_consecutive(spread[0, 0], return_counts=True)[1]] == [1, 6, 4]


def test_words_that_are_unknown_are_asked_for():
    with pytest.raises(ModelError, match="the words of a recording.*give a transcript"):
        make(latent_unit="word").units(replace(inputs(), words=None), 23)
    assert make(latent_unit="phone").units(replace(inputs(), words=None), 23).shape == (3, 23)
    assert make().units(inputs(), 23) is None


def test_units_are_given_if_and_only_if_the_network_has_them():
    mel, mask, up = torch.zeros(3, 100, 23), torch.ones(3, 23, dtype=torch.bool), torch.zeros(3, 12, 23)
    for network, units in ((make(latent_unit="phone"), None), (make(), torch.zeros(3, 23, dtype=torch.long))):
        with pytest.raises(AssertionError, match="units"):
            network.encode_reference(mel, mask, up, torch.zeros(3), units)


def test_without_instance_normalisation_a_gain_is_heard():
    """Over time, a constant is taken out of every channel; over channels it stays."""
    mask, mel = torch.ones(1, 40, dtype=torch.bool), torch.randn(1, 100, 40) - 4
    moved = {}
    for name, network in (("time", make()), ("channels", make(instance_norm=False))):
        posterior, louder = (network_says(network, m, mask) for m in (mel, mel + torch.linspace(0, 2, 100)[:, None]))
        moved[name] = ((louder - posterior).mean(-1).abs() / posterior.std(-1)).mean()
    assert moved["channels"] > 2 * moved["time"]


def network_says(network: CopyCat, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network.encode_reference(mel, mask, torch.zeros(1, 12, 40), torch.zeros(1)).mean


def test_a_checkpoint_from_before_these_settings_is_as_it_was(tmp_path):
    old = {k: v for k, v in CONFIG.to_dict().items() if k not in ("latent_unit", "instance_norm")}
    config = load_config(CopyCatConfig, old)
    assert config == CONFIG and config.latent_unit == "frames" and config.instance_norm
    network = make()
    save_checkpoint(tmp_path / "old.safetensors", "copycat", network.state_dict(), old)
    loaded, _ = load_network("copycat", tmp_path / "old.safetensors")
    mask, mel = torch.ones(1, 40, dtype=torch.bool), torch.randn(1, 100, 40) - 4
    assert torch.equal(network_says(loaded, mel, mask), network_says(network, mel, mask))


def test_the_shipped_network_is_of_frames():
    network, _ = load_network("copycat", shipped("copycat"))
    assert (network.config.latent_unit, network.config.instance_norm) == ("frames", True)
    load_into(CopyCat(network.config), network.state_dict(), "again")
