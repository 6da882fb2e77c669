"""Frames of consecutive pieces -> one waveform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from prosody_transfer.synthesis.acoustic import DecodedFrames

VOCODER_CHUNK_FRAMES = 512
MARGIN_FRAMES = 12  # of its neighbours, that a piece is vocoded with where the vocoder can't stream


def vocode(vocoder: Any, pieces: Iterable[DecodedFrames]) -> Iterator[np.ndarray]:
    """The waveform of consecutive pieces, in chunks; no seam at their borders, because one stream is spoken through.

    A vocoder that can't stream gets each piece by itself, with a margin; borders are crossfaded. An addon (what has
    `vocode`) does it by itself, without torch.
    """
    if hasattr(vocoder, "vocode"):
        yield from vocoder.vocode(pieces)
        return
    import torch

    from prosody_transfer.models.blocks import Frames

    frames = lambda s: np.concatenate([s.mel, s.voiced[None].astype(np.float32), s.log_f0[None]]).astype(np.float32)
    if not hasattr(vocoder, "step"):
        yield from _vocode_apart(vocoder, map(frames, pieces))
        return
    skip = vocoder.latency
    with torch.inference_mode():
        state = vocoder.initial_state(1)
        tail = np.zeros((vocoder.in_channels, vocoder.latency), np.float32)
        for values in chain(map(frames, pieces), [tail]):
            for start in range(0, values.shape[1], VOCODER_CHUNK_FRAMES):
                chunk = torch.from_numpy(values[:, start : start + VOCODER_CHUNK_FRAMES])[None]
                real = torch.full((1, chunk.shape[2]), values is not tail)
                audio, state = vocoder.step(Frames(chunk, real), state)
                count = chunk.shape[2]
                hop = audio.values.shape[2] // count
                dropped = min(skip, count)
                skip -= dropped
                if dropped < count:
                    yield audio.values[0, 0, dropped * hop :].numpy()


def _vocode_apart(vocoder: Any, pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames (C, T_piece) of consecutive pieces -> their samples, crossfaded over one hop around each border."""
    import torch

    from prosody_transfer.models.blocks import Frames

    coming = iter(pieces)
    piece = next(coming, None)
    before, tail = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
    while piece is not None:
        following = next(coming, None)
        before = before if before.size else piece[:, :0]
        after = piece[:, :0] if following is None else following[:, :MARGIN_FRAMES]
        values = torch.from_numpy(np.concatenate([before, piece, after], 1))[None]
        with torch.inference_mode():
            audio = vocoder(Frames(values, torch.ones(1, values.shape[2], dtype=torch.bool))).values[0, 0].numpy()
        hop = len(audio) // values.shape[2]
        half = hop // 2
        start, end = before.shape[1] * hop, (before.shape[1] + piece.shape[1]) * hop
        part = audio[start - (half if before.size else 0) : end + (half if after.shape[1] else 0)].copy()
        fade = (np.arange(len(tail), dtype=np.float32) + 0.5) / max(1, len(tail))
        part[: len(tail)] = tail + (part[: len(tail)] - tail) * fade
        tail = part[len(part) - 2 * half :] if after.shape[1] else part[:0]
        yield part[: len(part) - len(tail)]
        before, piece = piece[:, -MARGIN_FRAMES:], following
