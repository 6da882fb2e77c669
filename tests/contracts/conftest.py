"""The one helper that enforces the streaming law, as a fixture."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from prosody_transfer.models.blocks import Frames, StreamingBlock


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


def _stream(block: StreamingBlock, frames: Frames, chunk: int, context=None) -> Frames:
    """Feed frames in chunks, then masked ones until the latency is worked off; the lag is cut off the front.

    The last block is filled up before the latency is counted: a last group that holds one real frame is as long as any.
    """
    size = frames.mask.shape[1]
    filled = math.ceil(size / block.block_size) * block.block_size
    total = math.ceil((filled + block.latency) / chunk) * chunk
    values, mask = F.pad(frames.values, (0, total - size)), F.pad(frames.mask, (0, total - size))
    state, pieces = block.initial_state(values.shape[0]), []
    for start in range(0, total, chunk):
        part = slice(start, start + chunk)
        piece, state = block.step(Frames(values[..., part], mask[:, part]), state, context)
        assert piece.values.shape[-1] == piece.mask.shape[-1] == chunk * block.ratio, (
            "a step gives chunk * ratio frames"
        )
        pieces.append(piece)
    out = Frames(torch.cat([p.values for p in pieces], -1), torch.cat([p.mask for p in pieces], -1))
    lag = block.latency * block.ratio
    assert lag.denominator == 1
    assert not out.mask[:, : int(lag)].any(), "the lag is masked"
    return Frames(out.values[..., int(lag) :], out.mask[:, int(lag) :])


def _assert_law(block: StreamingBlock, frames: Frames, chunk: int, context=None, tolerance: float = 1e-9) -> None:
    """concat(step(chunk_0), step(chunk_1), ...)[latency * ratio:] == forward(whole), edges and padding included."""
    with torch.no_grad():
        whole, streamed = block(frames, context), _stream(block, frames, chunk, context)
    size = whole.mask.shape[1]
    assert torch.equal(streamed.mask[:, :size], whole.mask)
    assert not streamed.mask[:, size:].any()
    difference = (streamed.values[..., :size] - whole.values).abs().max().item()
    assert difference <= tolerance, f"chunks of {chunk}: differs by {difference:.2e}"
    assert not streamed.values[..., size:].any(), "nothing sounds after the end"


@pytest.fixture(scope="session")
def assert_law():
    return _assert_law


@pytest.fixture(scope="session")
def stream():
    return _stream
