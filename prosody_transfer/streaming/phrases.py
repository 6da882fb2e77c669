"""One phrase of a stream: measured with what is around it, its phones found, and made a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prosody_transfer.alignment.recognise import recognise_phones
from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.analysis.pieces import LEARNED_MARGIN_FRAMES, Piece
from prosody_transfer.analysis.recorded import Recorded
from prosody_transfer.analysis.source import SourceAligner, SourceAlignment
from prosody_transfer.analysis.tracking import get_tracker
from prosody_transfer.analysis.transcript import Transcript
from prosody_transfer.audio.follow import FRAME_SECONDS, compared_power
from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.highpass import reach as high_pass_reach
from prosody_transfer.audio.levelling import Levelled, SourceLevel
from prosody_transfer.audio.silence import silences
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval
from prosody_transfer.core.units import samples_to_frames
from prosody_transfer.features.extract import MINIMUM_SAMPLES, Features, extract
from prosody_transfer.streaming.levels import GainCurve, Register
from prosody_transfer.streaming.settings import StreamSettings
from prosody_transfer.streaming.timeline import Timeline
from prosody_transfer.streaming.words import PhraseWords
from prosody_transfer.synthesis.plan import PlannedSource, ProsodyPlan, measured_plan


@dataclass(frozen=True)
class Phrase:
    """A phrase, analysed.

    Attributes:
        start, stop: Samples of the stream; `start` is a multiple of the hop length.
        analysis: Of the phrase alone.
        plan: How it is said; without an embedding.
        power_first: The number of the first of the frames of `plan.power`, 5 ms each, on the stream's timeline.
        silences: Where it is silent for good, samples of the stream.
    """

    start: int
    stop: int
    analysis: Analysis
    plan: ProsodyPlan
    power_first: int
    silences: tuple[tuple[int, int], ...]


class PhraseAnalyser:
    """Analyses the phrases of one stream, one after another.

    Args:
        words: Of the phrases, where they are known.

    Attributes:
        sound: The stream at the features' rate, as far as it is still needed.
        margin: Samples that must be known after a phrase: what the tracker, the mel and the high-pass look ahead.
    """

    def __init__(
        self, aligner: SourceAligner, config: MelConfig, settings: StreamSettings, words: PhraseWords | None = None
    ) -> None:
        self.aligner, self.config, self.settings, self.words = aligner, config, settings, words
        self.sound = Timeline()
        self.gain, self.register = GainCurve(config.sample_rate), Register(config)
        self.tracker = get_tracker(settings.tracker)
        wide = LEARNED_MARGIN_FRAMES * config.hop_length
        self.margin = wide + high_pass_reach(config.sample_rate)
        self._grid = 15 * config.hop_length  # 160 ms: whole hops, steps of 10 ms and frames of 5 ms
        self._power_done = 0

    def analyse(self, start: int, stop: int, speaks: bool, last: bool) -> Phrase:
        """Measure, level and align [start, stop) of `sound`.

        Args:
            speaks: Whether there is anything to hear.
            last: Whether the stream ends with it.
        """
        config, hop = self.config, self.config.hop_length
        low = max(0, start - self.margin) // self._grid * self._grid
        end = min(self.sound.stop, stop + self.margin)
        self.gain.extend(self.sound, start, stop, end, speaks)
        window = self.sound.part(low, end)
        if len(window) < MINIMUM_SAMPLES:  # all that there is
            window = np.pad(window, (0, MINIMUM_SAMPLES - len(window)))
        levelled = high_pass(window, config.sample_rate) * self.gain.factor(low, low + len(window))
        size = samples_to_frames(stop - start, hop) if last else (stop - start) // hop
        first = (start - low) // hop
        wide = extract(levelled, config, self.tracker)
        features = _part(wide, first, first + size, stop - start)
        inner = levelled[start - low : stop - low]
        piece = Piece(0, stop - start, 0, features)
        aligned = self._align(inner, piece, speaks)
        level = SourceLevel(0.0, config.sample_rate, len(inner))
        original = self.sound.part(start, stop)
        analysis = Analysis(
            Recorded(config.sample_rate, len(inner)), original, Levelled(inner, level), [piece], aligned
        )  # fmt: skip
        plan = self._plan(analysis)
        power_first, power = self._power(levelled, wide, low, stop, last)
        found = [(low + s.start, low + s.stop) for s in silences(window, config.sample_rate)]
        kept = tuple((max(a, start), min(b, stop)) for a, b in found if a < stop and b > start)
        self.sound.forget(stop - max(self.margin + self._grid, self.gain.context + 16 * self.gain.step))
        return Phrase(start, stop, analysis, replace(plan, power=power), power_first, kept)

    def _align(self, waveform: np.ndarray, piece: Piece, speaks: bool) -> SourceAlignment:
        duration = piece.end / self.config.sample_rate
        whole = Alignment((PhoneInterval(SILENCE, 0.0, duration),), (), duration, self.settings.aligner)
        nothing = SourceAlignment(whole, [whole], "", "")
        if not speaks:
            return nothing
        settings = self.settings
        if self.words is not None:
            text = self.words.take(recognise_phones(self.aligner.recogniser, piece.features))
            if text:
                try:
                    told = settings.with_(check_transcript=False)
                    return self.aligner.align(waveform, [piece], Transcript(text, None, "text"), told)
                except (TranscriptError, AudioError):
                    pass  # another word than the line's was said: what was heard is spoken
            settings = settings.with_(recognise="phones")
        try:
            return self.aligner.align(waveform, [piece], Transcript(), settings)
        except AudioError:  # noise, a cough, music
            return nothing

    def _plan(self, analysis: Analysis) -> ProsodyPlan:
        piece, aligned = analysis.pieces[0], analysis.aligned
        features, config = piece.features, self.config
        levels = self.register.add(features.log_f0, features.voiced)
        durations = aligned.parts[0].durations(features.n_frames, config.sample_rate, config.hop_length)
        source = PlannedSource(
            analysis.recorded, len(analysis.original), float(levels[-1]), analysis.levelled.level,
            words_from=aligned.origin, text=aligned.text, aligner=aligned.alignment.aligner,
        )  # fmt: skip
        plan = measured_plan(features, aligned.parts, [durations], source, np.zeros(0))
        return replace(plan, log_f0=(features.log_f0 - levels).astype(np.float32))

    def _power(
        self, levelled: np.ndarray, wide: Features, low: int, stop: int, last: bool
    ) -> tuple[int, np.ndarray]:  # fmt: skip
        """The loudness to follow, from where the last phrase ended to a little beyond this one, which comes again."""
        rate, size = self.config.sample_rate, round(FRAME_SECONDS * self.config.sample_rate)
        power = compared_power(levelled, rate)
        if wide.noise_db is not None:
            at = (np.arange(len(power)) + 0.5) * size / self.config.hop_length
            power = power * 10 ** (np.interp(at, np.arange(len(wide.noise_db)), wide.noise_db) / 10)
        first = self._power_done
        self._power_done = stop // size
        high = len(power) if last else (stop + self.margin - high_pass_reach(rate)) // size - low // size
        return first, power[first - low // size : high]


def _part(wide: Features, start: int, stop: int, samples: int) -> Features:
    """Frames [start, stop) of a recording of so many samples."""
    told = [k for k in ("doubt", "noise_db") if getattr(wide, k) is not None]
    known: dict[str, Any] = {
        k: getattr(wide, k)[..., start:stop] for k in ("mel", "log_f0", "voiced", "energy_db", *told)
    }
    return replace(wide, **known, n_samples=samples)
