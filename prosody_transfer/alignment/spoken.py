"""Which reading of a written text was said: each token's readings are scored against the recogniser's frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from prosody_transfer.alignment.score import ScoredWord, ScoredWords, Word, score_words
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.lexicon import Pronunciation, pronounce
from prosody_transfer.text.phones import split_stress
from prosody_transfer.text.readings import Pair, Token

AROUND = 2  # words on each side that a token is scored with: its own borders are found anew for each reading
PRIOR = 2.0  # nats that a reading has to be better by than the next likelier one
PER_PHONE = 1.5  # nats, as `recognise.SWITCH_PENALTY`: else what is longer fits better where the frames are unclear
UNSURE = 0.35  # mean of the best posteriors, below which nothing is heard that could tell readings apart
CLEAR = -0.3  # nats a frame, above which the first pass heard a token well enough
SOUND_ALIKE = 4  # pronunciations of a whole reading that the first pass tries


def choose_readings(tokens: Sequence[Token], posteriors: np.ndarray | None) -> list[tuple[Pair, ...]]:
    """One reading of each token: what is said where it stands, or the likeliest where nothing tells.

    First all readings of all tokens compete in one pass, each read without a pause; then each token's are scored one by
    one with the words around it, pauses allowed, where the first pass found them. A text without ambiguous tokens costs
    nothing.

    Args:
        tokens: Of `text.readings.text_tokens`.
        posteriors: (T, 40) of `recognise.phone_posteriors`; None where nothing was heard.

    Returns:
        As many as tokens, each its pairs of a written word and those it is spoken as.
    """
    chosen = [0] * len(tokens)
    open_tokens = [i for i, t in enumerate(tokens) if len(t.readings) > 1]
    if posteriors is not None and len(posteriors) and open_tokens:
        variants = [_variants(t) for t in tokens]
        try:
            found = score_words(posteriors, [w for t, v in zip(tokens, variants, strict=True) for w in _words(t, v)])
        except TranscriptError:  # no room for so many phones: refused elsewhere, in other words
            return [t.readings[0] for t in tokens]
        first = _by_token(tokens, found)
        spans = [(part[0].start, part[-1].end) for part in first]
        for i in open_tokens:
            chosen[i] = variants[i][_plain(first[i][0].pronunciation)]
        for i in [i for i in open_tokens if first[i][0].per_frame < CLEAR]:
            chosen[i] = _heard_in(posteriors, tokens, spans, chosen, i)
    return [t.readings[k] for t, k in zip(tokens, chosen, strict=True)]


class Chosen(NamedTuple):
    """A written text that was not read in the likeliest way."""

    written: str
    spoken: str


def unlikely(tokens: Sequence[Token], readings: Sequence[tuple[Pair, ...]]) -> list[Chosen]:
    """Which of the tokens were not read in the likeliest way, and how."""
    return [
        Chosen(token.written, " ".join(words_of(reading)))
        for token, reading in zip(tokens, readings, strict=True)
        if reading != token.readings[0]
    ]


def words_of(reading: Sequence[Pair]) -> list[str]:
    """The spoken words of one reading."""
    return [word for _, spoken in reading for word in spoken]


def _plain(pronunciation: Sequence[str]) -> Pronunciation:
    return tuple(split_stress(p)[0] for p in pronunciation)


def _variants(token: Token) -> dict[Pronunciation, int]:
    """Pronunciations of an ambiguous token's readings, without stress, and which reading each belongs to."""
    found: dict[Pronunciation, int] = {}
    for number, reading in enumerate(token.readings if len(token.readings) > 1 else ()):
        each = product(*(pronounce(word)[:2] for word in words_of(reading)))
        for picked in islice(each, SOUND_ALIKE):
            found.setdefault(_plain([p for word in picked for p in word]), number)
    return found


def _words(token: Token, variants: dict[Pronunciation, int]) -> list[Word]:
    """A token as words to score: its own, or one made of all its readings."""
    return [list(variants)] if variants else list(words_of(token.readings[0]))


def _by_token(tokens: Sequence[Token], found: ScoredWords) -> list[tuple[ScoredWord, ...]]:
    """The scored words of each token."""
    parts, at = [], 0
    for token in tokens:
        size = len(words_of(token.readings[0])) if len(token.readings) == 1 else 1
        parts.append(found.words[at : at + size])
        at += size
    return parts


def _heard_in(
    posteriors: np.ndarray, tokens: Sequence[Token], spans: Sequence[tuple[int, int]],
    chosen: Sequence[int], index: int,
) -> int:  # fmt: skip
    """The number of the reading that fits best between the words around the token."""
    first, last = index, index + 1
    before: list[str] = []
    while first and len(before) < AROUND:
        first -= 1
        before = words_of(tokens[first].readings[chosen[first]]) + before
    after: list[str] = []
    while last < len(tokens) and len(after) < AROUND:
        after += words_of(tokens[last].readings[chosen[last]])
        last += 1
    start = 0 if first == 0 else spans[first][0]
    end = len(posteriors) if last == len(tokens) else spans[last - 1][1]
    window, best = posteriors[start:end], (-np.inf, 0)
    if window.max(1).mean() < UNSURE:
        return 0
    for number, reading in enumerate(tokens[index].readings):
        try:
            found = score_words(window, [*before, *words_of(reading), *after])
        except TranscriptError:
            continue
        count = sum(len(word.phones) for word in found.words)
        best = max(best, (found.total - PER_PHONE * count - PRIOR * (number > 0), -number))
    return -best[1]
