"""Are the words still heard? Word, character and phone errors by a word recogniser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prosody_transfer.alignment.whisper import Whisper
from prosody_transfer.core.errors import DependencyError, TranscriptError
from prosody_transfer.core.extras import remedy
from prosody_transfer.evaluation.figures import Figure, Values

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
    """Words of an English recording, by `alignment.whisper.Whisper` on one core. Greedy: always the same answer."""

    def __init__(self) -> None:
        self._whisper = Whisper(threads=1)

    def hear(self, waveform: np.ndarray) -> str:
        """The words of (N,) float32 at `EVALUATION_RATE`; "" where none are heard.

        Raises:
            DependencyError: What recognises words is not installed.
        """
        return self._whisper.hear(waveform)

    def errors(self, waveform: np.ndarray, text: str) -> Values:
        """See `text_figures`; raises as it and `hear` do."""
        return text_figures(text, self.hear(waveform))
