"""A plan said in a voice: the one function behind every result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from prosody_transfer.audio.follow import follow_loudness
from prosody_transfer.audio.limiter import Moment, describe
from prosody_transfer.audio.resample import fit_length, resample
from prosody_transfer.audio.silence import keep_silent, moved
from prosody_transfer.synthesis.acoustic import DecodedFrames, speaking_of
from prosody_transfer.synthesis.plan import ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.target_voice import TargetVoice
from prosody_transfer.synthesis.vocode import vocode


@dataclass(frozen=True)
class Rendered:
    """A plan, said.

    Attributes:
        waveform: (N',) float32 at `sample_rate`, as loud as the source, silent where it is.
        sample_rate: Hz, of the settings, or the plan's.
        levelled: (N,) float32 at the plan's rate, at the speech level, soft lines raised: what figures are measured on.
        frames: Of each piece.
        limited: Moments that would have clipped.
    """

    waveform: np.ndarray
    sample_rate: int
    levelled: np.ndarray
    frames: list[DecodedFrames]
    limited: list[Moment]

    @property
    def doubts(self) -> list[str]:
        """What the user should know of it, a line each."""
        return [*(line for piece in self.frames for line in piece.doubts), *filter(None, [describe(self.limited)])]


def render(
    plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, *, network: Any, vocoder: Any
) -> Rendered:  # fmt: skip
    """Say a plan in a voice.

    Args:
        network: The acoustic model; a voice's own takes its place.
        vocoder: (mel, voicing, ln F0) -> samples.
    """
    frames = speaking_of(network).decode_frames(plan, voice, settings, network)
    levelled = render_waveform(plan, frames, settings, vocoder)
    waveform, limited = finish(plan, levelled, frames, settings)
    return Rendered(waveform, settings.sample_rate or plan.config.sample_rate, levelled, frames, limited)


def render_waveform(
    plan: ProsodyPlan, frames: list[DecodedFrames], settings: TransferSettings, vocoder: Any
) -> np.ndarray:  # fmt: skip
    """The waveform of all pieces, as loud as the plan says from moment to moment where that is to be kept.

    Returns:
        (N * duration_scale,) float32 at the plan's rate and speech level.
    """
    wanted = round(plan.source.samples * settings.duration_scale)
    waveform = np.concatenate([*vocode(vocoder, frames)])[:wanted]
    follows = settings.in_time and "energy" in settings.keep and len(plan.power)
    return follow_loudness(waveform, plan.power, plan.config.sample_rate) if follows else waveform


def finish(
    plan: ProsodyPlan, levelled: np.ndarray, frames: list[DecodedFrames], settings: TransferSettings
) -> tuple[np.ndarray, list[Moment]]:
    """What was rendered at the rate that is wanted, as loud as the source, and silent where that is for good.

    Args:
        levelled: From `render_waveform`.
    """
    rate, source = plan.config.sample_rate, plan.source
    audio = levelled
    if settings.sample_rate not in (None, rate):
        wanted = source.recorded.length_at(settings.sample_rate, settings.duration_scale)
        audio = fit_length(resample(audio, rate, settings.sample_rate), wanted)
    audio, limited = source.level.give_back(audio, settings.sample_rate or rate)
    silent = list(source.silences)
    if silent and not settings.in_time:
        taken = [c.start + f.source_frame for (_, c), f in zip(plan.split(), frames, strict=True)]
        silent = moved(silent, np.concatenate(taken), plan.config.hop_length)
    if silent:
        audio = keep_silent(np.array(audio, np.float32), silent, rate, settings.sample_rate or rate)
    return audio.astype(np.float32), limited
