"""A layer that is pushed gives what it gives when it is pulled, as soon as it is final."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration.session import Session

FRAMES = 210


def frames(seed: int, size: int = FRAMES) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    voiced = np.sin(np.arange(size) / 9)[None] > -0.3
    mel = (rng.standard_normal((1, 100, size)) - 1).astype(np.float32)
    return {"mel": mel, "voiced": voiced.astype(np.float32), "pitch": np.full((1, size), 5.0, np.float32)}


def part(given: dict[str, np.ndarray], start: int, stop: int) -> dict[str, np.ndarray]:
    return {name: value[..., start:stop] for name, value in given.items()}


@pytest.mark.parametrize("size", [1, 7, 32, 200, FRAMES])
@pytest.mark.parametrize(
    "stack", [[{"type": "Vocoder"}], [{"type": "StreamableStack", "stack": [{"type": "Vocoder"}]}]]
)
def test_pushed_as_pulled(layer, stack, size: int) -> None:
    made = layer(stack, chunk_frames=8)
    given, expected = frames(0), made.run(frames(0))["waveform"]
    session, found = Session(made), []
    for start in range(0, FRAMES, size):
        found.append(session.push(part(given, start, start + size))["waveform"])
        done = sum(value.shape[-1] for value in found)
        assert done == max(0, min(FRAMES, start + size) - session.frames_behind) * 256
    found.append(session.finish()["waveform"])
    assert np.abs(expected).max() > 0.01
    assert np.abs(np.concatenate(found, -1) - expected).max() < 1e-5 * np.abs(expected).max()


def test_nothing_and_one_frame(layer) -> None:
    made = layer([{"type": "Vocoder"}], chunk_frames=8)
    session = Session(made)
    assert session.push(frames(0, 0))["waveform"].shape == (1, 1, 0)
    assert session.finish()["waveform"].shape == (1, 1, 0)
    session = Session(made)
    session.push(frames(0, 1))
    assert session.finish()["waveform"].shape == (1, 1, 256)


def test_two_sessions_of_one_layer(layer) -> None:
    made = layer([{"type": "Vocoder"}], chunk_frames=8)
    sessions, given = [Session(made), Session(made)], [frames(0), frames(1)]
    found = [[], []]
    for start in range(0, FRAMES, 50):
        for k in (0, 1):
            found[k].append(sessions[k].push(part(given[k], start, start + 50))["waveform"])
    for k in (0, 1):
        whole = np.concatenate([*found[k], sessions[k].finish()["waveform"]], -1)
        assert np.abs(whole - made.run(given[k])["waveform"]).max() < 1e-5


def test_a_layer_that_makes_its_own_frames_is_refused(layer) -> None:
    with pytest.raises(ModelError, match="begins a stream by itself"):
        Session(layer())
