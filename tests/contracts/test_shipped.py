"""The weights in the tree: they load, fit the promised names, and obey the law."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.models.blocks import frames_from
from prosody_transfer.store.vocoders import load_vocoder
from prosody_transfer.store.voices import list_voices
from prosody_transfer.store.weights import load_network, shipped

GOLDEN = Path(__file__).parents[1] / "golden" / "state_keys.json"


def network(kind: str):
    if not shipped(kind).exists():
        pytest.skip(f"no weights of the {kind} are in this tree")
    return load_network(kind)


@pytest.mark.parametrize("kind", ["copycat", "vocoder", "recogniser"])
def test_shipped_weights(kind):
    loaded, header = network(kind)
    names, promised = set(loaded.state_dict()), set(json.loads(GOLDEN.read_text(encoding="utf8"))[kind])
    any_block = lambda found: {re.sub(r"(decoder_\w+\.blocks|^network\.blocks)\.\d+", r"\1.N", name) for name in found}
    assert len(promised) <= len(names) and any_block(names) == any_block(promised)  # it may be deeper than the default
    assert all(torch.isfinite(v).all() for v in loaded.state_dict().values())
    assert loaded.config.mel == MelConfig() and not loaded.training
    steps = [run.get("step", 0) for run in [header, *header.get("started_from", [])]]  # of a mean: those of its parts
    assert max(steps) > 0 and header.get("data"), "names no training: use store.weights.ship"
    assert shipped(kind).stat().st_size < 20e6


def test_every_voice_is_in_the_model():
    loaded, header = network("copycat")
    assert set(loaded.config.speakers) == {v.name for v in list_voices()} == set(header["voices"])
    assert len(loaded.speaker_table.weight) == len(loaded.config.speakers)
    for voice in list_voices():
        assert math.exp(header["voices"][voice.name]["log_f0_median"]) == pytest.approx(voice.f0_median_hz, rel=0.02)


def test_the_shipped_vocoder_streams_exactly(assert_law):
    loaded, _ = network("vocoder")
    torch.manual_seed(0)
    size = 40
    mel = torch.randn(2, 100, size, dtype=torch.float64) - 5
    pitch = 5.0 + 0.2 * torch.sin(torch.arange(size, dtype=torch.float64) / 6).expand(2, 1, -1)
    voiced = (torch.arange(size) % 15 > 4).double().expand(2, 1, -1)
    frames = frames_from(torch.cat([mel, voiced, pitch], 1), torch.tensor([size, 23]))
    for chunk in (1, 7, 32):
        assert_law(loaded.double(), frames, chunk, tolerance=1e-8)


def test_the_default_vocoder_is_the_shipped_one():
    loaded, _ = network("vocoder")
    found, mel, name = load_vocoder()
    assert (mel, name) == (MelConfig(), "ptx")
    assert all(
        torch.equal(a, b) for a, b in zip(found.state_dict().values(), loaded.state_dict().values(), strict=True)
    )
