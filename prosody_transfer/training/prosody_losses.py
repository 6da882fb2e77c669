"""What is lost of the durations, pauses, melody, voicing and energy of a text's tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def prosody_losses(
    timing: Any, melody: Any, classes: Tensor, mask: Tensor, measured: tuple[Tensor, Tensor, Tensor, Tensor]
) -> dict[str, Tensor]:  # fmt: skip
    """Durations by their logarithm, pauses by whether and how long, and contours where they are voiced.

    Args:
        timing, melody: As `models.blocks.tokens` has them.
        classes: (B, K, P); a gap's first class is 0.
        mask: (B, P) bool.
        measured: Frames (B, P); F0, share of voiced frames, tens of dB, each (B, Q, P).

    Returns:
        "lasting", "pause", "pausing", "pitch", "voicing", "energy".
    """
    frames, log_f0, voiced, energy = measured
    gap = (classes[:, 0] == 0) & mask
    phone = mask & ~gap
    inner = gap.clone()  # how long it is silent before and after a recording tells nothing
    inner[:, 0] = False
    inner &= torch.roll(mask, -1, 1) & (torch.arange(gap.shape[1], device=gap.device) < gap.shape[1] - 1)
    paused = inner & (frames > 0)
    log_frames = torch.log(frames.clamp(min=1).float())
    lasting = F.smooth_l1_loss(timing.log_frames.float(), log_frames, reduction="none", beta=0.3)
    pausing = F.smooth_l1_loss(timing.log_pause.float(), log_frames, reduction="none", beta=0.3)
    here = (mask & (frames > 0))[:, None].expand_as(voiced)
    weight = voiced * here
    pitch = ((melody.log_f0.float() - log_f0).abs() * weight).sum() / weight.sum().clamp(min=1)
    return {
        "lasting": _mean(lasting, phone), "pause": _mean(_binary(timing.pause_logit, (frames > 0).float()), inner),
        "pausing": _mean(pausing, paused), "pitch": pitch,
        "voicing": _mean(_binary(melody.voicing_logit, voiced), here),
        "energy": _mean((melody.energy.float() - energy).abs(), here),
    }  # fmt: skip


def _binary(logit: Tensor, truth: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logit.float(), truth, reduction="none")


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
