"""What vocoders that read mels alone have in common: the frame interface, and the mel filters they were made for."""

from __future__ import annotations

import math
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from prosody_transfer.core.config import MelConfig
from prosody_transfer.models.blocks import Block, Frames


def htk_filterbank(mel: MelConfig) -> Tensor:
    """Triangular filters, (M, n_fft // 2 + 1) float32: HTK mel scale from 0 Hz to Nyquist, peak 1, unnormalised.

    The same numbers as the features' filters (tested); networks may not import the features room.
    """
    top = 2595.0 * math.log10(1.0 + mel.sample_rate / 2 / 700.0)
    steps = torch.linspace(0.0, top, mel.n_mels + 2, dtype=torch.float64)
    edges = 700.0 * (10.0 ** (steps / 2595.0) - 1.0)  # Hz, (M + 2,)
    bins = torch.linspace(0.0, mel.sample_rate / 2, mel.n_fft // 2 + 1, dtype=torch.float64)
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0.0).float()


class MelVocoder(Block):
    """Mels in, waveform out, with the frame interface of the shipped vocoder.

    Input channels: `n_mels` natural-log mels, voicing, log F0; the last two are ignored. Output: (B, 1, T *
    hop_length), zero outside the mask. Rows are decoded one by one at their own length, so padding never changes a
    result.
    """

    def __init__(self, mel: MelConfig) -> None:
        super().__init__()
        self.mel = mel
        self.in_channels, self.out_channels = mel.n_mels + 2, 1
        self.ratio = Fraction(mel.hop_length)

    def decode(self, mel: Tensor) -> Tensor:
        """(1, M, T) natural-log mel of real frames, T > 1 -> (1, N), N up to T * hop_length."""
        raise NotImplementedError

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        values, mask = frames
        hop, rows = self.mel.hop_length, []
        for row, count in enumerate(mask.sum(1).tolist()):  # real frames come first, padding after them
            audio = values.new_zeros(1, 0)
            if count > 1:  # one frame alone spans no sample between centres
                audio = self.decode(values[row : row + 1, : self.mel.n_mels, :count])[:, : count * hop]
            rows.append(F.pad(audio, (0, values.shape[-1] * hop - audio.shape[-1])))
        return Frames(torch.stack(rows), mask.repeat_interleave(hop, -1))
