"""Frames of consecutive phrases -> their sound, as loud as the source was: one vocoder speaks through."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.integration import build_layer
from prosody_transfer.integration.session import Session as LayerSession
from prosody_transfer.streaming.finishing import LoudnessFollower, SilenceKeeper, StreamLimiter
from prosody_transfer.streaming.levels import GainCurve
from prosody_transfer.streaming.phrases import Phrase
from prosody_transfer.synthesis.acoustic import DecodedFrames
from prosody_transfer.synthesis.addons import AddonVocoder
from prosody_transfer.synthesis.prosody import TransferSettings

VOCODER_FRAMES = 8  # at a time: what of the delay is the vocoder's chunk
FADE_SECONDS = 0.005  # at the very start and end
_RESAMPLER_SECONDS = 0.04  # soxr's, within the follower


class Finisher:
    """All that is done to a stream's samples after the vocoder.

    Args:
        lower: What samples [start, stop) are to be multiplied with for their source's level.
        follows: Whether the loudness of `follower.model` is followed.

    Attributes:
        behind: Samples by which what comes out is at most behind what has been given; `behind_quiet`: where the
            loudness that is followed is known beforehand, and low.
    """

    def __init__(self, rate: int, lower: Callable[[int, int], np.ndarray], follows: bool) -> None:
        self.follower, self.limiter, self.silence = LoudnessFollower(rate), StreamLimiter(rate), SilenceKeeper(rate)
        self.lower, self.follows = lower, follows
        self.fade = round(FADE_SECONDS * rate)
        slow, fast = self.follower.halves
        limiting, resampling = (self.limiter.ahead + 3) * self.limiter.size, round(_RESAMPLER_SECONDS * rate)
        following = lambda frames: ((frames + 2) * self.follower.size + resampling) * follows
        self.behind, self.behind_quiet = limiting + following(slow), limiting + following(fast)
        self._followed = self._given = 0

    def push(self, sound: np.ndarray, last: bool = False) -> np.ndarray:
        """The next samples of the vocoder, at the speech level; those that are final come back."""
        if self.follows:
            sound = self.follower.push(sound, last)
        start, self._followed = self._followed, self._followed + len(sound)
        sound = sound * self.lower(start, self._followed)
        if start < self.fade:
            sound = sound * np.minimum((np.arange(start, self._followed) + 0.5) / self.fade, 1.0)
        if last:  # what the limiter holds back is longer than the fade
            total = self._followed
            sound = sound * np.minimum((total - np.arange(start, total) - 0.5) / self.fade, 1.0)
        return self.silence.push(self.limiter.push(sound.astype(np.float32), last))


class PhraseSound:
    """The sound of phrases as they come.

    Attributes:
        behind: Samples by which what comes out is behind what has been given.
    """

    def __init__(self, vocoder: AddonVocoder, settings: TransferSettings, gain: GainCurve, config: MelConfig) -> None:
        networks = vocoder.layer.setting.networks
        layer = build_layer([], networks=networks, chunk_frames=VOCODER_FRAMES, frames_given=True)
        self._stream, self._gain = LayerSession(layer), gain
        follows = settings.in_time and "energy" in settings.keep
        lower = lambda start, stop: gain.factor(start, stop, -1)
        self._finisher = Finisher(config.sample_rate, lower, follows)
        self.behind = self._stream.frames_behind * config.hop_length + self._finisher.behind
        self._vocoded = 0

    def push(self, phrase: Phrase, said: DecodedFrames, last: bool) -> np.ndarray:
        """The next phrase; what is final of it and of those before comes back."""
        self._finisher.follower.model.replace_from(phrase.power_first, phrase.plan.power)
        self._finisher.silence.stretches += phrase.silences
        frames = {"mel": said.mel[None], "voiced": said.voiced[None].astype(np.float32), "pitch": said.log_f0[None]}
        sound = self._stream.push(frames)["waveform"][0, 0]
        if last:
            rest = self._stream.finish()["waveform"][0, 0]
            sound = np.concatenate([sound, rest])[: phrase.stop - self._vocoded]
        self._vocoded += len(sound)
        out = self._finisher.push(sound, last)
        self._gain.curve.forget((phrase.start - self.behind) // self._gain.step - 4)
        return out
