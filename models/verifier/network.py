"""A speaker verification network: which voice a stretch of speech is in, whatever it says."""

from __future__ import annotations

from typing import Annotated

import msgspec
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.core.config import Channels, Config, Layers


class VerifierConfig(Config):
    """Settings, saved inside the checkpoint: those of the published network.

    Attributes:
        sample_rate, n_fft, hop_length, n_mels: Of its input, a power mel-spectrogram (not its logarithm), Slaney bands.
        window_frames: T of the windows that it was trained on.
        channels, layers: Of the LSTM.
        embedding: D.
    """

    sample_rate: Annotated[int, msgspec.Meta(ge=8000, le=192_000)] = 16_000
    n_fft: Annotated[int, msgspec.Meta(ge=16, le=16_384)] = 400
    hop_length: Channels = 160
    n_mels: Annotated[int, msgspec.Meta(ge=1, le=256)] = 40
    window_frames: Channels = 160
    channels: Channels = 256
    layers: Layers = 3
    embedding: Channels = 256


class Verifier(nn.Module):
    """LSTM over the mel; its last state, projected, rectified and scaled to unit length.

    **Never to be trained against**: it judges the other networks, and a judge that a loss has seen says nothing.

    Source:
        Wan et al. 2018, Generalized End-to-End Loss for Speaker Verification; network and weights of Resemblyzer 0.1.4
        (Resemble AI, Apache-2.0). Differs from the paper in the rectifier, so that no two vectors are opposed.
    """

    def __init__(self, config: VerifierConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VerifierConfig()
        self.lstm = nn.LSTM(config.n_mels, config.channels, config.layers, batch_first=True)
        self.linear = nn.Linear(config.channels, config.embedding)

    def forward(self, mel: Tensor) -> Tensor:
        """Embeddings (B, D), unit length, nowhere negative, of windows (B, M, T); T is meant to be `window_frames`."""
        _, (last, _) = self.lstm(mel.transpose(1, 2))  # (layers, B, channels)
        return F.normalize(F.relu(self.linear(last[-1])), dim=1)
