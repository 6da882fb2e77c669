"""The words of a stream that are known beforehand: how many of them each phrase holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from prosody_transfer.alignment.recognise import phone_names
from prosody_transfer.core.errors import NoWordsError
from prosody_transfer.core.types import Alignment
from prosody_transfer.text.encoding import read_text
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.readings import Token, text_tokens
from prosody_transfer.text.transcript import spoken_part

MOST_WORDS = 60  # looked at for one phrase
LINE_END = 0.5  # phones: a phrase is likelier to end where a line does
LIKE, OTHER, GAP = 0.0, 1.0, 0.8


class PhraseWords:
    """Lines of words, taken in order: each is what is said between two pauses, as well as its writer could tell.

    A phrase that is cut within a line takes the words that are heard in it; the next phrase gets the others.
    """

    def __init__(self, lines: Sequence[str], place: str = "--text-lines") -> None:
        self._tokens: list[Token] = []
        self._ends: list[bool] = []
        for line in lines:
            if line.strip() and (tokens := text_tokens(spoken_part(line, place).text)):
                self._tokens += tokens
                self._ends += [False] * (len(tokens) - 1) + [True]
        if not self._tokens:
            raise NoWordsError("holds no words", place=place, remedy="give a line of words for each phrase")

    @property
    def left(self) -> int:
        """Words that no phrase has had."""
        return len(self._tokens)

    def take(self, heard: Alignment) -> str:
        """The words that are said in a phrase, "" where none are."""
        found = phone_names(heard)
        tokens = self._tokens[:MOST_WORDS]
        if not found or not tokens:
            return ""
        count = _prefix(tokens, self._ends, found)
        self._tokens, self._ends = self._tokens[count:], self._ends[count:]
        return " ".join(token.written for token in tokens[:count])


def _prefix(tokens: Sequence[Token], ends: Sequence[bool], heard: Sequence[str]) -> int:
    """How many of the next words fit what was heard best, by edit distance of phones."""
    row = GAP * np.arange(len(heard) + 1)
    gaps = GAP * np.arange(len(heard) + 1)
    names = np.array(heard)
    best, best_cost = 0, float(row[-1])
    for i, token in enumerate(tokens):
        for phone in (p.rstrip("012") for _, words in token.readings[0] for word in words for p in pronounce(word)[0]):
            cost = np.empty_like(row)
            cost[0] = row[0] + GAP
            cost[1:] = np.minimum(row[1:] + GAP, row[:-1] + np.where(names == phone, LIKE, OTHER))
            row = np.minimum.accumulate(cost - gaps) + gaps  # what was heard, and is in no word
        if (total := float(row[-1]) - LINE_END * ends[i]) < best_cost:
            best, best_cost = i + 1, total
    return best


def read_lines(path: str | Path) -> PhraseWords:
    """The lines of a text file.

    Raises:
        TranscriptError: It can't be read, is no text, or holds no words.
    """
    return PhraseWords(read_text(path, "give plain text, a line for each phrase").splitlines(), str(path))
