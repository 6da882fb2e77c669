"""How a new voice is learnt."""

from __future__ import annotations

from prosody_transfer.core.config import Config


class VoiceTaskConfig(Config):
    """Batch and loss settings.

    Attributes:
        batch_size: Crops of the new voice a step, of `crop_frames` each.
        distil_size: How many of them the network is also asked for in a shipped voice, where it must say what the
            shipped network says; `distil_weight` is that loss's.
        replay_size: Crops of old recordings a step, where there are any; `replay_weight` is their loss's.
        ewc_weight: Of elastic weight consolidation: (weight / 2) sum_i F_i (theta_i - theta*_i)^2.
        pitch_weight, early_weight: As in training from nothing.
    """

    batch_size: int = 8
    crop_frames: int = 192
    distil_size: int = 4
    distil_weight: float = 2.0
    replay_size: int = 4
    replay_weight: float = 1.0
    ewc_weight: float = 3e4
    pitch_weight: float = 0.1
    early_weight: float = 0.3
