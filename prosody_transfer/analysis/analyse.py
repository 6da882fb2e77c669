"""From a recording and its words to everything that is known of it: the one way for every verb."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from prosody_transfer.analysis.pieces import Piece, cut, join_features
from prosody_transfer.analysis.recorded import Recorded
from prosody_transfer.analysis.settings import AnalysisSettings
from prosody_transfer.analysis.source import SourceAligner, SourceAlignment
from prosody_transfer.analysis.tracking import get_tracker
from prosody_transfer.analysis.transcript import Transcript, find_words, name_file
from prosody_transfer.audio.io import read_sound
from prosody_transfer.audio.levelling import Levelled, level_source
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import PtxError
from prosody_transfer.core.spool import Sound
from prosody_transfer.core.types import Alignment
from prosody_transfer.features.extract import Features, softened
from prosody_transfer.features.statistics import measure_speaker, shrink


@dataclass(frozen=True)
class Analysis:
    """What is known of a recording; the same for every voice that it is said in again.

    Attributes:
        recorded: As it was recorded: rate, samples, and what should be said about how it was read.
        original: (N,) float32 at the features' rate, at its own level, unfiltered; of a long one in a file.
        levelled: The same as the networks see it, and the way back to its level.
        pieces: Stretches of at most 20 s, measured.
        aligned: Its phones, whole and per piece, and where the words came from.
    """

    recorded: Recorded
    original: Sound
    levelled: Levelled
    pieces: list[Piece]
    aligned: SourceAlignment

    @property
    def waveform(self) -> Sound:
        """(N,) float32, high-passed, its speech at -26 dBFS, soft lines raised."""
        return self.levelled.waveform

    @property
    def config(self) -> MelConfig:
        return self.pieces[0].config

    @property
    def seconds(self) -> float:
        return len(self.original) / self.config.sample_rate

    @property
    def alignment(self) -> Alignment:
        """Of the whole."""
        return self.aligned.alignment

    @property
    def parts(self) -> list[Alignment]:
        """The alignment of each piece."""
        return self.aligned.parts

    @property
    def warnings(self) -> list[str]:
        """How it was read, and what is doubtful about its words."""
        return [*self.recorded.notes, *self.aligned.warnings]

    @cached_property
    def contours(self) -> Features:
        """Of the whole, T frames, soft lines raised; without the mel, where zeros stand."""
        return join_features(self.pieces, mel=False)

    @cached_property
    def features(self) -> Features:
        """Of the whole, T frames, soft lines raised; the mel takes 135 MB an hour."""
        return join_features(self.pieces)

    @cached_property
    def heard_features(self) -> Features:
        """Of the whole, T frames, soft lines as soft as they are."""
        return softened(self.features, self._ride_db)

    @cached_property
    def heard_contours(self) -> Features:
        """The same without the mel, where zeros stand."""
        return softened(self.contours, self._ride_db, mel=False)

    @property
    def _ride_db(self) -> np.ndarray | None:
        return self.levelled.level.at_frames(self.config.hop_length, self.contours.n_frames)

    @cached_property
    def f0_level(self) -> float:
        """ln Hz, the speaker's median F0, as far as so little speech tells (`features.statistics`)."""
        return shrink(measure_speaker([(self.contours.log_f0, self.contours.voiced)])).log_f0_median


def analyse(
    waveform: Sound, transcript: Transcript, aligner: SourceAligner, settings: AnalysisSettings, *,
    config: MelConfig | None = None, recorded: Recorded | None = None,
) -> Analysis:  # fmt: skip
    """Level, cut, measure and align a recording.

    Args:
        waveform: (N,) float32 at the features' rate; a long one may lie in a file (`core.spool.Samples`).
        aligner: Its networks are loaded once for any number of recordings.
        config: Of the features; None for the usual ones.
        recorded: As what it was recorded; None where it was as it is.

    Raises:
        AudioError: There is no speech in it.
        TranscriptError: The transcript can't be pronounced, or does not match.
    """
    config = config or MelConfig()
    transcript.require_time(len(waveform) / config.sample_rate)
    levelled = level_source(waveform, config.sample_rate)
    pieces = cut(levelled.waveform, config, get_tracker(settings.tracker))
    aligned = aligner.align(levelled.waveform, pieces, transcript, settings)
    recorded = recorded or Recorded(config.sample_rate, len(waveform))
    return Analysis(recorded, waveform, levelled, pieces, aligned)


def analyse_file(
    path: str | Path, aligner: SourceAligner, settings: AnalysisSettings | None = None, *, text: str | None = None,
    transcript: str | Path | Transcript | None = None, config: MelConfig | None = None,
) -> Analysis:  # fmt: skip
    """Read and analyse a recording.

    Args:
        text: The words. None looks for a sidecar transcript, and without one the words or phones are recognised.
        transcript: A file that holds the words, or a TextGrid; or what is known already; instead of `text`.

    Raises:
        PtxError: `AudioError`, `TranscriptError`, ... each naming the file.
    """
    settings, config = (settings or AnalysisSettings()).check(), config or MelConfig()
    try:
        words = transcript if isinstance(transcript, Transcript) else find_words(path, text, transcript)
        audio = read_sound(path, config.sample_rate, track=settings.track, channel=settings.channel)
        recorded = Recorded(audio.original_sample_rate, audio.original_samples, audio.notes)
        return analyse(audio.sound, words, aligner, settings, config=config, recorded=recorded)
    except PtxError as error:
        raise name_file(error, path) from None


def measure(
    path: str | Path, *, text: str | None = None, transcript: str | Path | None = None,
    settings: AnalysisSettings | None = None,
) -> Analysis:  # fmt: skip
    """`analyse_file` with the shipped recogniser: what `ptx align` and `ptx features` show."""
    from prosody_transfer.analysis.recogniser_addon import AddonRecogniser

    recogniser = AddonRecogniser()
    aligner, config = SourceAligner(recogniser), recogniser.config.mel
    return analyse_file(path, aligner, settings, text=text, transcript=transcript, config=config)
