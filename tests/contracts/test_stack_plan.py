"""Ratio, block size and latency of a stack, on hand-worked and on random compositions."""

from __future__ import annotations

from fractions import Fraction
from math import lcm, prod

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.blocks import Stack, frames_from


def conv(kernel_size: int, dilation: int = 1, causal: bool = False):
    return {
        "block": "conv",
        "in_channels": 2,
        "out_channels": 2,
        "kernel_size": kernel_size,
        "dilation": dilation,
        "causal": causal,
    }


def convnext(kernel_size: int):
    return {"block": "convnext", "channels": 2, "kernel_size": kernel_size, "expansion": 1}


def pool(factor: int):
    return {"block": "average_pool", "channels": 2, "factor": factor}


def repeat(factor: int):
    return {"block": "repeat", "channels": 2, "factor": factor}


@pytest.mark.parametrize(
    ("blocks", "ratio", "block_size", "latency"),
    [
        ([conv(5)], Fraction(1), 1, 2),
        ([conv(5, causal=True)], Fraction(1), 1, 0),
        ([conv(5, 3), convnext(7)], Fraction(1), 1, 9),
        ([pool(4)], Fraction(1, 4), 4, 0),
        (
            [conv(3), pool(4)],
            Fraction(1, 4),
            4,
            4,
        ),  # look-ahead 1, then 3 more so that groups fall where they do offline
        ([conv(3), pool(4), conv(3), repeat(4)], Fraction(1), 4, 8),  # one look-ahead step behind the pool is 4 frames
        ([repeat(2), conv(5)], Fraction(2), 1, 1),
        ([pool(2), pool(3)], Fraction(1, 6), 6, 0),
        ([pool(4), repeat(8)], Fraction(2), 4, 0),
    ],
)
def test_hand_worked(blocks, ratio, block_size, latency):
    stack = Stack(blocks)
    assert (stack.ratio, stack.block_size, stack.latency) == (ratio, block_size, latency)


def test_a_lag_that_is_not_whole_is_refused():
    with pytest.raises(
        ModelError, match="the lag of 1/2 frames is not whole; move the look-ahead before the up-sampling block"
    ):
        Stack([repeat(2), conv(3)])


def expected_frames(blocks, size: int) -> int:
    for block in blocks:
        if block["block"] == "average_pool":
            size = -(-size // block["factor"])
        elif block["block"] == "repeat":
            size *= block["factor"]
    return size


def least_block(blocks) -> int:
    """The least chunk of which every block gets a whole number of groups, and that comes out whole."""
    ratio, size = Fraction(1), 1
    for block in blocks:
        if block["block"] == "average_pool":
            size = lcm(size, (block["factor"] / ratio).numerator)
            ratio /= block["factor"]
        elif block["block"] == "repeat":
            ratio *= block["factor"]
    return lcm(size, ratio.denominator)


@pytest.mark.parametrize(
    ("blocks", "block_size"),
    [
        ([pool(2), pool(3)], 6),
        ([pool(2), repeat(2), pool(3)], 6),
        ([pool(4), repeat(2), pool(3)], 12),
    ],
)
def test_block_size_serves_every_pool(blocks, block_size):
    assert least_block(blocks) == block_size
    assert Stack(blocks).block_size == block_size


BLOCKS = st.one_of(
    st.builds(conv, st.integers(1, 5), st.integers(1, 2), st.booleans()),
    st.builds(convnext, st.sampled_from([1, 3, 5])),
    st.builds(pool, st.integers(1, 4)),
    st.builds(repeat, st.integers(1, 3)),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(BLOCKS, min_size=1, max_size=5), st.lists(st.integers(1, 30), min_size=1, max_size=3), st.integers(1, 3)
)
def test_random_compositions(assert_law, blocks, lengths, chunks):
    try:
        stack = Stack(blocks)
    except ModelError as error:
        assert "is not whole" in str(error)
        assume(False)
    factor = lambda b: Fraction(1, b["factor"]) if b["block"] == "average_pool" else Fraction(b.get("factor", 1))
    assert stack.ratio == prod((factor(b) for b in blocks), start=Fraction(1))
    assert stack.block_size == least_block(blocks)
    torch.manual_seed(0)
    stack = stack.double()
    frames = frames_from(torch.randn(len(lengths), 2, max(lengths), dtype=torch.float64), torch.tensor(lengths))
    with torch.no_grad():
        whole = stack(frames)
    assert whole.mask.sum(1).tolist() == [expected_frames(blocks, n) for n in lengths]
    assert_law(stack, frames, chunks * stack.block_size)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_chunks_of_changing_size(sizes):
    """Nothing but the multiple matters: chunks may differ in size from one to the next."""
    torch.manual_seed(0)
    stack = Stack([conv(3), pool(4), convnext(3), repeat(2)]).double()
    total = 4 * sum(sizes)
    frames = frames_from(torch.randn(1, 2, total, dtype=torch.float64))
    state, pieces, start = stack.initial_state(1), [], 0
    padded = frames_from(torch.nn.functional.pad(frames.values, (0, stack.latency)), torch.tensor([total]))
    with torch.no_grad():
        for size in [4 * s for s in sizes] + [stack.latency]:
            piece, state = stack.step(
                type(frames)(padded.values[..., start : start + size], padded.mask[:, start : start + size]), state
            )
            pieces.append(piece.values)
            start += size
        whole = stack(frames).values
    streamed = torch.cat(pieces, -1)[..., int(stack.latency * stack.ratio) :]
    assert (streamed - whole).abs().max() <= 1e-9
