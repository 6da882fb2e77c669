"""The judges and the networks that measuring needs, each loaded when first used, or named as missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import DependencyError, PtxError
from prosody_transfer.core.types import Alignment
from prosody_transfer.evaluation.figures import EVALUATION_RATE, Values
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.evaluation.trackers import Contour

T = TypeVar("T")


class Settings(Config):
    """What is measured, and of what.

    Attributes:
        asr: Recognise words and phones, for error rates.
        quality: DNSMOS.
        controls: For how many pairs controls are made.
        seed: Of all that is random.
        model, vocoder: Checkpoints; "" for the shipped ones.
    """

    asr: bool = True
    quality: bool = True
    controls: int = 20
    seed: int = 0
    model: str = ""
    vocoder: str = ""


class Judges:
    """Everything that turns a recording into figures, in one process.

    Attributes:
        missing: What could not be measured here -> why, and what to install.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.missing: dict[str, str] = {}

    def _unless_missing(self, name: str, compute: Callable[[], T]) -> T | None:
        """What `compute` gives; None, and a note, where something is not installed."""
        if name in self.missing:
            return None
        try:
            return compute()
        except DependencyError as error:
            self.missing[name] = str(error)
            return None

    def track(self, waveform: np.ndarray) -> Contour:
        from prosody_transfer.evaluation.trackers import track

        return track(waveform)

    @cached_property
    def _judge(self) -> Any:
        from prosody_transfer.evaluation.speaker import Judge

        return Judge()

    def embed(self, waveform: np.ndarray) -> np.ndarray | None:
        """(256,) the voice of a recording; None where it can't be judged here.

        Raises:
            AudioError: Too short or silent.
        """
        return self._unless_missing("speaker similarity", lambda: self._judge.embed(waveform))

    def embed_levelled(self, waveform: np.ndarray, level_db: float) -> np.ndarray | None:
        """`embed` of the recording brought to a speech level, dB re full scale."""
        return self.embed(normalise_level(waveform, EVALUATION_RATE, level_db)[0])

    def quality(self, waveform: np.ndarray) -> Values:
        """DNSMOS; empty where it is not wanted or not installed."""
        if not self.settings.quality:
            return {}
        from prosody_transfer.evaluation.quality import quality_figures

        return self._unless_missing("DNSMOS", lambda: quality_figures(waveform)) or {}

    @cached_property
    def _listener(self) -> Any:
        from prosody_transfer.evaluation.intelligibility import WordJudge

        return WordJudge()

    def words(self, waveform: np.ndarray, text: str) -> Values:
        """Word, character and phone errors; empty where not wanted, not installed, or the words are not known."""
        if not self.settings.asr or not text:
            return {}
        return self._unless_missing("recognised words", lambda: self._listener.errors(waveform, text)) or {}

    @cached_property
    def _aligner(self) -> Any:
        from prosody_transfer.alignment.base import get_aligner

        return get_aligner()

    def align(self, waveform: np.ndarray, text: str) -> Alignment | None:
        """Phones of a recording, found afresh; None where the words are not known.

        Raises:
            TranscriptError: They do not fit.
        """
        from prosody_transfer.alignment.base import align_text
        from prosody_transfer.analysis.pieces import MAXIMUM_SECONDS

        if not text:
            return None
        if len(waveform) <= MAXIMUM_SECONDS * EVALUATION_RATE:
            return self._unless_missing(
                "durations", lambda: align_text(self._aligner, waveform, EVALUATION_RATE, text)
            )
        return self._align_long(waveform, text)

    def _align_long(self, waveform: np.ndarray, text: str) -> Alignment:
        """The same in pieces, as a transfer does: the aligner's memory grows with the square of the length."""
        from prosody_transfer.analysis.pieces import cut
        from prosody_transfer.analysis.settings import AnalysisSettings
        from prosody_transfer.analysis.source import SourceAligner
        from prosody_transfer.analysis.transcript import Transcript
        from prosody_transfer.audio.resample import resample
        from prosody_transfer.core.config import MelConfig
        from prosody_transfer.store.weights import load_network

        config = MelConfig()
        audio = resample(waveform, EVALUATION_RATE, config.sample_rate)
        aligner = SourceAligner(load_network("recogniser")[0])
        settings = AnalysisSettings(check_transcript=False, recognise="phones")
        return aligner.align(audio, cut(audio, config), Transcript(text, None, "text"), settings).alignment

    @cached_property
    def _controls(self) -> Any:
        from prosody_transfer.evaluation.controls import Controls
        from prosody_transfer.synthesis.transfer import Transferer

        model, vocoder = self.settings.model or None, self.settings.vocoder or None
        return Controls(Transferer(model, vocoder), seed=self.settings.seed)

    def make(
        self, pair: Pair, others: Sequence[Pair], systems: Sequence[str] | None
    ) -> Iterator[tuple[str, np.ndarray, int]]:
        """Outputs of systems for a pair, as `Controls.make` gives them.

        Raises:
            PtxError: The source can't be read or aligned, or there is no such voice.
        """
        yield from self._controls.make(pair, others, systems)

    def credit(self, speaker: str) -> str:
        """Whose voice it is, for the files of what was made here."""
        try:
            return str(self._controls.transferer.credit(speaker))
        except PtxError:  # another system's voice
            return f"Synthetic speech, made with ptx. Voice: {speaker}."

    def left_out(self) -> list[tuple[str, str]]:
        """Controls that were wanted and could not be made since the last call: of what, and why."""
        if "_controls" not in self.__dict__:
            return []
        found = [(e.id, e.reason) for e in self._controls.left_out]
        self._controls.left_out.clear()
        return found


@lru_cache
def target_loudness(enrol: tuple[str, ...], speaker: str) -> float | None:
    """Speech level (dB re full scale) of the recordings that a target is known by: those given, or the shipped voice's.

    Raises:
        AudioError: One of those given can't be read.
    """
    from prosody_transfer.evaluation.references import mean_speech_level, speech_level

    return mean_speech_level(enrol) if enrol else speech_level(speaker)


def target_level(pair: Pair, tools: Judges) -> float | None:
    """Median ln F0 (ln Hz) of the target speaker: of the shipped voice, or of their recordings; None when unknown."""
    from prosody_transfer.evaluation.figures import load
    from prosody_transfer.store.voices import list_voices

    for voice in list_voices():
        if voice.name == pair.speaker:
            return float(np.log(voice.f0_median_hz))
    levels = []
    for path in (pair.target_enrol or (pair.natural,))[:4]:
        if path and (contour := tools.track(load(Path(path)))).voiced.any():
            levels.append(float(np.median(contour.log_f0[contour.voiced])))
    return float(np.mean(levels)) if levels else None
