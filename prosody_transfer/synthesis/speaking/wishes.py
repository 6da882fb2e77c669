"""What the marks of a text ask of each spoken word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from prosody_transfer.text.marks import Break, Emphasis, Mark, Phones, Prosody
from prosody_transfer.text.spoken import SpokenSentence, SpokenWord


@dataclass(frozen=True)
class Wishes:
    """Of one word.

    Attributes:
        emphasis: One of `marks.LEVELS`, or "" where nothing is asked.
        rate, semitones, decibels: Faster, higher, louder by.
        pause: Seconds of silence after it; None as predicted.
    """

    emphasis: str = ""
    rate: float = 1.0
    semitones: float = 0.0
    decibels: float = 0.0
    pause: float | None = None


@dataclass(frozen=True)
class Request:
    """A sentence and what is asked of its words.

    Attributes:
        lead: Seconds of silence asked for before it.
        heard: (W, E), what a recording tells of each word, see `predicted.TextProsody.hear`; None without one.
        silence: Seconds after it in that recording.
    """

    sentence: SpokenSentence
    wishes: tuple[Wishes, ...]
    lead: float | None = field(default=None)
    heard: np.ndarray | None = field(default=None, compare=False, repr=False)
    silence: float | None = None


def requests(sentences: Sequence[SpokenSentence], marks: Sequence[Mark]) -> list[Request]:
    """Sentences with the marks that lie on their words; a word that has phones given is said by these."""
    found = []
    for sentence in sentences:
        words, wishes = [], []
        taken: set[int] = set()
        for word in sentence.words:
            given = next((i for i, m in enumerate(marks) if isinstance(m, Phones) and _touches(m, word)), None)
            if given is not None:
                if given in taken:
                    continue
                taken.add(given)
                word = replace(word, phones=marks[given].phones)  # type: ignore[union-attr]
            words.append(word)
            wishes.append(_wishes(word, marks))
        lost = sentence.words[-1].sign
        words[-1] = replace(words[-1], sign=words[-1].sign or lost)
        found.append(Request(replace(sentence, words=tuple(words)), tuple(wishes)))
    return _with_breaks(found, [m for m in marks if isinstance(m, Break)])


def _touches(mark: Emphasis | Phones | Prosody, word: SpokenWord) -> bool:
    return mark.start < word.end and word.start < mark.end


def _wishes(word: SpokenWord, marks: Sequence[Mark]) -> Wishes:
    emphasis, rate, semitones, decibels = "", 1.0, 0.0, 0.0
    for mark in marks:
        if isinstance(mark, Emphasis) and _touches(mark, word):
            emphasis = mark.level
        if isinstance(mark, Prosody) and _touches(mark, word):
            rate, semitones, decibels = rate * mark.rate, semitones + mark.semitones, decibels + mark.decibels
    return Wishes(emphasis, rate, semitones, decibels)


def _with_breaks(found: list[Request], breaks: Sequence[Break]) -> list[Request]:
    """Each break after the last word that ends before it."""
    for mark in breaks:
        place = None
        for number, request in enumerate(found):
            for i, word in enumerate(request.sentence.words):
                if word.end <= mark.at:
                    place = number, i
        if place is None:
            found[0] = replace(found[0], lead=(found[0].lead or 0.0) + mark.seconds)
            continue
        number, i = place
        wishes = list(found[number].wishes)
        wishes[i] = replace(wishes[i], pause=(wishes[i].pause or 0.0) + mark.seconds)
        found[number] = replace(found[number], wishes=tuple(wishes))
    return found
