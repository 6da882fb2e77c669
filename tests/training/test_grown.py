"""What a training starts from: shallower decoders, and the mean of several runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import N_POSITION, ProsodyInputs
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.copycat.task import grown
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.training.start import start_from

FRAMES = 20


def made(layers: int) -> CopyCat:
    small = CopyCatConfig(
        speakers=("ann", "bob"), layers=layers, channels=16, phone_channels=8, phone_layers=1, speaker_channels=4,
        reference_channels=8, reference_layers=1,
    )  # fmt: skip
    return CopyCat(small).eval()


def say(network: CopyCat) -> torch.Tensor:
    noise = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(*shape, generator=noise)
    prosody = ProsodyInputs(draw(1, FRAMES), torch.ones(1, FRAMES), draw(1, FRAMES), torch.ones(1, 3))
    mask = torch.ones(1, FRAMES, dtype=torch.bool)
    speaker, level = torch.tensor([1]), torch.tensor([5.0])
    with torch.inference_mode():
        return network.decode(
            draw(1, 8, FRAMES), draw(1, N_POSITION, FRAMES), mask, prosody, draw(1, 4, FRAMES), speaker, level
        ).mel


def test_new_blocks_add_nothing_at_first() -> None:
    torch.manual_seed(0)
    shallow, deep = made(2), made(5)
    assert not torch.allclose(say(deep), say(shallow), atol=0.1)
    deep.load_state_dict(grown(dict(shallow.state_dict()), deep))
    torch.testing.assert_close(say(deep), say(shallow), rtol=0, atol=1e-6)


def test_new_blocks_learn() -> None:
    torch.manual_seed(0)
    deep = made(5)
    deep.load_state_dict(grown(dict(made(2).state_dict()), deep))
    gain = deep.decoder_late.blocks[-1].gain
    assert not gain.any()
    prosody = ProsodyInputs(torch.randn(1, 9), torch.ones(1, 9), torch.randn(1, 9), torch.ones(1, 3))
    up, mask = torch.randn(1, 8, 9), torch.ones(1, 9, dtype=torch.bool)
    said = deep.decode(
        up, torch.randn(1, N_POSITION, 9), mask, prosody, torch.randn(1, 4, 9), torch.tensor([0]), torch.tensor([5.0])
    )
    said.mel.square().mean().backward()
    assert gain.grad is not None and gain.grad.any()


def test_the_mean_of_two_runs(tmp_path: Path) -> None:
    runs = [made(2), made(2)]
    paths = [str(tmp_path / name) for name in ("one.safetensors", "two.safetensors")]
    for network, path in zip(runs, paths, strict=True):
        save_checkpoint(Path(path), "copycat", dict(network.state_dict()), network.config.to_dict())
    both = made(2)
    start_from(both, "copycat", paths)
    for name, value in both.state_dict().items():
        torch.testing.assert_close(value, (runs[0].state_dict()[name] + runs[1].state_dict()[name]) / 2)
    start_from(both, "copycat", paths[1])
    torch.testing.assert_close(say(both), say(runs[1]), rtol=0, atol=0)
    with pytest.raises(ModelError):
        start_from(made(2), "copycat", [paths[0], str(tmp_path / "none.safetensors")])
