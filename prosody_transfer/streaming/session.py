"""Speech in, speech in another voice out, while it is being said."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from prosody_transfer.audio.resample import Resampler, resampled_length
from prosody_transfer.core.errors import ModelError
from prosody_transfer.streaming.cutting import PhraseCutter
from prosody_transfer.streaming.phrases import Phrase, PhraseAnalyser
from prosody_transfer.streaming.settings import StreamSettings, check_rate
from prosody_transfer.streaming.sounding import PhraseSound
from prosody_transfer.streaming.words import PhraseWords
from prosody_transfer.synthesis.acoustic import DecodedFrames
from prosody_transfer.synthesis.addons import AddonAcoustic, AddonPieces, AddonVocoder
from prosody_transfer.synthesis.transferer import Transferer

BLOCK_SECONDS = 0.02  # the stream is looked at in such blocks, however it is given
_RESAMPLER_SECONDS = 0.085  # soxr's own look-ahead, of the lowest rate


class Session:
    """A stream of speech said again in a voice, phrase by phrase.

    Every sample comes out when the input has got so far beyond it as the delay says, neither sooner nor later; what it
    is does not depend on the sizes in which the input was given. Any number of sessions may share one transferer.

    Args:
        transferer: Made with `runtime="onnx"`, or another runtime of addons.
        sample_rate: Of the input, Hz.
        words: Of the phrases, where they are known.

    Attributes:
        sample_rate: Of the input; `output_rate`: of the output, the model's.
        delay: Seconds from a sample of the input to the same moment in the output.
        look_ahead: What of it is not `settings.latency`: what the analysis, the vocoder and the loudness look ahead.
        phrases: How many have been said.

    Raises:
        UsageError: There is no such voice, or a setting or rate is out of range.
        ModelError: The transferer has torch's own networks, which can't stream.
    """

    def __init__(
        self, transferer: Transferer, speaker: str, sample_rate: int, *, settings: StreamSettings | None = None,
        words: PhraseWords | None = None,
    ) -> None:  # fmt: skip
        self.settings = (settings or StreamSettings()).check()
        self.sample_rate, self.config = check_rate(sample_rate), transferer.config
        self.output_rate = self.config.sample_rate
        self.voice, self.acoustic = transferer.voice(speaker), transferer.network
        if not isinstance(self.acoustic, AddonAcoustic) or not isinstance(transferer.vocoder, AddonVocoder):
            problem = "is a network of torch's own, which does not stream"
            raise ModelError(problem, place="model", remedy="load it as an addon (ptx addon export makes one)")
        self.analyser = PhraseAnalyser(transferer.aligner, self.config, self.settings, words)
        self.cutter = PhraseCutter(self.output_rate, self.config.hop_length, self.settings.latency)
        self._sound = PhraseSound(transferer.vocoder, self.settings, self.analyser.gain, self.config)
        self._up = Resampler(self.sample_rate, self.output_rate)
        self._block = max(1, round(BLOCK_SECONDS * self.sample_rate))
        self._rest = np.zeros(0, np.float32)
        self._cuts: list[tuple[int, bool]] = []
        self._taken = self._start = self._given = 0
        self._ready: list[np.ndarray] = []
        self.phrases = 0
        ahead = self.analyser.margin + self._sound.behind
        self.look_ahead = ahead / self.output_rate + _RESAMPLER_SECONDS + 2 * BLOCK_SECONDS
        self.delay = self.settings.latency + self.look_ahead

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take the next samples, (n,) float32 in [-1, 1], as many as there are; give those that are due, (m,)."""
        self._taken += len(samples)
        self._rest = np.concatenate([self._rest, np.asarray(samples, np.float32)])
        count = len(self._rest) // self._block
        for k in range(count):
            self._hear(self._up.push(self._rest[k * self._block : (k + 1) * self._block]))
        self._rest = self._rest[count * self._block :]
        due = int(Fraction(self._taken, self.sample_rate) * self.output_rate - Fraction(self.delay) * self.output_rate)
        return self._give(due)

    def finish(self) -> np.ndarray:
        """The input has ended: all that is left. Altogether the output is as long as the input, to the sample."""
        total = resampled_length(self._taken, self.sample_rate, self.output_rate)
        if total:
            self.analyser.sound.append(sound := self._up.push(self._rest, last=True))
            self._cuts += self.cutter.push(sound)
            for cut, speaks in self._cuts:
                self._say(cut, speaks, last=False)
            self._say(self.analyser.sound.stop, self.cutter.finish(), last=True)
        return self._give(total)

    def _hear(self, sound: np.ndarray) -> None:
        self.analyser.sound.append(sound)
        self._cuts += self.cutter.push(sound)
        while self._cuts and self.analyser.sound.stop >= self._cuts[0][0] + self.analyser.margin:
            self._say(*self._cuts.pop(0), last=False)

    def _say(self, stop: int, speaks: bool, last: bool) -> None:
        phrase = self.analyser.analyse(self._start, stop, speaks, last)
        self._start = stop
        self.phrases += 1
        self._ready.append(self._sound.push(phrase, self._decode(phrase), last))

    def _decode(self, phrase: Phrase) -> DecodedFrames:
        network = self.acoustic if self.voice.network is None else self.voice.network
        keep = self.settings.keep
        embedding = network.embed(phrase.analysis) if "latent" in keep and self.settings.strength else None
        plan = replace(phrase.plan, embedding=embedding)
        pieces = AddonPieces(self.acoustic, self.voice, plan, self.settings)
        return pieces.decode(0, plan.phones, slice(0, plan.n_frames), plan.n_frames)

    def _give(self, until: int) -> np.ndarray:
        """What has not been given yet, up to that sample."""
        count = until - self._given
        if count <= 0:
            return np.zeros(0, np.float32)
        whole = self._ready[0] if len(self._ready) == 1 else np.concatenate([np.zeros(0, np.float32), *self._ready])
        out, rest = whole[:count].copy(), whole[count:]  # a view would keep all of a phrase
        self._ready = [rest] if len(rest) else []
        self._given += len(out)
        return out


def warm_up(transferer: Transferer, speaker: str, settings: StreamSettings | None = None) -> None:
    """Load and run, once, all that a phrase needs, so that the first one of a stream takes no longer than the others.

    Raises:
        DependencyError: Words are to be recognised, and what recognises them is not installed.
    """
    settings = settings or StreamSettings()
    rate = transferer.config.sample_rate
    time = np.arange(round(1.6 * rate)) / rate
    syllables = 0.1 * np.sign(np.sin(2 * np.pi * 120 * time)) * np.sin(np.pi * 4 * time) ** 2
    sound = syllables.astype(np.float32)
    transferer.aligner.load(settings, sound, rate)
    session = Session(transferer, speaker, rate, settings=settings.with_(recognise="phones"))
    session.push(sound)
    session.finish()
