"""An aligner of our own: the best path of the words through what the phone recogniser hears.

The graph has the dictionary's pronunciations of every word and a pause wherever two words meet; a phone lasts two
frames or more where there is room. Nothing is shared and nothing is learnt from one recording to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

import numpy as np

from prosody_transfer.alignment.base import Aligner, Heard, fill_gaps, one_channel, require_sound, require_words
from prosody_transfer.alignment.score import FLOOR, ScoredWord, score_words
from prosody_transfer.core.errors import MismatchError, TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.phones import PHONE_IDS, split_stress

# Who listens where nobody has: a room above this one, found when it is needed.
LISTENER = "prosody_transfer.analysis.listening", "listen"
# s; what is said begins so much later than the frame in which the recogniser changes its mind. Fitted on voices that it
# was trained on: see benchmarks/aligners.py.
OFFSET = 0.004


class PtxAligner(Aligner):
    """Viterbi over the recogniser's frames of 10.7 ms, its borders between frames where two phones are equally likely.

    About 1 ms of CPU a second of sound, and 6 more to listen where nobody has. Any number of threads may use one.

    Args:
        listen: (waveform, rate) -> what the recogniser hears; None for the one that ships.
    """

    name = "ptx"

    def __init__(self, listen: Callable[[np.ndarray, int], Heard] | None = None) -> None:
        self._listen = listen

    @classmethod
    def check(cls) -> None:
        """It is part of ptx."""

    def align(
        self, waveform: np.ndarray, sample_rate: int, words: Sequence[str], heard: Heard | None = None
    ) -> Alignment:
        """See `Aligner.align`."""
        require_words(words)
        samples = one_channel(waveform)
        require_sound(samples)
        if heard is None:
            listen = self._listen or getattr(import_module(LISTENER[0]), LISTENER[1])
            heard = listen(samples, sample_rate)
        posteriors, step = heard
        names = [word.lower() for word in words]
        try:
            found = score_words(posteriors, names)
        except TranscriptError as error:
            if "too many" not in error.problem:  # a word that can't be pronounced
                raise
            problem = f"could not be aligned with its {len(words)} words: {error.problem}"
            remedy = "check that the transcript has exactly the words that are spoken"
            raise MismatchError(problem, place="transcript", remedy=remedy) from None
        return _to_alignment(found.words, posteriors, step, len(samples) / sample_rate)


def _to_alignment(words: Sequence[ScoredWord], posteriors: np.ndarray, step: float, duration: float) -> Alignment:
    """Phones and words in seconds; a border lies where the two phones beside it are equally likely."""
    logs = np.log(np.maximum(posteriors, FLOOR))
    phones = [phone for word in words for phone in word.phones]
    spans: list[PhoneInterval] = []
    for i, phone in enumerate(phones):
        left = phones[i - 1].phone if i and phones[i - 1].end == phone.start else SILENCE
        right = phones[i + 1].phone if i + 1 < len(phones) and phones[i + 1].start == phone.end else SILENCE
        edges = _border(logs, left, phone.phone, phone.start), _border(logs, phone.phone, right, phone.end)
        spans.append(PhoneInterval(phone.phone, *(_seconds(at, step, duration) for at in edges)))
    intervals, at = [], 0
    for word in words:
        inside = spans[at : at + len(word.phones)]
        at += len(word.phones)
        intervals.append(WordInterval(word.word, inside[0].start, inside[-1].end))
    return Alignment(fill_gaps(spans, duration), tuple(intervals), duration, PtxAligner.name)


def _border(logs: np.ndarray, left: str, right: str, frame: int) -> float:
    """Where between the frame before `frame` and it the first phone gives way to the second, in frames."""
    if not 0 < frame < len(logs):
        return float(frame)
    columns = [PHONE_IDS[split_stress(phone)[0]] for phone in (left, right)]
    before, after = (float(logs[t, columns[0]] - logs[t, columns[1]]) for t in (frame - 1, frame))
    share = before / (before - after) if before > 0 > after else 0.5
    return frame - 1 + share


def _seconds(frame: float, step: float, duration: float) -> float:
    return round(min(max(frame * step + OFFSET, 0.0), duration), 4)
