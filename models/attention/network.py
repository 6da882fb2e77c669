"""Phones that are attended to, step after step: encoder, autoregressive decoder, and a network after it."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.models.attention.config import PROSODY, AttentionConfig
from prosody_transfer.models.blocks import Frames, Stack
from prosody_transfer.models.copycat.network import Decoded, scale_mel


class State(NamedTuple):
    """What the decoder remembers: two cells (B, H), context (B, C), weights and their sum so far (B, P) each."""

    first: Tensor
    second: Tensor
    context: Tensor
    weights: Tensor
    past: Tensor


class Memory(NamedTuple):
    """What is attended to: encoded phones (B, P, C), their keys (B, P, A), which are real (B, P); speaker (B, D)."""

    values: Tensor
    keys: Tensor
    mask: Tensor
    speaker: Tensor


class Attention(nn.Module):
    """Fine-grained prosody transfer and text-to-speech by attention.

    Source:
        Klimkov et al. 2019, Fine-grained robust prosody transfer: F0, energy and duration of the source, one of each a
        phone, beside encoded phones. Shen et al. 2018, Tacotron 2: location-sensitive attention, prenet, two recurrent
        cells, a network after them. Differs from them in: gated recurrent units for LSTMs, several frames a step,
        explicit voicing, no stop token (it is asked for as many frames as the source has), and F0 and voicing
        predicted beside the mel, for our vocoder.
    """

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.config = config
        wide, hidden, keys = config.phone_channels, config.cell_channels, config.attention_channels
        self.phone_embedding = nn.Linear(config.n_phones, wide, bias=False)
        self.stress_embedding = nn.Embedding(4, wide)
        self.phone_encoder = Stack(
            [{"block": "convnext", "channels": wide, "kernel_size": 5} for _ in range(config.phone_layers)],
            name="phone_encoder",
        )
        self.prosody = nn.Linear(PROSODY, wide)
        self.speaker_table = nn.Embedding(max(1, len(config.speakers)), config.speaker_channels)
        nn.init.normal_(self.speaker_table.weight, std=0.3)
        self.prenet_first = nn.Linear(config.mel.n_mels, config.prenet_channels)
        self.prenet_second = nn.Linear(config.prenet_channels, config.prenet_channels)
        self.first_cell = nn.GRUCell(config.prenet_channels + wide, hidden)
        self.second_cell = nn.GRUCell(hidden + wide + config.speaker_channels, hidden)
        self.query = nn.Linear(hidden, keys, bias=False)
        self.key = nn.Linear(wide, keys)
        kernel = config.location_kernel
        self.location = nn.Conv1d(2, keys, kernel, padding=kernel // 2, bias=False)
        self.score = nn.Linear(keys, 1, bias=False)
        self.coarse = nn.Linear(hidden + wide, config.frames_per_step * config.mel.n_mels)
        layer = {
            "block": "convnext", "channels": config.channels, "expansion": config.expansion,
            "context_channels": config.speaker_channels,
        }  # fmt: skip
        inputs = config.mel.n_mels + wide
        first = {"block": "conv", "in_channels": inputs, "out_channels": config.channels, "kernel_size": 5}
        self.after = Stack([first, *[layer] * config.layers], name="after")
        self.head = nn.Linear(config.channels, config.mel.n_mels + 2)

    def remember(self, phones: Tensor, stress: Tensor, mask: Tensor, prosody: Tensor, speaker: Tensor) -> Memory:
        """Encode what is to be said.

        Args:
            phones: (B, P, V), a distribution each; stress: (B, P) long, as `copycat.inputs.PhoneInputs`.
            mask: (B, P) bool.
            prosody: (B, P, 5), zero where nothing is told; see `PROSODY`.
            speaker: (B,) long, row of the speaker table.
        """
        values = self.phone_embedding(phones) + self.stress_embedding(stress)  # (B, P, C)
        encoded = self.phone_encoder(Frames(values.transpose(1, 2), mask).zeroed()).values.transpose(1, 2)
        encoded = (encoded + self.prosody(prosody)) * mask[..., None]
        return Memory(encoded, self.key(encoded), mask, self.speaker_table(speaker))

    def begin(self, memory: Memory) -> State:
        """Nothing said, the first phone attended to."""
        batch, count, wide = memory.values.shape
        zero = memory.values.new_zeros(batch, self.config.cell_channels)
        weights = F.one_hot(torch.zeros(batch, dtype=torch.long, device=zero.device), count).to(zero.dtype)
        return State(zero, zero, memory.values.new_zeros(batch, wide), weights, weights)

    def step(self, previous: Tensor, state: State, memory: Memory) -> tuple[Tensor, State]:
        """One step: the last frame (B, M), scaled, -> scaled frames (B, M, R)."""
        drop = lambda x: F.dropout(F.relu(x), 0.5, self.training)
        heard = drop(self.prenet_second(drop(self.prenet_first(previous))))  # (B, N)
        first = self.first_cell(torch.cat([heard, state.context], 1), state.first)  # (B, H)
        where = self.location(torch.stack([state.weights, state.past], 1)).transpose(1, 2)  # (B, P, A)
        scores = self.score(torch.tanh(self.query(first)[:, None] + memory.keys + where))[..., 0]  # (B, P)
        weights = torch.softmax(scores.float().masked_fill(~memory.mask, -1e4), 1).to(scores.dtype)
        context = (weights[:, None] @ memory.values)[:, 0]  # (B, C)
        second = self.second_cell(torch.cat([first, context, memory.speaker], 1), state.second)
        made = self.coarse(torch.cat([second, context], 1))  # (B, R M)
        made = made.view(len(made), self.config.frames_per_step, -1).transpose(1, 2)
        return made, State(first, second, context, weights, state.past + weights)

    def refine(self, coarse: Tensor, contexts: Tensor, mask: Tensor, memory: Memory) -> Decoded:
        """The network after the decoder, whose mel is the early one.

        Args:
            coarse: (B, M, T), scaled.
            contexts: (B, C, S), what each step attended to.
            mask: (B, T) bool.
        """
        spread = contexts.repeat_interleave(self.config.frames_per_step, 2)[..., : coarse.shape[2]]
        hidden = self.after(Frames(torch.cat([coarse, spread], 1), mask).zeroed(), memory.speaker).values
        out = self.head(hidden.transpose(1, 2)).transpose(1, 2).float()  # (B, M + 2, T)
        early = coarse.float()
        return Decoded(3.0 * (early + out[:, :-2]) - 5.0, out[:, -2], out[:, -1], 3.0 * early - 5.0)

    def forced(self, mel: Tensor, memory: Memory, own: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
        """Teacher forcing: scaled frames (B, M, T), contexts (B, C, S) and weights (B, S, P).

        Args:
            mel: (B, M, T) that is to be said, natural log; T is a multiple of `frames_per_step`.
            own: Chance that a step hears what the step before made, instead of what was recorded.
        """
        size = self.config.frames_per_step
        heard = F.pad(scale_mel(mel)[..., size - 1 :: size], (1, 0))[..., :-1]  # (B, M, S)
        made: list[Tensor] = []
        state, contexts, weights = self.begin(memory), [], []
        for step in range(heard.shape[2]):
            previous = heard[..., step]
            if own and step:
                told = torch.rand(len(mel), 1, device=mel.device) >= own
                previous = torch.where(told, previous, made[-1][..., -1].detach().to(previous.dtype))
            frames, state = self.step(previous, state, memory)
            made.append(frames)
            contexts.append(state.context)
            weights.append(state.weights)
        return torch.cat(made, 2), torch.stack(contexts, 2), torch.stack(weights, 1)

    def free(self, memory: Memory, n_frames: int) -> tuple[Decoded, Tensor]:
        """Say `n_frames` by itself; and what was attended to, (B, S, P)."""
        previous = memory.values.new_zeros(len(memory.values), self.config.mel.n_mels)
        state, made, contexts, weights = self.begin(memory), [], [], []
        for _ in range(-(-n_frames // self.config.frames_per_step)):
            frames, state = self.step(previous, state, memory)
            previous = frames[..., -1]
            made.append(frames)
            contexts.append(state.context)
            weights.append(state.weights)
        coarse = torch.cat(made, 2)[..., :n_frames]
        mask = torch.ones(len(coarse), n_frames, dtype=torch.bool, device=coarse.device)
        return self.refine(coarse, torch.stack(contexts, 2), mask, memory), torch.stack(weights, 1)
