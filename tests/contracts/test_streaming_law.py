"""Every registered block obeys the laws in models/blocks/base.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

import prosody_transfer.models.tracker.network  # noqa: F401
import prosody_transfer.models.vocoder.network  # noqa: F401 (registers its blocks)
from prosody_transfer.core.errors import ModelError, ShapeError
from prosody_transfer.models.blocks import REGISTRY, Frames, StreamingBlock, build, frames_from

CONV = {"block": "conv", "in_channels": 3, "out_channels": 4}
MIXED = [
    CONV,
    {"block": "convnext", "channels": 4, "context_channels": 5},
    {"block": "average_pool", "channels": 4, "factor": 4},
    {"block": "convnext", "channels": 4, "kernel_size": 3},
    {"block": "repeat", "channels": 4, "factor": 4},
    {"block": "pointwise", "in_channels": 4, "out_channels": 2},
]
REFERENCE = [
    CONV,
    {"block": "instance_norm", "channels": 4, "context_channels": 5, "activation": False},
    {"block": "conv", "in_channels": 4, "out_channels": 4},
    {"block": "instance_norm", "channels": 4},
    {"block": "average_pool", "channels": 4, "factor": 8},
    {"block": "pointwise", "in_channels": 4, "out_channels": 6},
]
SMALL_MEL = {"sample_rate": 8000, "n_fft": 64, "win_length": 64, "hop_length": 16, "n_mels": 6}
SMALL_SPECTRUM = {"pitches": 9, "bins_per_octave": 4, "harmonics": 3}

# At least one example for every registered name; a block with settings that change its shape in time has several.
EXAMPLES: list[dict[str, Any]] = [
    {"block": "pointwise", "in_channels": 3, "out_channels": 5},
    {"block": "pointwise", "in_channels": 3, "out_channels": 5, "activation": True},
    CONV,
    {**CONV, "kernel_size": 3, "dilation": 3, "activation": True},
    {**CONV, "kernel_size": 4},
    {**CONV, "causal": True},
    {**CONV, "kernel_size": 1},
    {"block": "convnext", "channels": 4},
    {"block": "convnext", "channels": 4, "kernel_size": 5, "context_channels": 5},
    {"block": "instance_norm", "channels": 3},
    {"block": "instance_norm", "channels": 3, "context_channels": 5, "activation": False},
    {"block": "average_pool", "channels": 3, "factor": 4},
    {"block": "average_pool", "channels": 3, "factor": 1},
    {"block": "repeat", "channels": 3, "factor": 4},
    {"block": "stack", "blocks": MIXED},
    {"block": "stack", "blocks": [{"block": "stack", "blocks": MIXED[:3]}, {"block": "stack", "blocks": MIXED[3:]}]},
    {"block": "stack", "blocks": REFERENCE},
    {"block": "source_filter", "sample_rate": 8000, "n_fft": 64, "hop_length": 16},
    {"block": "conv", "in_channels": 3, "out_channels": 4, "kernel_size": 5, "look_ahead": 1},
    {"block": "convnext", "channels": 4, "kernel_size": 5, "look_ahead": 0},
    {"block": "convnext", "channels": 4, "kernel_size": 5, "look_ahead": 3},
    {"block": "running_centre", "channels": 3},
    {"block": "running_context", "channels": 4, "squeezed_channels": 3},
    {"block": "mel_matching", "config": SMALL_MEL},
    {"block": "mel_matching", "config": SMALL_MEL, "iterations": 3},
    {"block": "harmonics", "out_channels": 5, "config": SMALL_SPECTRUM, "inner_channels": 3},
    {"block": "vocoder", "config": {"mel": SMALL_MEL, "channels": 8, "layers": 2}},
    {"block": "vocoder", "config": {"mel": SMALL_MEL, "channels": 8, "layers": 2, "matching": 2}},
]


def name(spec: dict[str, Any]) -> str:
    inner = "-".join(b["block"] for b in spec.get("blocks", []))
    return "-".join(
        [spec["block"], *(f"{k}{v}" for k, v in spec.items() if isinstance(v, int)), *([inner] if inner else [])]
    )


def streams(spec: dict[str, Any]) -> bool:
    block = build(spec)
    return isinstance(block, StreamingBlock) and getattr(block, "streamable", True)


def example(spec: dict[str, Any], lengths: tuple[int, ...]) -> tuple[Any, Frames, torch.Tensor | None]:
    """A block in float64 with random weights (also those that start at zero), a ragged batch, a context if needed."""
    torch.manual_seed(1)
    block = build(spec).double().eval()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    values = torch.randn(len(lengths), block.in_channels, max(lengths), dtype=torch.float64)
    if spec["block"] in ("source_filter", "vocoder"):
        values = values * 0.5
        values[:, -1] = 5.0 + 0.3 * torch.randn(len(lengths), max(lengths))  # ln F0
    context = torch.randn(len(lengths), block.context_channels, dtype=torch.float64) if block.context_channels else None
    return block, frames_from(values, torch.tensor(lengths)), context


def tolerance(spec: dict[str, Any]) -> float:
    return 1e-8 if spec["block"] in ("source_filter", "vocoder") else 1e-9


def test_every_registered_block_has_an_example():
    assert {spec["block"] for spec in EXAMPLES} == set(REGISTRY)


@pytest.mark.parametrize("lengths", [(41, 24, 1), (7,), (48, 48)], ids=str)
@pytest.mark.parametrize("spec", [s for s in EXAMPLES if streams(s)], ids=name)
def test_streamed_equals_whole(spec, lengths, assert_law):
    block, frames, context = example(spec, lengths)
    for chunk in sorted({block.block_size * n for n in (1, 2, 3, 5, 8, 16)}):
        assert_law(block, frames, chunk, context, tolerance(spec))


@pytest.mark.parametrize("spec", EXAMPLES, ids=name)
def test_padding_never_changes_a_result(spec):
    lengths = (41, 24, 9, 1)
    block, frames, context = example(spec, lengths)
    with torch.no_grad():
        together = block(frames, context)
        for row, length in enumerate(lengths):
            alone = block(
                frames_from(frames.values[row : row + 1, :, :length]),
                None if context is None else context[row : row + 1],
            )
            size = alone.mask.shape[1]
            assert alone.mask.all() and together.mask[row].sum() == size
            assert (together.values[row, :, :size] - alone.values[0]).abs().max() <= tolerance(spec)
            assert not together.values[row, :, size:].any(), "zero outside the mask"


@pytest.mark.parametrize("spec", EXAMPLES, ids=name)
def test_same_weights_from_json(spec):
    """build(spec) from JSON makes the same block, and a state dict of one fills the other."""
    block, frames, context = example(spec, (24, 16))
    again = build(json.loads(json.dumps(spec))).double().eval()
    again.load_state_dict(block.state_dict())
    with torch.no_grad():
        assert torch.equal(again(frames, context).values, block(frames, context).values)


@pytest.mark.parametrize("spec", [s for s in EXAMPLES if streams(s)], ids=name)
def test_state_is_an_argument(spec):
    """Streaming leaves no trace in the module: the same state gives the same answer twice."""
    block, frames, context = example(spec, (16, 16))
    keys, attributes = list(block.state_dict()), set(vars(block))
    state = block.initial_state(2)
    with torch.no_grad():
        _, state = block.step(frames, state, context)
        first, _ = block.step(frames, state, context)
        second, _ = block.step(frames, state, context)
    assert torch.equal(first.values, second.values)
    assert list(block.state_dict()) == keys and set(vars(block)) == attributes
    parameters = {k for k, _ in block.named_parameters()}
    assert set(keys) == parameters, "only learned numbers are stored"


@pytest.mark.parametrize("spec", [s for s in EXAMPLES if not streams(s)], ids=name)
def test_what_cannot_stream_says_so(spec):
    block = build(spec)
    if isinstance(block, StreamingBlock):
        with pytest.raises(ModelError, match=r"cannot stream because of InstanceNorm.*whole sequences"):
            block.initial_state(1)
    else:
        assert not hasattr(block, "step")


@pytest.mark.parametrize("spec", EXAMPLES, ids=name)
def test_wrong_shapes_are_refused(spec):
    block, frames, context = example(spec, (24, 16))
    with pytest.raises(ShapeError, match="expects"):
        block(Frames(frames.values[:, 1:], frames.mask), context)
    with pytest.raises(ShapeError, match="mask"):
        block(Frames(frames.values, frames.mask[:, 1:]), context)
    if context is not None:
        with pytest.raises(ShapeError, match="context"):
            block(frames, None)
        with pytest.raises(ShapeError, match="context"):
            block(frames, context[:, 1:])


def test_a_chunk_that_is_no_multiple_is_refused():
    block = build({"block": "average_pool", "channels": 1, "factor": 4})
    assert isinstance(block, StreamingBlock)
    with pytest.raises(ShapeError, match="6 frames is no multiple of the block size 4"):
        block.step(frames_from(torch.zeros(1, 1, 6)), block.initial_state(1))
