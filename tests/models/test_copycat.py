"""The acoustic model: inputs, masks and conditioning."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import (
    PhoneInputs,
    ProsodyInputs,
    frame_to_phone,
    position_features,
    upsample,
)
from prosody_transfer.models.copycat.network import CopyCat, Posterior, speaker_statistics
from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig

CONFIG = CopyCatConfig(
    speakers=("one", "two"), phone_channels=12, phone_layers=2, channels=16, layers=2, speaker_channels=6,
    reference_channels=10, reference_layers=2, source_channels=5, latent_channels=3, temporal_downsampling=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def network() -> CopyCat:
    torch.manual_seed(0)
    network = CopyCat(CONFIG).eval()
    for parameter in network.parameters():  # also those that start at zero
        torch.nn.init.normal_(parameter, std=0.2)
    return network


def inputs(durations: list[list[int]]) -> PhoneInputs:
    torch.manual_seed(1)
    longest = max(map(len, durations))
    mask = torch.arange(longest)[None] < torch.tensor([len(d) for d in durations])[:, None]
    padded = torch.tensor([d + [0] * (longest - len(d)) for d in durations])
    phones = torch.nn.functional.one_hot(torch.randint(0, 40, mask.shape), 40).float() * mask[..., None]
    return PhoneInputs(phones, torch.randint(0, 4, mask.shape) * mask, padded, mask)


def prosody(batch: int, size: int, keep=(1.0, 1.0, 1.0)) -> ProsodyInputs:
    torch.manual_seed(2)
    voiced = (torch.rand(batch, size) > 0.4).float()
    return ProsodyInputs(torch.randn(batch, size), voiced, torch.randn(batch, size), torch.tensor([keep] * batch))


def run(
    network: CopyCat,
    phones: PhoneInputs,
    given: ProsodyInputs,
    mel: torch.Tensor,
    mask: torch.Tensor,
    known=0.0,
    speaker=0,
):
    batch, size = mask.shape
    with torch.no_grad():
        up, position = network.expand(phones, size)
        posterior = network.encode_reference(mel, mask, up, torch.full((batch,), known))
        latent = network.spread(posterior.mean, size)
        return posterior, network.decode(
            up, position, mask, given, latent, torch.full((batch,), speaker), torch.full((batch,), 5.0)
        )


def test_frame_to_phone_by_hand():
    index = frame_to_phone(torch.tensor([[2, 0, 3]]), 7)
    assert index.tolist() == [[0, 0, 2, 2, 2, 2, 2]]
    assert upsample(torch.tensor([[[1.0, 2.0, 3.0]]]), index).tolist() == [[[1, 1, 3, 3, 3, 3, 3]]]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any))
def test_frame_to_phone_inverts_durations(durations):
    index = frame_to_phone(torch.tensor([durations]), sum(durations))
    assert torch.bincount(index[0], minlength=len(durations)).tolist() == durations
    assert (index[0].diff() >= 0).all()


def test_upsampling_repeats_by_durations(network):
    """The same as repeating each phone's encoding, whatever stands in the padding."""
    phones, size = inputs([[3, 1, 6], [4, 6]]), 10
    with torch.no_grad():
        encoded, (up, _) = network.encode_phones(phones), network.expand(phones, size)
    for row, count in enumerate((3, 2)):
        repeated = encoded[row, :, :count].repeat_interleave(phones.durations[row, :count], -1)
        assert torch.equal(up[row], repeated)


@pytest.mark.parametrize("known", [0.0, 1.0])
def test_the_reference_encoder_never_sees_the_padding(network, known):
    phones, mask = inputs([[5, 6], [4, 4]]), torch.arange(11)[None] < torch.tensor([[11], [8]])
    mel = torch.randn(2, 100, 11) - 5
    changed = torch.where(mask[:, None], mel, torch.full_like(mel, 1e4))
    first, second = (run(network, phones, prosody(2, 11), m, mask, known) for m in (mel, changed))
    assert torch.equal(first[0].mean, second[0].mean) and torch.equal(first[0].log_variance, second[0].log_variance)
    assert torch.equal(first[1].mel * mask[:, None], second[1].mel * mask[:, None])


def test_positions_by_hand():
    durations = torch.tensor([[1, 4]])
    passed, length, edge = position_features(durations, frame_to_phone(durations, 5))[0]
    assert passed.tolist() == pytest.approx([0.0, -0.375, -0.125, 0.125, 0.375])
    assert length.tolist() == pytest.approx([-2.0] + [1.3863 - 2.0] * 4, abs=1e-4)
    assert edge.tolist() == pytest.approx([0, 0, 0.2, 0.2, 0])


def test_what_is_not_given_is_zero():
    given = replace(prosody(1, 6), keep=torch.tensor([[0.0, 1.0, 0.0]]))
    channels = given.channels()
    assert channels.shape == (1, 6, 6)
    assert not channels[0, :2].any() and torch.equal(channels[0, 2], given.energy[0])
    assert channels[0, 3:, 0].tolist() == [0.0, 1.0, 0.0]


def test_shapes(network):
    posterior, decoded = run(
        network, inputs([[5, 6], [4, 7]]), prosody(2, 11), torch.randn(2, 100, 11) - 5, torch.ones(2, 11).bool()
    )
    assert posterior.mean.shape == posterior.log_variance.shape == (2, 3, 3) and posterior.mask.shape == (2, 3)
    assert decoded.mel.shape == decoded.early_mel.shape == (2, 100, 11)
    assert decoded.log_f0.shape == decoded.voicing_logit.shape == (2, 11)


@pytest.mark.parametrize("known", [0.0, 1.0])
def test_padding_never_changes_a_result(network, known):
    """Each row of a padded batch comes out as it does alone, whatever stands in the padding."""
    durations = [[3, 8, 2, 6, 4], [5, 4], [9]]
    lengths = [sum(d) for d in durations]
    phones, size = inputs(durations), max(lengths)
    mask = torch.arange(size)[None] < torch.tensor(lengths)[:, None]
    mel, given = torch.randn(3, 100, size) - 5, prosody(3, size)
    posterior, decoded = run(network, phones, given, mel, mask, known)
    for row, (length, count) in enumerate(zip(lengths, map(len, durations), strict=True)):
        cut = lambda x, n, row=row: x[row : row + 1, :n]
        one = PhoneInputs(*(cut(x, count) for x in (phones.phones, phones.stress, phones.durations, phones.mask)))
        its = ProsodyInputs(
            *(cut(x, length) for x in (given.log_f0, given.voiced, given.energy)), given.keep[row : row + 1]
        )
        alone, said = run(network, one, its, mel[row : row + 1, :, :length], cut(mask, length), known)
        steps = alone.mask.shape[1]
        assert posterior.mask[row].sum() == steps == -(-length // 4)
        assert (posterior.mean[row, :, :steps] - alone.mean[0]).abs().max() < 1e-4
        assert (decoded.mel[row, :, :length] - said.mel[0]).abs().max() < 1e-4
        assert (decoded.log_f0[row, :length] - said.log_f0[0]).abs().max() < 1e-4


def test_a_gain_matters_less_than_another_utterance(network):
    """Instance normalisation removes what is constant over the utterance, if not entirely: a ReLU comes before it."""
    mask, phones = torch.ones(1, 40).bool(), inputs([[10, 10, 20]])
    mel = torch.randn(1, 100, 40) - 4
    means = [
        run(network, phones, prosody(1, 40), m, mask)[0].mean for m in (mel, mel + 0.5, torch.randn(1, 100, 40) - 4)
    ]
    assert (means[1] - means[0]).abs().mean() < 0.7 * (means[2] - means[0]).abs().mean()


@pytest.mark.parametrize(("aspect", "field"), [(0, "log_f0"), (0, "voiced"), (1, "energy")])
def test_an_aspect_that_is_not_kept_has_no_effect(network, aspect, field):
    keep = [1.0, 1.0, 1.0]
    mask, phones, mel = torch.ones(1, 16).bool(), inputs([[6, 10]]), torch.randn(1, 100, 16) - 5
    changed = lambda keep: [
        run(network, phones, given, mel, mask)[1].mel
        for given in (
            prosody(1, 16, keep),
            replace(prosody(1, 16, keep), **{field: 1 - getattr(prosody(1, 16), field)}),
        )
    ]
    first, second = changed(keep)
    assert not torch.equal(first, second)
    keep[aspect] = 0.0
    first, second = changed(keep)
    assert torch.equal(first, second)


def test_the_latent_can_be_switched_off(network):
    mask, phones = torch.ones(1, 16).bool(), inputs([[6, 10]])
    said = lambda keep, seed: run(
        network,
        phones,
        prosody(1, 16, keep),
        torch.randn(1, 100, 16, generator=torch.Generator().manual_seed(seed)),
        mask,
    )
    assert not torch.equal(said((1.0, 1.0, 1.0), 1)[1].mel, said((1.0, 1.0, 1.0), 2)[1].mel)
    assert torch.equal(said((1.0, 1.0, 0.0), 1)[1].mel, said((1.0, 1.0, 0.0), 2)[1].mel)


def test_speakers_differ(network):
    mask, phones, mel = torch.ones(1, 16).bool(), inputs([[6, 10]]), torch.randn(1, 100, 16) - 5
    first, second = (run(network, phones, prosody(1, 16), mel, mask, speaker=s)[1].mel for s in (0, 1))
    assert (first - second).abs().mean() > 1e-3


def test_speaker_statistics_by_hand():
    mel = torch.tensor([[[1.0, 3.0, 99.0], [2.0, 2.0, 99.0]]])
    mask = torch.tensor([[True, True, False]])
    assert speaker_statistics(mel, mask)[0].tolist() == pytest.approx([2, 2, 1, 1e-5**0.5], abs=1e-4)


def test_posterior_samples_have_its_moments():
    torch.manual_seed(0)
    posterior = Posterior(
        torch.full((1, 1, 20000), 2.0),
        torch.full((1, 1, 20000), 2 * torch.log(torch.tensor(0.5)).item()),
        torch.ones(1, 20000).bool(),
    )
    drawn = posterior.sample()
    assert drawn.mean().item() == pytest.approx(2.0, abs=0.02) and drawn.std().item() == pytest.approx(0.5, abs=0.02)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 30))
def test_recogniser_padding(length):
    torch.manual_seed(0)
    network = Recogniser(RecogniserConfig(channels=8, layers=1)).eval()
    mel = torch.randn(2, 100, 30) - 5
    mask = torch.arange(30)[None] < torch.tensor([30, length])[:, None]
    with torch.no_grad():
        together = network(mel, mask)
        alone = network(mel[1:, :, :length], mask[1:, :length])
    assert together.shape == (2, 40, 30)
    assert (together[1, :, :length] - alone[0]).abs().max() < 1e-5
