"""CopyCat's latent alone: what it is told, where it may start from, and that torch and its addon speak alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import PhoneInputs, ProsodyInputs
from prosody_transfer.models.copycat.network import CopyCat, Decoded
from prosody_transfer.models.copycat_latent.config import CopyCatLatentConfig
from prosody_transfer.models.copycat_latent.network import CopyCatLatent
from prosody_transfer.models.copycat_latent.task import CopyCatLatentTask
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.weights import load_acoustic
from prosody_transfer.synthesis.transfer import Transferer

SMALL: Any = {
    "speakers": ("one", "two"), "phone_channels": 12, "phone_layers": 2, "channels": 16, "layers": 2,
    "speaker_channels": 6, "reference_channels": 10, "reference_layers": 2, "source_channels": 5,
    "temporal_downsampling": 4,
}  # fmt: skip
SIZE = 11


@pytest.fixture(scope="module")
def network() -> CopyCatLatent:
    torch.manual_seed(0)
    network = CopyCatLatent(CopyCatLatentConfig(latent_channels=6, **SMALL)).eval()
    for parameter in network.parameters():  # also those that start at zero
        torch.nn.init.normal_(parameter, std=0.2)
    return network


def say(network: CopyCat, mel: torch.Tensor, keep: tuple[float, float, float], latent: bool = True) -> Decoded:
    torch.manual_seed(2)
    phones = torch.eye(40)[torch.tensor([3, 7])][None]
    given = PhoneInputs(phones, torch.tensor([[1, 2]]), torch.tensor([[5, 6]]), torch.ones(1, 2).bool())
    contours = torch.randn(3, 1, SIZE)
    prosody = ProsodyInputs(contours[0], (contours[1] > 0).float(), contours[2], torch.tensor([keep]))
    mask = torch.ones(1, SIZE).bool()
    with torch.no_grad():
        up, position = network.expand(given, SIZE)
        found = network.spread(network.encode_reference(mel, mask, up, torch.zeros(1)).mean, SIZE)
        speaker, level = torch.zeros(1, dtype=torch.long), torch.full((1,), 5.0)
        return network.decode(up, position, mask, prosody, found if latent else 0 * found, speaker, level)


def test_no_contour_reaches_the_decoder_and_the_embedding_does(network):
    mel = torch.randn(1, 100, SIZE) - 5
    first, second = say(network, mel, (1.0, 1.0, 1.0)), say(network, mel, (0.0, 0.0, 1.0))
    assert torch.equal(first.mel, second.mel) and torch.equal(first.log_f0, second.log_f0)
    other = say(network, mel * torch.linspace(0.5, 1, SIZE), (1.0, 1.0, 1.0))
    assert not torch.equal(first.mel, other.mel)


def test_it_starts_from_copycat_and_says_the_same_as_that_without_its_embedding():
    """All that copycat knows of phones and voices is taken; only what reads or gives the latent begins anew."""
    torch.manual_seed(1)
    old = CopyCat(CopyCatConfig(latent_channels=3, **SMALL)).eval()
    new = CopyCatLatent(CopyCatLatentConfig(latent_channels=6, **SMALL)).eval()
    new.load_state_dict(CopyCatLatentTask.fit(old.state_dict(), new))
    mel = torch.randn(1, 100, SIZE) - 5
    first, second = (say(net, mel, (0.0, 0.0, 0.0), latent=False) for net in (old, new))
    assert torch.allclose(first.mel, second.mel, atol=1e-6)


def test_its_checkpoint_is_of_its_own_kind(network, tmp_path: Path):
    path = tmp_path / "m.safetensors"
    save_checkpoint(path, "copycat-latent", network.state_dict(), network.config.to_dict(), step=1)
    assert isinstance(load_acoustic(path)[0], CopyCatLatent)


def test_it_speaks_alike_by_torch_and_as_an_addon(clip):
    def said(runtime: str | None) -> np.ndarray:
        speak = Transferer("copycat-latent", runtime=runtime).from_audio
        said = "Shall we take the train, or would you prefer to drive?"
        return speak(clip, 24000, "alice", text=said, measure_output=False).waveform

    first, second = said(None), said("onnx")
    # F0 is predicted, and its rounding adds up in the phase of the vocoder's pulses: 50 dB, not 70.
    assert np.sqrt(np.mean((first - second) ** 2)) < 10 ** (-50 / 20) * np.sqrt(np.mean(first**2))
