"""Words or utterances whose times are known: the phones are found inside, and the times are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.alignment.base import fill_gaps
from prosody_transfer.alignment.score import score_words
from prosody_transfer.alignment.spoken import choose_readings
from prosody_transfer.core.errors import AudioError, TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.cleaning import LeftOut, clean, note_on
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.readings import Pair, text_tokens

AlignSpan = Callable[[float, float, str], Alignment]
SHORT_SECONDS = 0.6  # shorter stretches give an aligner too little to go by
LONG_SECONDS = 40.0  # longer ones take more memory than it is worth to align without one


@dataclass(frozen=True)
class Anchors:
    """Stretches of a recording and what is said in each.

    Attributes:
        spans: In order, without overlaps; each of one word or several, as written; seconds.
        duration: Of the recording, seconds.
        tiers: The names of the file's tiers, for people.
        note: What was left out of the labels; "" for nothing.
    """

    spans: tuple[WordInterval, ...]
    duration: float
    tiers: str = ""
    note: str = ""

    @classmethod
    def of(cls, spans: Sequence[tuple[float, float, str]], duration: float, tiers: str = "") -> Anchors:
        """From labels, of which what is not said is left out."""
        kept: list[WordInterval] = []
        dropped: list[LeftOut] = []
        for start, end, label in spans:
            found = clean(label)
            dropped += found.left_out
            if any(map(str.isalnum, found.text)):
                kept.append(WordInterval(found.text, start, end))
        return cls(tuple(kept), duration, tiers, note_on(dropped))

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(s.word for s in self.spans)


def align_anchors(
    anchors: Anchors, posteriors: np.ndarray, frame_seconds: float, duration: float, align: AlignSpan
) -> Alignment:
    """The phones of words that are where they are said to be.

    A span of one written word begins and ends with its phones. In one of several, pauses are found between them and
    around; it goes to the aligner if it is long enough for one.

    Args:
        posteriors: (T, 40) of the whole recording.
        frame_seconds: Between two frames.
        duration: Of the recording, seconds; what lies beyond is cut off.
        align: Aligns a text with the stretch between two times; times from the start of the stretch.

    Raises:
        TranscriptError: A word cannot be pronounced.
    """
    phones: list[PhoneInterval] = []
    words: list[WordInterval] = []
    for span in anchors.spans:
        start, end = span.start, min(span.end, duration)
        if end <= start:
            continue
        at = round(start / frame_seconds), max(round(end / frame_seconds), round(start / frame_seconds) + 1)
        tokens = text_tokens(span.word)
        pairs = [pair for reading in choose_readings(tokens, posteriors[at[0] : at[1]]) for pair in reading]
        found = None
        if len(pairs) > 1 and end - start >= SHORT_SECONDS:
            try:
                found = align(start, end, span.word).shifted(start)
            except (AudioError, TranscriptError) as error:
                if end - start > LONG_SECONDS:
                    place = f"between {start:.1f} and {end:.1f} s"
                    problem = f"the transcript does not match the audio {place}: it {error.problem}"
                    raise TranscriptError(problem, remedy=error.remedy) from None
                found = None  # it needs no pauses around the words, and more room than some leave
        if found is not None:
            phones += found.phones
            words += found.words
            continue
        inside, parts = _inside(pairs, posteriors[at[0] : at[1]], start, end, frame_seconds)
        phones += inside
        words += parts if len(pairs) > 1 else [WordInterval(span.word, start, end)]
    return Alignment(fill_gaps(phones, duration), tuple(words), duration, "anchored")


def _inside(
    pairs: Sequence[Pair], posteriors: np.ndarray, start: float, end: float, frame_seconds: float
) -> tuple[list[PhoneInterval], list[WordInterval]]:
    """Phones and written words of a stretch, from its first moment to its last where it is one word."""
    spoken = [word for _, said in pairs for word in said]
    try:
        scored = [w.phones for w in score_words(posteriors, spoken).words]
        edges = [[(p.phone, p.start * frame_seconds, p.end * frame_seconds) for p in w] for w in scored]
    except TranscriptError:  # more phones than frames: all equally long
        variants = [pronounce(word)[0] for word in spoken]
        step, at = (end - start) / sum(map(len, variants)), 0
        edges = []
        for variant in variants:
            edges.append([(p, (at + i) * step, (at + i + 1) * step) for i, p in enumerate(variant)])
            at += len(variant)
    if len(pairs) == 1:
        edges[0][0] = (edges[0][0][0], 0.0, edges[0][0][2])
        edges[-1][-1] = (*edges[-1][-1][:2], end - start)
    limit = lambda t: min(start + t, end)
    words, at = [], 0
    for written, said in pairs:
        group = edges[at : at + len(said)]
        words.append(WordInterval(written, limit(group[0][0][1]), limit(group[-1][-1][2])))
        at += len(said)
    phones = [PhoneInterval(p, limit(a), limit(b)) for word in edges for p, a, b in word]
    return [p for p in phones if p.end > p.start or p.phone == SILENCE], words
