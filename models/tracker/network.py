"""The learned pitch tracker's network: convolutions over harmonics, then over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.models.blocks import Frames, Stack, StreamingBlock, register
from prosody_transfer.models.blocks.basic import State, empty_memory, push
from prosody_transfer.models.tracker.spectrum import SpectrumConfig, listen

EXTRA = 3  # channels after the candidates: voicing, doubt, correction of the energy
ENERGY_SCALE_DB = 10.0


class TrackerConfig(Config):
    """Settings, saved inside the checkpoint."""

    spectrum: SpectrumConfig = SpectrumConfig()
    channels: int = 192
    layers: int = 6
    expansion: int = 2
    kernel_size: int = 7
    harmonic_channels: int = 8


@register("harmonics")
class Harmonics(StreamingBlock):
    """For every F0 candidate what lies at its harmonics, seen by two small convolutions over candidates and time.

    On a logarithmic axis a harmonic is a fixed distance away, so that the spectrum, shifted, lays the harmonics of each
    candidate over each other: whether its fundamental is there at all does not matter.

    Args:
        config: Of the input, as `SpectrumConfig` has it.
    """

    def __init__(self, out_channels: int, config: dict[str, Any] | None = None, inner_channels: int = 8) -> None:
        super().__init__()
        self.config = load_config(SpectrumConfig, config or {}, "harmonics")
        self.in_channels, self.out_channels = self.config.channels, out_channels
        self.latency = 2
        stacked = len(self.config.shifts) + 1
        self.first = nn.Conv2d(stacked, inner_channels, (5, 3), padding=(2, 0))
        self.second = nn.Conv2d(inner_channels, inner_channels, (5, 3), padding=(2, 0))
        self.linear = nn.Linear(inner_channels * self.config.pitches, out_channels)

    def _look(self, window: Tensor, mask: Tensor) -> Frames:
        """Window (B, C, T + 4) and its mask -> the T frames in its middle."""
        size, pitches = window.shape[-1], self.config.pitches
        parts = [window[:, shift : shift + pitches] for shift in self.config.shifts]
        stacked = torch.stack([*parts, window[:, self.config.bins :]], 1)  # (B, harmonics, P, T + 4)
        hidden = F.gelu(self.first(stacked)) * mask[:, None, None, 1 : size - 1].to(window.dtype)
        hidden = F.gelu(self.second(hidden))  # (B, inner, P, T)
        values = self.linear(hidden.flatten(1, 2).transpose(1, 2)).transpose(1, 2)
        return Frames(values, mask[:, 2 : size - 2]).zeroed()

    def forward(self, frames: Frames, context: Tensor | None = None) -> Frames:
        self.check(frames, context)
        return self._look(F.pad(frames.values, (2, 2)), F.pad(frames.mask, (2, 2)))

    def initial_state(self, batch: int) -> State:
        return empty_memory(batch, self.in_channels, 4)

    def step(self, frames: Frames, state: State, context: Tensor | None = None) -> tuple[Frames, State]:
        window, state = push(state, frames)
        return self._look(window.values, window.mask), state


class Tracker(nn.Module):
    """Spectrum -> F0 candidates' logits, voicing, doubt, correction of the energy; one value each a frame of the mel.

    Streams by the blocks' law; look-ahead `stack.latency` frames and half the spectrum's window.
    """

    energy_scale_db = ENERGY_SCALE_DB

    def __init__(self, config: TrackerConfig) -> None:
        super().__init__()
        self.config = config
        layer = {
            "block": "convnext", "channels": config.channels, "expansion": config.expansion,
            "kernel_size": config.kernel_size,
        }  # fmt: skip
        first = {
            "block": "harmonics", "out_channels": config.channels, "config": config.spectrum.to_dict(),
            "inner_channels": config.harmonic_channels,
        }  # fmt: skip
        last = {"block": "pointwise", "in_channels": config.channels, "out_channels": config.spectrum.pitches + EXTRA}
        self.stack = Stack([first, *[layer] * config.layers, last], name="tracker")

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, C, T) from `spectrum` and mask (B, T) -> (B, P + 3, T): logits of the candidates, of voicing and of an
        error of more than 100 cents, and what to add to the measured energy, in tens of dB."""
        return self.stack(Frames(values, mask)).values  # type: ignore[no-any-return]

    def listen(self, signal: np.ndarray, n_frames: int, chunk_frames: int = 2048) -> np.ndarray:
        """The same for a whole recording, in chunks whose borders do not show; memory does not grow with it.

        Args:
            signal: (N,) float at the spectrum's sample rate, at the speech level.
            n_frames: T.

        Returns:
            (P + 3, T) float32.
        """
        device = next(self.parameters()).device

        def run(seen: np.ndarray) -> np.ndarray:
            mask = torch.ones(1, seen.shape[1], dtype=torch.bool, device=device)
            with torch.inference_mode():
                found: np.ndarray = self(torch.from_numpy(seen)[None].to(device), mask)[0].float().cpu().numpy()
            return found

        return listen(run, self.config.spectrum, self.stack.latency, signal, n_frames, chunk_frames)
