"""A plan said in a voice: the one function behind every result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from prosody_transfer.audio.follow import follow_loudness
from prosody_transfer.audio.limiter import Moment, describe
from prosody_transfer.audio.resample import fit_length, resample_sound
from prosody_transfer.audio.silence import keep_silent, moved
from prosody_transfer.core.spool import Kept, Samples, Shelf, Sound, blocks, gather
from prosody_transfer.synthesis.acoustic import DecodedFrames, speaking_of
from prosody_transfer.synthesis.plan import ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.target_voice import TargetVoice
from prosody_transfer.synthesis.vocode import vocode


@dataclass(frozen=True)
class Rendered:
    """A plan, said.

    Attributes:
        sound: (N',) float32 at `sample_rate`, as loud as the source, silent where it is; in a file, where it is long.
        sample_rate: Hz, of the settings, or the plan's.
        levelled: (N,) float32 at the plan's rate, at the speech level, soft lines raised: what figures are measured on.
        frames: Of each piece.
        limited: Moments that would have clipped.
    """

    sound: Sound
    sample_rate: int
    levelled: Sound
    frames: SpokenFrames
    limited: list[Moment]

    @property
    def doubts(self) -> list[str]:
        """What the user should know of it, a line each."""
        return [*self.frames.doubts, *filter(None, [describe(self.limited)])]

    @property
    def waveform(self) -> np.ndarray:
        """`sound` as an array: 346 MB an hour at 24 kHz."""
        return np.asarray(self.sound)


class SpokenFrames(Sequence[DecodedFrames]):
    """Decoded pieces: gone through once while they are decoded, and kept; their mels in a file, where they are long."""

    def __init__(self, decoded: Iterable[DecodedFrames]) -> None:
        self._decoded = decoded
        self._kept: list[tuple[DecodedFrames, Kept]] = []

    def __iter__(self) -> Iterator[DecodedFrames]:
        if self._kept:
            return (self[k] for k in range(len(self._kept)))
        return self._once()

    def _once(self) -> Iterator[DecodedFrames]:
        shelf = Shelf()
        for piece in self._decoded:
            self._kept.append((replace(piece, mel=piece.mel[:, :0]), shelf.put(piece.mel)))
            yield piece

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: Any) -> Any:
        piece, mel = self._kept[index]
        return replace(piece, mel=mel.load())

    def source_frames(self) -> list[np.ndarray]:
        """`DecodedFrames.source_frame` of each piece."""
        return [piece.source_frame for piece, _ in self._kept if piece.source_frame is not None]

    @property
    def doubts(self) -> list[str]:
        """`DecodedFrames.doubts` of all pieces."""
        return [line for piece, _ in self._kept for line in piece.doubts]


def render(
    plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, *, network: Any, vocoder: Any
) -> Rendered:  # fmt: skip
    """Say a plan in a voice.

    Args:
        network: The acoustic model; a voice's own takes its place.
        vocoder: (mel, voicing, ln F0) -> samples.
    """
    frames = SpokenFrames(speaking_of(network).decode_frames(plan, voice, settings, network))
    levelled = render_waveform(plan, frames, settings, vocoder)
    sound, limited = finish(plan, levelled, frames, settings)
    return Rendered(sound, settings.sample_rate or plan.config.sample_rate, levelled, frames, limited)


def render_waveform(
    plan: ProsodyPlan, frames: Iterable[DecodedFrames], settings: TransferSettings, vocoder: Any
) -> Sound:  # fmt: skip
    """The waveform of all pieces, as loud as the plan says from moment to moment where that is to be kept.

    Returns:
        (N * duration_scale,) float32 at the plan's rate and speech level.
    """
    wanted = round(plan.source.samples * settings.duration_scale)
    spoken = Samples()
    for chunk in vocode(vocoder, frames):
        spoken.append(chunk[: wanted - len(spoken)])
    waveform = spoken.settled()
    follows = settings.in_time and "energy" in settings.keep and len(plan.power)
    return follow_loudness(waveform, plan.power, plan.config.sample_rate) if follows else waveform


def finish(
    plan: ProsodyPlan, levelled: Sound, frames: SpokenFrames, settings: TransferSettings
) -> tuple[Sound, list[Moment]]:
    """What was rendered at the rate that is wanted, as loud as the source, and silent where that is for good.

    Args:
        levelled: From `render_waveform`.
    """
    rate, source = plan.config.sample_rate, plan.source
    audio = levelled
    if settings.sample_rate not in (None, rate):
        wanted = source.recorded.length_at(settings.sample_rate, settings.duration_scale)
        audio = _fitted(resample_sound(audio, rate, settings.sample_rate), wanted)
    audio, limited = source.level.give_back(audio, settings.sample_rate or rate)
    silent = list(source.silences)
    if silent and not settings.in_time:
        taken = [cut.start + at for (_, cut), at in zip(plan.split(), frames.source_frames(), strict=True)]
        silent = moved(silent, np.concatenate(taken), plan.config.hop_length)
    if silent:
        audio = keep_silent(audio, silent, rate, settings.sample_rate or rate)
    return audio, limited


def _fitted(sound: Sound, samples: int) -> Sound:
    """Trimmed, or its last sample repeated, as `audio.resample.fit_length`."""
    if len(sound) == samples:
        return sound
    if isinstance(sound, np.ndarray):
        return fit_length(sound, samples)
    kept = (sound[part] for part in blocks(min(len(sound), samples)))
    return gather(chain(kept, [np.repeat(sound[-1:], max(0, samples - len(sound)))]), sound)
