"""What the acoustic model reads, as plain tensors, and the two ways from phones to frames."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from prosody_transfer.models.copycat.config import ENERGY_SCALE_DB, F0_SCALE, N_POSITION

__all__ = [
    "ENERGY_SCALE_DB", "F0_SCALE", "N_POSITION", "PhoneInputs", "ProsodyInputs", "frame_to_phone", "pool_units",
    "position_features", "upsample",
]  # fmt: skip

@dataclass(frozen=True)
class PhoneInputs:
    """Phones of a batch.

    Attributes:
        phones: (B, P, 40) float, a distribution over phones a row; one-hot where the phone is known.
        stress: (B, P) long, 0 = none or unknown, 1 to 3 = stress digit 0 to 2.
        durations: (B, P) long frames; 0 on padding.
        mask: (B, P) bool.
        words: (B, P) long, which word each phone belongs to, rising; a pause is a word. None where they are unknown.
    """

    phones: Tensor
    stress: Tensor
    durations: Tensor
    mask: Tensor
    words: Tensor | None = None

    def to(self, device: str | torch.device) -> PhoneInputs:
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v.to(device) for k, v in parts.items() if v is not None})


@dataclass(frozen=True)
class ProsodyInputs:
    """Explicit, speaker-normalised prosody of a batch, and which channels are given.

    Attributes:
        log_f0: (B, T) ln F0 minus the speaker's median, divided by `F0_SCALE`.
        voiced: (B, T) 0 or 1.
        energy: (B, T) dB relative to the speech level, divided by `ENERGY_SCALE_DB`.
        keep: (B, 3) 0 or 1: whether pitch (log F0 and voicing), energy, latent are given; what is not is zeroed.
    """

    log_f0: Tensor
    voiced: Tensor
    energy: Tensor
    keep: Tensor

    def to(self, device: str | torch.device) -> ProsodyInputs:
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def channels(self) -> Tensor:
        """(B, 6, T): the three contours, zero where not given, and the three flags."""
        pitch, energy, _ = self.keep[:, :, None].unbind(1)  # (B, 1) each
        contours = torch.stack(
            [self.log_f0 * self.voiced * pitch, (self.voiced * 2 - 1) * pitch, self.energy * energy], 1
        )
        return torch.cat([contours, self.keep[:, :, None].expand(-1, -1, self.log_f0.shape[1])], 1)


def frame_to_phone(durations: Tensor, n_frames: int) -> Tensor:
    """Which phone each frame belongs to, (B, P) durations -> (B, T) long; frames past the end point at the last."""
    ends = durations.cumsum(1)
    frames = torch.arange(n_frames, device=durations.device).expand(durations.shape[0], -1).contiguous()
    return torch.searchsorted(ends, frames, right=True).clamp(max=durations.shape[1] - 1)


def upsample(values: Tensor, index: Tensor) -> Tensor:
    """Repeat phone encodings by their durations, (B, C, P) and (B, T) -> (B, C, T)."""
    return values.gather(2, index[:, None].expand(-1, values.shape[1], -1))


def pool_units(values: Tensor, mask: Tensor, units: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of the frames of every unit, such as a phone.

    Args:
        values: (B, C, T).
        mask: (B, T) bool; frames outside it belong to no unit.
        units: (B, T) long, which unit each frame belongs to, from 0.

    Returns:
        (B, C, U), 0 for units without frames, and which have some, (B, U) bool.
    """
    units = units * mask
    weight = mask.to(values.dtype)
    size = int(units.max()) + 1
    sums = values.new_zeros(*values.shape[:2], size)
    sums = sums.scatter_add(2, units[:, None].expand_as(values), values * weight[:, None])
    count = weight.new_zeros(len(units), size).scatter_add(1, units, weight)
    return sums / count.clamp(min=1)[:, None], count > 0


def position_features(durations: Tensor, index: Tensor) -> Tensor:
    """Where each frame stands in its phone, (B, 3, T): fraction passed, log duration, frames to the nearer edge."""
    starts = (durations.cumsum(1) - durations).gather(1, index).float()
    length = durations.gather(1, index).clamp(min=1).float()
    passed = torch.arange(index.shape[1], device=index.device).float() - starts
    edge = torch.minimum(passed, length - 1 - passed).clamp(0, 10)
    return torch.stack([(passed + 0.5) / length - 0.5, torch.log(length) - 2.0, edge / 5.0], 1)
