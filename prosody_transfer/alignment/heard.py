"""A transcript and what was heard: which words are in which piece, and whether they match."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prosody_transfer.alignment.match import LOCAL_RULES, MAX_RATE, align_sequences, find_mismatch
from prosody_transfer.alignment.recognise import confidence, phone_names
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.readings import Token, text_tokens

# Measured on 116 recordings, half of them from training: clean, with noise at 15 dB, at 8 dB through a telephone band.
# The recogniser's confidence is .78, .68 and .60 there; 24 %, 41 % and 60 % of a right transcript's phones disagree,
# of a wrong one's 91 % or more. So 0, 0 and 3 right transcripts are refused, and 106, 93 and 46 wrong ones; of 250
# further recordings of real voices, strong accents among them, no right one and 225 wrong ones.
SURE, SLACK, NO_JUDGE = 0.72, 1.0, 0.60


def split_text(text: str, heard: Sequence[Alignment]) -> list[str]:
    """Which written words are said in which piece, found by matching expected with heard phones.

    Returns:
        One text a piece, in order; all the words, each once.
    """
    return [" ".join(token.written for token in tokens) for tokens in split_tokens(text_tokens(text), heard)]


def split_tokens(tokens: Sequence[Token], heard: Sequence[Alignment]) -> list[list[Token]]:
    """As `split_text`, of tokens, which keep their readings."""
    expected, owner = [], []
    for i, token in enumerate(tokens):
        for word in (word for _, spoken in token.readings[0] for word in spoken):
            phones = [p.rstrip("012") for p in pronounce(word)[0]]
            expected += phones
            owner += [i] * len(phones)
    recognised, piece_of = [], []
    for k, alignment in enumerate(heard):
        names = phone_names(alignment)
        recognised += names
        piece_of += [k] * len(names)
    votes: list[dict[int, float]] = [{} for _ in tokens]  # for the pieces, of which an hour has hundreds
    for e, r in align_sequences(expected, recognised):
        if e is not None and r is not None:
            row, piece = votes[owner[e]], piece_of[r]
            row[piece] = row.get(piece, 0.0) + (1 if expected[e] == recognised[r] else 0.3)
    # Words keep their order, so the pieces' borders are found by dynamic programming over summed votes.
    best = np.zeros(len(heard))
    back = np.zeros((len(tokens), len(heard)), np.int16 if len(heard) < 1 << 15 else np.int32)
    for i in range(len(tokens)):
        reach = np.maximum.accumulate(best)
        origin = np.maximum.accumulate(np.where(best == reach, np.arange(len(heard)), 0))
        back[i], best = origin, reach
        for piece, count in votes[i].items():
            best[piece] += count
    piece = int(best.argmax())
    parts: list[list[Token]] = [[] for _ in heard]
    for i in range(len(tokens) - 1, -1, -1):
        parts[piece].insert(0, tokens[i])
        piece = int(back[i][piece])
    return parts


def check_match(parts: Sequence[Alignment], heard: Sequence[Alignment], starts: Sequence[float]) -> list[str]:
    """Refuse a transcript that does not match what was heard.

    A recogniser in doubt is a poor judge: the less sure it was of its phones, the more disagreement is allowed, and
    below `NO_JUDGE` nothing is refused.

    Returns:
        What should be said about pieces that could not be judged.

    Raises:
        TranscriptError: With the words around the place where they part, and its time.
    """
    warnings = []
    for part, phones, offset in zip(parts, heard, starts, strict=True):
        sure = confidence(phones)
        slack = max(0.0, SURE - sure) * SLACK
        limits = [(size, limit + slack) for size, limit in LOCAL_RULES]
        expected = phone_names(part)
        if expected and sure < NO_JUDGE:
            warnings.append(f"too noisy at {offset:.1f} s to tell whether the transcript matches")
            continue
        mismatch = find_mismatch(expected, phone_names(phones), max_rate=MAX_RATE + slack, local_rules=limits)
        if mismatch is None:
            continue
        spoken = [p for p in part.phones if p.phone != SILENCE]
        start = spoken[min(mismatch.expected_start, len(spoken) - 1)].start if spoken else 0.0
        words = [w.word for w in part.words if w.end > start][:3]
        near = f' near "{" ".join(words)}"' if words else ""
        problem = f"the transcript does not match the audio at {start + offset:.1f} s{near} ({mismatch.reason})"
        raise TranscriptError(
            problem, remedy="correct the transcript, or leave it out; --no-check aligns it all the same"
        )
    return warnings
