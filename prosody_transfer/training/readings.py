"""A measured recording of the cache as a reading that models of text learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from prosody_transfer.analysis.readings import Reading, aligned_words, read_recording
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.features.cache import Utterance
from prosody_transfer.text.spoken import SpokenWord, spoken_sentences

if TYPE_CHECKING:
    from prosody_transfer.text.linguistics.analysis import Sentence


def reading_of(
    utterance: Utterance, text: str, level: float, *, reads: bool = True, analysed: Sequence[Sentence] | None = None
) -> Reading | None:  # fmt: skip
    """A recording and its text; None where its phones are not those of the text's words.

    Args:
        level: ln Hz, its voice's median F0.
        reads: Whether prominence and boundaries are predicted from the text, which needs the extra `speak`.
        analysed: `linguistics.analysis.analyse` of the text, where somebody has called it already.
    """
    try:
        words, kinds = _words(text, reads, analysed)
    except TranscriptError:
        return None
    phones, frames = utterance.phones.astype(int), utterance.durations.astype(int)
    said = aligned_words(words, phones, utterance.stress.astype(int), text)
    if said is None:
        return None
    words, spans = said
    return read_recording(utterance.features, phones, frames, words, spans, kinds, level)


def pace_of(utterance: Utterance, usual: np.ndarray) -> float:
    """Mean of ln frames less what is usual for each phone, in units of .3.

    Args:
        usual: (V,) mean ln frames of each phone, of its voice.
    """
    phones, frames = utterance.phones.astype(int), utterance.durations.astype(int)
    return float(np.mean(np.log(np.maximum(frames, 1))[phones > 0] - usual[phones[phones > 0]])) / 0.3


def _words(
    text: str, reads: bool, analysed: Sequence[Sentence] | None
) -> tuple[list[SpokenWord], list[str]]:  # fmt: skip
    if reads and analysed is None:
        from prosody_transfer.text.linguistics.analysis import analyse

        analysed = analyse(text)
    sentences = spoken_sentences(text, analysed)
    return [w for s in sentences for w in s.words], [s.kind for s in sentences for _ in s.words]
