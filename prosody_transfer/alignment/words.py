"""Words recognised where no transcript was given, by a small Whisper that comes with the base install."""

from __future__ import annotations

import numpy as np

from prosody_transfer.alignment.whisper import WHISPER_RATE, Whisper, available
from prosody_transfer.core.errors import DependencyError

BEAMS = 5  # 80 real recordings: 10.5 % of words wrong instead of 11.2 % with one, for a tenth more time


def asr_available() -> bool:
    """True when words can be recognised here."""
    return available()


class WordRecogniser:
    """English words from audio. Threads that use one take turns.

    Raises:
        DependencyError: faster-whisper or the weights are missing, or do not load.
    """

    def __init__(self, threads: int = 0) -> None:
        self._whisper = Whisper(threads)
        try:
            self._whisper.load()
        except DependencyError as error:
            remedy = f"{error.remedy} ; or give the words with --text, or --recognise phones"
            raise DependencyError(error.problem, place="--recognise", remedy=remedy) from None

    def text(self, waveform: np.ndarray, sample_rate: int) -> str:
        """The words of a recording of speech, (N,) float32; "" when none were heard."""
        import soxr

        audio = soxr.resample(waveform, sample_rate, WHISPER_RATE) if sample_rate != WHISPER_RATE else waveform
        return self._whisper.hear(audio, BEAMS)
