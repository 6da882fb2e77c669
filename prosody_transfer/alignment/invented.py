"""Words that a word recogniser has made up where nothing is said: "you", "Thank you." at the end of a long pause."""

from __future__ import annotations

import numpy as np

from prosody_transfer.alignment.score import ScoredWord, score_words
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE
from prosody_transfer.text.normalise import words_with_origin
from prosody_transfer.text.phones import PHONE_IDS

SILENT_SHARE = 0.5  # of a made-up word's frames that are heard as silence: made up .6 to 1, said .4 at most


def without_invented(text: str, posteriors: np.ndarray) -> tuple[str, list[str]]:
    """A recogniser's text without the words that lie where the phone recogniser hears silence.

    Only words at the beginning and at the end of the text, or all of it, are left out: what is between two words that
    were said is not made up.

    Args:
        text: What a word recogniser wrote for one piece of a recording.
        posteriors: (T, 40) of the same piece, each row a distribution over `text.phones.PHONES`.

    Returns:
        The text, "" where nothing is left, and the words that were left out, as written.
    """
    try:
        tokens = words_with_origin(text)
        scored = score_words(posteriors, [word for _, spoken in tokens for word in spoken])
    except TranscriptError:  # nothing that can be said, or more than there is room for: for the aligner to judge
        return text, []
    silence = posteriors[:, PHONE_IDS[SILENCE]]
    at, keep = 0, []
    for _, spoken in tokens:
        keep.append(_heard(scored.words[at : at + len(spoken)], silence))
        at += len(spoken)
    if not any(keep):
        return "", [written for written, _ in tokens]
    first, last = keep.index(True), len(keep) - 1 - keep[::-1].index(True)
    dropped = [written for i, (written, _) in enumerate(tokens) if not first <= i <= last]
    if not dropped:
        return text, []
    return " ".join(_written(text, tokens)[first : last + 1]), dropped


def _heard(words: tuple[ScoredWord, ...], silence: np.ndarray) -> bool:
    """Whether most frames of a written word, those of its phones, are heard as anything but silence."""
    frames = np.concatenate([silence[p.start : p.end] for word in words for p in word.phones])
    return bool(np.mean(frames > 0.5) < SILENT_SHARE)


def _written(text: str, tokens: list[tuple[str, list[str]]]) -> list[str]:
    """The words with their punctuation, where the text parts at blanks as the tokens do; else the bare words."""
    parts = [part for part in text.split() if any(c.isalnum() for c in part)]
    return parts if len(parts) == len(tokens) else [written for written, _ in tokens]
