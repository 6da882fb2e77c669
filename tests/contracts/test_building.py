"""Stacks from JSON: what fits is built, what does not is refused with the place and the remedy."""

from __future__ import annotations

import pytest
import torch

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.blocks import Stack, build, frames_from, register

CONV = {"block": "conv", "in_channels": 3, "out_channels": 4}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"block": "lstm"}, r"^stack: no block is called 'lstm'; known: .*conv"),
        ({"in_channels": 3}, r"^stack: no block is called None"),
        ({**CONV, "kernel": 3}, r"^stack: conv has no setting 'kernel'; known: .*kernel_size"),
        ({**CONV, "self": 3}, r"^stack: conv has no setting 'self'"),
        ({"block": "conv"}, r"^stack: conv: .*missing"),
        ({"block": "conv", "in_channels": "3", "out_channels": 4}, "^stack: conv: "),
        ({"block": "stack", "blocks": []}, "^stack: has no blocks"),
        (
            {"block": "stack", "blocks": [CONV], "version": 2},
            "^stack: format version 2 is not known; this ptx reads version 1",
        ),
        ({"block": ["conv"]}, "stack"),
        ("conv", "stack"),
        ({"block": "stack", "blocks": "conv"}, "stack"),
        ({**CONV, "in_channels": -3}, "conv"),
        ({"block": "average_pool", "channels": 3, "factor": 0}, "average_pool"),
        ({"block": "repeat", "channels": 3, "factor": 1.5}, "repeat"),
        ({"block": "convnext", "channels": 4, "kernel_size": 4}, "convnext"),
    ],
    ids=str,
)
def test_a_bad_specification_is_refused(spec, message):
    with pytest.raises(ModelError, match=message):
        build(spec)


def test_the_place_is_named():
    with pytest.raises(ModelError, match=r"^decoder\[1\]: no block is called 'lstm'"):
        Stack([CONV, {"block": "lstm"}], name="decoder")
    with pytest.raises(ModelError, match=r"^decoder\[1\]: conv has no setting 'kernel'"):
        Stack([CONV, {**CONV, "kernel": 1}], name="decoder")
    inner = {"block": "stack", "name": "inner", "blocks": [CONV, {"block": "lstm"}]}
    with pytest.raises(ModelError, match=r"^inner\[1\]: no block is called 'lstm'"):
        Stack([inner], name="outer")


def test_channels_that_do_not_meet_are_refused():
    message = (
        r"^decoder\[0\]: gives 4 channels, but block 1 takes 3; make them equal or put a pointwise block between them"
    )
    with pytest.raises(ModelError, match=message):
        Stack([CONV, CONV], name="decoder")


def test_contexts_of_two_sizes_are_refused():
    blocks = [{"block": "convnext", "channels": 4, "context_channels": size} for size in (5, 6)]
    with pytest.raises(ModelError, match=r"^decoder: blocks want contexts of different sizes: \[5, 6\]"):
        Stack(blocks, name="decoder")
    assert Stack([blocks[0], {"block": "convnext", "channels": 4}, blocks[0]]).context_channels == 5


def test_two_blocks_cannot_share_a_name():
    with pytest.raises(ValueError, match="two blocks are called conv"):
        register("conv")(Stack)


def test_frames_from_masks_and_zeroes():
    frames = frames_from(torch.ones(2, 3, 4), torch.tensor([4, 2]))
    assert frames.mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert frames.values[1].tolist() == [[1.0, 1.0, 0.0, 0.0]] * 3
    assert frames_from(torch.ones(2, 3, 4)).mask.all()


def test_average_pool_counts_real_frames_only():
    block = build({"block": "average_pool", "channels": 1, "factor": 4})
    frames = frames_from(
        torch.tensor([[[1.0, 3.0, 5.0, 7.0, 9.0, 11.0]], [[2.0, 4.0, 6.0, 99.0, 99.0, 99.0]]]), torch.tensor([6, 3])
    )
    out = block(frames)
    assert out.values.tolist() == [[[4.0, 10.0]], [[4.0, 0.0]]]
    assert out.mask.tolist() == [[True, True], [True, False]]


def test_instance_norm_has_unit_statistics_over_real_frames():
    torch.manual_seed(0)
    block = build({"block": "instance_norm", "channels": 3, "activation": False})
    frames = frames_from(5 + 7 * torch.randn(2, 3, 40), torch.tensor([40, 25]))
    out = block(frames).values
    for row, size in enumerate((40, 25)):
        assert out[row, :, :size].mean(1).abs().max() < 1e-5
        assert (out[row, :, :size].var(1, unbiased=False) - 1).abs().max() < 1e-4


def test_adaptive_norm_starts_neutral():
    """AdaLN starts as plain normalisation: the context moves nothing before training."""
    torch.manual_seed(0)
    block = build({"block": "convnext", "channels": 4, "context_channels": 5})
    frames = frames_from(torch.randn(1, 4, 20))
    assert torch.equal(block(frames, torch.zeros(1, 5)).values, block(frames, torch.randn(1, 5)).values)
