"""How sure each word of a transcript is, and which one is probably wrong.

What is suspicious by the phones that were heard is heard again by a word recogniser: it proposes what is said instead,
and the phones decide between the two. Constants: fitted on 152 recordings (three synthetic voices of the phone
recogniser's training, one that it never heard, one trained and two accented real speakers), half of them in noise too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from prosody_transfer.alignment.evidence import Evidence, free_phones, plain, spoken_words, weigh
from prosody_transfer.alignment.match import _pair_cost, align_sequences
from prosody_transfer.alignment.recognise import confidence
from prosody_transfer.alignment.score import score_words
from prosody_transfer.core.errors import PtxError
from prosody_transfer.core.types import Alignment
from prosody_transfer.text.lexicon import Pronunciation, pronounce
from prosody_transfer.text.normalise import normalise

# Nats. Suspicious: a word that had better be left out, or better be something else, or something between two words;
# more where the recogniser is less sure than WELL_HEARD, and nothing below NO_JUDGE.
UNSAID, OTHER, WELL_HEARD, NO_JUDGE = 8.0, 30.0, 0.85, 0.66
UNSAID_SLOPE, OTHER_SLOPE = 40.0, 150.0
# The phones' gain from what the word recogniser heard instead; more where either recogniser is a poor judge: the
# phones' confidence below SURE, or the words recogniser's disagreement with all the rest of the transcript.
GAIN, SURE, SURE_SLOPE, REST_SLOPE = 14.0, 0.80, 200.0, 300.0
LEAST_PHONES, LEAST_SHARE = 1.5, 0.4  # how much of a word must differ: less is a matter of accent
# Log-odds that a word is right: ln(1 + other), unsaid / 10, the recording's confidence, ln(phones), constant; and
# what words that were themselves recognised lose, as what was misheard sounds alike.
ODDS = (-0.468, -0.836, 0.624, -0.757, 2.902)
RECOGNISED = -0.8


@dataclass(frozen=True)
class Weighed:
    """A piece's words against what was heard of it.

    Attributes:
        part: Its alignment with words.
        posteriors: (T, 40).
        sure: The recogniser's confidence, 0 to 1.
        index, spoken: Which of `part.words` have phones, and the phones.
        evidence: For and against each of these.
    """

    part: Alignment
    posteriors: np.ndarray
    sure: float
    index: list[int]
    spoken: list[Pronunciation]
    evidence: Evidence

    def confidences(self, *, recognised: bool = False) -> tuple[float | None, ...]:
        """The probability that each of `part.words` is what is said there, 0 to 1; None for one without phones.

        About as many words are right as this says where one of ten to twenty is wrong.
        """
        found: list[float | None] = [None] * len(self.part.words)
        for k, (i, phones) in enumerate(zip(self.index, self.spoken, strict=True)):
            other = math.log1p(max(float(self.evidence.other[k]), 0.0))
            unsaid = float(np.clip(self.evidence.unsaid[k], -30, 30)) / 10
            facts = (other, unsaid, self.sure, math.log(len(phones)), 1.0)
            odds = sum(a * b for a, b in zip(ODDS, facts, strict=True)) + (RECOGNISED if recognised else 0.0)
            found[i] = 1 / (1 + math.exp(-odds))
        return tuple(found)

    def suspicious(self) -> bool:
        """Whether a word recogniser should listen: something may be wrong, and the phones were heard well enough."""
        doubt = max(0.0, WELL_HEARD - self.sure)
        other = max(self.evidence.other.max(initial=-np.inf), self.evidence.between.max(initial=-np.inf))
        unsaid = self.evidence.unsaid.max(initial=-np.inf)
        found = unsaid > UNSAID + UNSAID_SLOPE * doubt or other > OTHER + OTHER_SLOPE * doubt
        return self.sure > NO_JUDGE and bool(found)


def weigh_words(
    part: Alignment, heard: Alignment, bigram: np.ndarray, sample_rate: int, hop_length: int
) -> Weighed | None:
    """Weigh the words of a piece; None where there are none, or what was heard is not known frame by frame.

    Args:
        part: The words' alignment.
        heard: Of `recognise_phones` for the same piece.
        bigram: (40, 40), the recogniser's.
    """
    words = spoken_words(part)
    if not words or heard.frames is None or sum(len(phones) for _, phones in words) > len(heard.frames):
        return None
    spoken = [phones for _, phones in words]
    free = free_phones(heard, bigram, sample_rate, hop_length)
    evidence = weigh(heard.frames, [[phones] for phones in spoken], free)
    return Weighed(part, heard.frames, confidence(heard), [i for i, _ in words], spoken, evidence)


def joined_confidences(
    parts: Sequence[Alignment], weighed: Sequence[Weighed | None], *, recognised: bool
) -> tuple[float | None, ...]:
    """`Weighed.confidences` of all pieces, one for each word; None for the words of a piece that was not weighed."""
    found: list[float | None] = []
    for part, words in zip(parts, weighed, strict=True):
        found += words.confidences(recognised=recognised) if words else [None] * len(part.words)
    return tuple(found)


def wrong_words(weighed: Weighed, hear: Callable[[], str], offset: float, frame_seconds: float) -> list[str]:
    """What should be said about words that are probably wrong; empty when nothing is suspicious, or it is cleared.

    Args:
        hear: The words that a recogniser hears in this piece; called only where something is suspicious.
        offset: Of the piece in the recording, seconds.
        frame_seconds: Between two rows of the posteriors.
    """
    if not weighed.suspicious():
        return []
    try:
        heard = normalise(hear())
        edits = [_Edit.of(weighed, heard, *op) for op in _differences(weighed.spoken, heard)]
    except PtxError:  # nothing that can be pronounced
        return []
    total = sum(edit.distance for edit in edits)
    notes = []
    for edit in edits:
        size = sum(map(len, weighed.spoken)) - sum(map(len, weighed.spoken[edit.start : edit.end]))
        needed = GAIN + SURE_SLOPE * max(0.0, SURE - weighed.sure) + REST_SLOPE * (total - edit.distance) / max(size, 5)
        if edit.distance >= LEAST_PHONES and edit.share >= LEAST_SHARE:
            gain, at = edit.judge(weighed)
            if gain > needed:
                notes.append(edit.note(weighed, offset + at * frame_seconds))
    return notes


def _differences(spoken: Sequence[Pronunciation], heard: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Stretches [a, b) of the transcript's words for which the recogniser has [c, d); not those that sound alike."""
    given = [plain(phones) for phones in spoken]
    known = set(given)
    mine = [next((v for v in map(plain, pronounce(w)) if v in known), plain(pronounce(w)[0])) for w in heard]
    found = []
    for kind, a, b, c, d in SequenceMatcher(None, given, mine, autojunk=False).get_opcodes():
        if kind != "equal" and sum(given[a:b], ()) != sum(mine[c:d], ()):
            found.append((a, b, c, d))
    return found


@dataclass(frozen=True)
class _Edit:
    """Words [start, end) of the transcript, the words heard instead, and by how many phones they differ."""

    start: int
    end: int
    instead: tuple[str, ...]
    distance: float
    share: float

    @classmethod
    def of(cls, weighed: Weighed, heard: Sequence[str], start: int, end: int, begin: int, stop: int) -> _Edit:
        left = [p for phones in weighed.spoken[start:end] for p in phones]
        right = [p for word in heard[begin:stop] for p in pronounce(word)[0]]
        distance = sum(_pair_cost(left, right, pair) for pair in align_sequences(left, right))
        return cls(start, end, tuple(heard[begin:stop]), distance, distance / max(len(left), len(right), 1))

    def judge(self, weighed: Weighed) -> tuple[float, int]:
        """The phones' gain in nats from what was heard instead, and the frame where it is."""
        alike = [[phones] for phones in weighed.spoken]
        words = [*alike[: self.start], *map(pronounce, self.instead), *alike[self.end :]]
        try:
            found = score_words(weighed.posteriors, words)
        except PtxError:  # too many for so few frames
            return -np.inf, 0
        gain = found.total - weighed.evidence.total
        if self.instead:
            return gain, found.words[self.start].start
        return gain, found.words[self.start - 1].end if self.start else 0

    def note(self, weighed: Weighed, seconds: float) -> str:
        """One line with the word and its time."""
        words = " ".join(weighed.part.words[i].word for i in weighed.index[self.start : self.end])
        if not self.instead:
            return f'"{words}" at {seconds:.1f} s is in the transcript, but probably not said'
        instead = " ".join(self.instead)
        if not words:
            return f'"{instead}" at {seconds:.1f} s is probably said, but not in the transcript'
        return f'"{words}" at {seconds:.1f} s is probably not what is said: "{instead}" is heard'
