"""The Vocos reader against a second implementation, written from plain operations."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError, ShapeError
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.models.vocoder.vocos import VocosVocoder, vocos_from_state


def random_state(width: int = 24, hidden: int = 40, layers: int = 3) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    state = VocosVocoder(MelConfig(), width, hidden, layers).state_dict()
    return {
        k: v if k.startswith("feature_extractor") or k.endswith("window") else 0.3 * torch.randn_like(v)
        for k, v in state.items()
    }


def plain_vocos(state: dict[str, torch.Tensor], mel: torch.Tensor) -> torch.Tensor:
    """(1, M, T) -> ((T - 1) * hop,), one frame after another: no module, no istft, every sum written out."""
    norm = lambda x, name: F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], 1e-6)
    x = F.conv1d(mel, state["backbone.embed.weight"], state["backbone.embed.bias"], padding=3)[0].T  # (T, C)
    x = norm(x, "backbone.norm")
    layer = 0
    while (name := f"backbone.convnext.{layer}") + ".gamma" in state:
        kernel = state[f"{name}.dwconv.weight"][:, 0]  # (C, 7)
        padded = F.pad(x.T, (3, 3))
        y = sum(kernel[:, i : i + 1] * padded[:, i : i + len(x)] for i in range(7)).T + state[f"{name}.dwconv.bias"]
        y = norm(y, f"{name}.norm") @ state[f"{name}.pwconv1.weight"].T + state[f"{name}.pwconv1.bias"]
        y = 0.5 * y * (1 + torch.erf(y / math.sqrt(2)))
        x = x + state[f"{name}.gamma"] * (y @ state[f"{name}.pwconv2.weight"].T + state[f"{name}.pwconv2.bias"])
        layer += 1
    out = norm(x, "backbone.final_layer_norm") @ state["head.out.weight"].T + state["head.out.bias"]
    magnitude, phase = torch.exp(out[:, :513]).clip(max=1e2), out[:, 513:]
    window, size = state["head.istft.window"], (len(out) - 1) * 256 + 1024
    audio, weight = torch.zeros(size), torch.zeros(size)
    for t in range(len(out)):
        spectrum = magnitude[t] * torch.cos(phase[t]) + 1j * magnitude[t] * torch.sin(phase[t])
        audio[t * 256 : t * 256 + 1024] += torch.fft.irfft(spectrum, 1024) * window
        weight[t * 256 : t * 256 + 1024] += window**2
    return (audio / weight.clamp(min=1e-11))[512:-512]


def frames(lengths=(23,)) -> tuple:
    torch.manual_seed(4)
    values = torch.randn(len(lengths), 102, max(lengths)) * 2 - 5
    return frames_from(values, torch.tensor(lengths))


def test_equals_the_second_implementation():
    state = random_state()
    state["head.out.bias"][:513] += 3.0  # so that some magnitudes meet the limit
    network = vocos_from_state(state, MelConfig(), "here")
    given = frames()
    with torch.no_grad():
        out = network(given)
    expected = plain_vocos(state, given.values[:, :100])
    assert out.values.shape == (1, 1, 23 * 256) and out.mask.all()
    assert expected.abs().max() > 0.1
    assert (out.values[0, 0, : 22 * 256] - expected).abs().max() < 2e-4 * expected.abs().max()
    assert not out.values[0, 0, 22 * 256 :].any()


def test_voicing_and_f0_are_ignored():
    network = vocos_from_state(random_state(), MelConfig(), "here")
    given = frames()
    other = given.values.clone()
    other[:, 100:] += 1
    with torch.no_grad():
        assert torch.equal(network(given).values, network(frames_from(other)).values)


def test_padding_never_changes_a_result():
    network = vocos_from_state(random_state(), MelConfig(), "here")
    lengths = (23, 9, 1)
    given = frames(lengths)
    with torch.no_grad():
        together = network(given)
        for row, length in enumerate(lengths):
            alone = network(frames_from(given.values[row : row + 1, :, :length]))
            assert (together.values[row, :, : length * 256] - alone.values[0]).abs().max() < 1e-5
            assert not together.values[row, :, length * 256 :].any()
            assert together.mask[row].sum() == length * 256


def test_the_public_sizes():
    network = VocosVocoder()
    assert sum(p.numel() for p in network.parameters()) == 13_531_650
    names = set(network.state_dict())
    assert len(names) == 3 + 2 + 2 + 8 * 9 + 2 + 2
    assert {
        "feature_extractor.mel_spec.spectrogram.window",
        "feature_extractor.mel_spec.mel_scale.fb",
        "backbone.embed.weight",
        "backbone.norm.bias",
        "backbone.convnext.7.dwconv.weight",
        "backbone.convnext.0.norm.weight",
        "backbone.convnext.0.pwconv1.weight",
        "backbone.convnext.0.pwconv2.bias",
        "backbone.convnext.0.gamma",
        "backbone.final_layer_norm.weight",
        "head.out.weight",
        "head.istft.window",
    } <= names


def test_training_leftovers_and_missing_constants_do_no_harm():
    state = random_state()
    network = vocos_from_state(state, MelConfig(), "here")
    thin = {k: v for k, v in state.items() if not k.startswith("feature_extractor") and not k.endswith("window")}
    again = vocos_from_state({**thin, "multiperioddisc.discriminators.0.weight": torch.ones(3)}, MelConfig(), "here")
    with torch.no_grad():
        assert torch.equal(network(frames()).values, again(frames()).values)


def test_half_precision_is_read():
    halved = {k: v.half() if v.ndim else v for k, v in random_state().items()}
    assert vocos_from_state(halved, MelConfig(), "here").backbone.embed.weight.dtype == torch.float32


def without(state, key):
    return {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {}, "^here: is neither a ptx nor a Vocos mel vocoder"),
        (lambda s: without(s, "head.out.weight"), "is neither a ptx nor a Vocos"),
        (lambda s: without(s, "backbone.convnext.1.gamma"), "does not fit the Vocos network"),
        (
            lambda s: {**s, "backbone.embed.weight": torch.zeros(24, 80, 7)},
            "is made for 80 mels and n_fft 1024, not 100 and 1024",
        ),
        (lambda s: {**s, "head.out.weight": torch.zeros(514, 24)}, "is made for 100 mels and n_fft 512"),
        (lambda s: {**s, "head.out.bias": torch.zeros(5)}, "does not fit the Vocos network"),
        (lambda s: {**s, "backbone.norm.scale.weight": torch.zeros(4, 24)}, "does not fit the Vocos network"),
        (
            lambda s: {**s, "feature_extractor.mel_spec.mel_scale.fb": torch.rand(513, 100)},
            "is made for mels of other bands",
        ),
        (lambda s: {**s, "backbone.convnext.x.gamma": torch.zeros(24)}, "does not fit the Vocos network"),
    ],
)
def test_what_is_no_mel_vocos_is_refused(change, message):
    with pytest.raises(ModelError, match=message):
        vocos_from_state(change(random_state()), MelConfig(), "here")


def test_wrong_channels_are_refused():
    with pytest.raises(ShapeError, match=r"expects \(B, 102, T\)"):
        VocosVocoder(MelConfig(), 8, 8, 1)(frames_from(torch.zeros(1, 100, 4)))
