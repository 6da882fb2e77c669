"""A small classifier that tries to tell the speaker from the prosody latent: the less it can, the less has leaked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.training import distributed


class SpeakerAdversary:
    """Learns beside the acoustic model, on a copy of its latent, with an optimiser and a random seed of its own.

    Two convolutions over the latent's steps, their mean over time, and a layer to the speakers. The model is not
    touched by it, unless `against` is made part of its loss.

    Args:
        channels: Of the latent, D.
        chances: How often each speaker is drawn, (S,), sum 1.
    """

    def __init__(self, channels: int, chances: Sequence[float], device: str = "cpu", width: int = 64) -> None:
        with torch.random.fork_rng(devices=[]):  # the model's own random numbers stay what they were
            torch.manual_seed(20200504)
            self.layers = nn.ModuleList(
                [nn.Conv1d(channels, width, 5, padding=2), nn.Conv1d(width, width, 3, padding=1)]
            ).to(device)
            self.last = nn.Linear(width, len(chances)).to(device)
        self.network = nn.ModuleList([self.layers, self.last])
        self.chance = float(max(chances))
        self.bound = math.log(len(chances))
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-3, weight_decay=1e-4)

    def logits(self, latent: Tensor, mask: Tensor) -> Tensor:
        """(B, S) from the latent (B, D, T') and its mask (B, T'), in full precision."""
        with torch.autocast(latent.device.type, enabled=False):
            weight = mask[:, None].to(latent.dtype)
            hidden = latent * weight
            for layer in self.layers:
                hidden = F.relu(layer(hidden)) * weight
            return self.last(hidden.sum(-1) / weight.sum(-1).clamp(min=1))

    def against(self, latent: Tensor, mask: Tensor, speaker: Tensor) -> Tensor:
        """How far off the classifier is (nats), for the model to raise: gradient reversal.

        Bounded by ln S, a blind guess: beyond it the model would only learn to be taken for the wrong speaker.
        Source: Ganin and Lempitsky 2015; the bound is ours.
        """
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)
        try:
            loss = F.cross_entropy(self.logits(latent, mask), speaker)
            return distributed.shared_mean(loss, len(speaker)).clamp(max=self.bound)
        finally:
            for parameter in self.network.parameters():
                parameter.requires_grad_(True)

    def learn(self, latent: Tensor, mask: Tensor, speaker: Tensor) -> dict[str, float]:
        """One step on a batch that it has not seen; returns its accuracy before the step, and that of a blind guess.

        Args:
            latent: Detached, (B, D, T').
            speaker: (B,) rows of the speaker table.
        """
        self.optimiser.zero_grad(set_to_none=True)
        logits = self.logits(latent, mask)
        loss = distributed.shared_mean(F.cross_entropy(logits, speaker), len(speaker))
        loss.backward()
        distributed.average_gradients(self.network.parameters())
        self.optimiser.step()
        right = (logits.detach().argmax(1) == speaker).float().mean()
        accuracy = distributed.shared_mean(right, len(speaker))
        return {"speaker_accuracy": accuracy.item(), "speaker_chance": self.chance}

    def tensors(self) -> dict[str, Tensor]:
        """Weights and the optimiser's state, by name."""
        found = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                found[f"{key}.{name}"] = torch.as_tensor(value)
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Go on from `tensors`; one made for another number of speakers is left out."""
        weights = {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
        mine = self.network.state_dict()
        if {k: v.shape for k, v in weights.items()} != {k: v.shape for k, v in mine.items()}:
            return
        self.network.load_state_dict(weights)
        for name, parameter in self.network.named_parameters():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                if (value := tensors.get(f"{key}.{name}")) is not None:
                    self.optimiser.state[parameter][key] = value if key == "step" else value.to(parameter.device)
