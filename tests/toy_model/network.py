"""A mel for each phone, and an offset for each voice."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prosody_transfer.core.config import Config, MelConfig


class ToyConfig(Config):
    mel: MelConfig = MelConfig()
    speakers: tuple[str, ...] = ()
    n_phones: int = 40


class Toy(nn.Module):
    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.phones = nn.Embedding(config.n_phones, config.mel.n_mels)
        self.speaker_table = nn.Embedding(max(1, len(config.speakers)), config.mel.n_mels)
        self.loudness = nn.Parameter(torch.tensor(0.1))

    def forward(self, phones: Tensor, energy_db: Tensor, row: Tensor) -> Tensor:
        """Phones (B, T) and energy (B, T) of a voice (B,) -> mel (B, M, T)."""
        mel = self.phones(phones) + self.speaker_table(row)[:, None] + self.loudness * energy_db[..., None]
        return mel.transpose(1, 2) - 5.0
