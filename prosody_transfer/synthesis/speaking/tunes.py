"""Tunes that are drawn over a predicted melody: what the readings that were learnt from do not do.

The shapes are those that ToBI transcribes: a yes/no question L* H-H%, low on its last stressed vowel and rising to the
end; a statement and a wh-question H* L-L%; what goes on in a list H-, a rise that stays in the middle; of alternatives
the last falls. How far they go was chosen so that a rise measures as one (the last 80 ms of voice more than a semitone
above the 240 before) in three voices; readers differ more than that.

Source:
    Pierrehumbert and Hirschberg 1990; Beckman and Ayers 1997, Guidelines for ToBI labelling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prosody_transfer.synthesis.speaking.outline import SEMITONE, Outline
from prosody_transfer.text.spoken import SpokenSentence, SpokenWord

RISE, CONTINUATION, FALL = (-3.5, 8.0), (-2.0, 5.0), (2.0, -5.0)  # semitones about the voice's level: from, to
REACHED, REACHED_AT_END = 0.85, 0.5  # of a rise's time, when it is at its top: the last of a voice is faint
SUNK_DB = 2.0  # over a rise
JOIN = 8  # frames, over which the melody before leads into a tune
LAST_SECONDS, BEFORE_SECONDS = 0.08, 0.24
_WEAK = frozenset([
    "a", "an", "the", "it", "them", "him", "her", "me", "us", "you", "i", "he", "she", "we", "they", "to", "of", "at",
    "in", "on", "for", "with", "by", "is", "are", "was", "were", "be", "been", "do", "does", "did", "have", "has",
    "had", "there", "that", "this", "one", "ones", "or", "and", "so", "then",
])  # fmt: skip


def draw(outline: Outline, sentence: SpokenSentence, tune: str = "") -> str:
    """The melody of a sentence, by its kind, or as it is asked for.

    Args:
        tune: "rise" or "fall" of its end; "" by its kind.

    Returns:
        What was drawn, in words.
    """
    words, last, kind = sentence.words, len(sentence.words) - 1, sentence.kind
    drawn = []
    for i in _joints(sentence):
        _rise(outline, accented(words, 0, i), i, CONTINUATION)
        drawn.append("continuation rise")
    if kind == "tag_question" and (comma := _last_comma(words)) >= 0 and not tune:
        _fall(outline, accented(words, 0, comma), comma)
        _rise(outline, accented(words, comma + 1, last), last, RISE)
        return "fall, then rise"
    rises = kind in ("yes_no_question", "declarative_question", "tag_question") if not tune else tune == "rise"
    nucleus = accented(words, 0, last)
    if rises:
        _rise(outline, nucleus, last, RISE)
        drawn.append("rise")
    elif tune or drawn or final_slope(outline) > (-3.0 if kind == "wh_question" else -1.0):
        _fall(outline, nucleus, last)
        drawn.append("fall")
    return ", ".join(drawn) or "as predicted"


def accented(words: Sequence[SpokenWord], first: int, last: int) -> int:
    """The last word of a stretch that bears an accent: no weak one, unless there is none else near its end."""
    for i in range(last, max(first, last - 3) - 1, -1):
        known = words[i].prominence
        if words[i].text not in _WEAK and (known is None or known >= 0.45):
            return i
        if i < last and words[i].sign:
            break
    return last


def final_slope(outline: Outline, stop: int | None = None, seconds_per_frame: float = 256 / 24000) -> float:
    """Semitones from the mean of the 240 ms of voice before the last 80 ms to that of these; 0 where there is less."""
    at = np.flatnonzero(outline.voiced[:stop])
    last = round(LAST_SECONDS / seconds_per_frame)
    before = round(BEFORE_SECONDS / seconds_per_frame)
    if len(at) < last + 2:
        return 0.0
    end, lead = outline.log_f0[at[-last:]], outline.log_f0[at[-last - before : -last]]
    return float((end.mean() - lead.mean()) / SEMITONE)


def _joints(sentence: SpokenSentence) -> list[int]:
    """Words after which the melody says that it goes on: the parts of a list, the alternatives of a question."""
    words = sentence.words
    if sentence.kind == "or_question":
        return [i - 1 for i, word in enumerate(words) if word.text == "or" and i > 0]
    if sentence.kind != "list":
        return []
    commas = [i for i, word in enumerate(words[:-1]) if word.sign == "comma"]
    final = max((i for i, word in enumerate(words) if word.text in ("and", "or") and i > 1), default=-1)
    late = [final - 1] if commas and final - 1 > commas[-1] else []
    return [*commas, *late]


def _last_comma(words: Sequence[SpokenWord]) -> int:
    return max((i for i, word in enumerate(words[:-1]) if word.sign), default=-1)


def _rise(outline: Outline, word: int, last: int, semitones: tuple[float, float]) -> None:
    start, stop = outline.nucleus(word)[0], outline.sounding(outline.nucleus(word)[1], outline.span(last)[1])
    reached = REACHED_AT_END if semitones is RISE else REACHED
    time = np.minimum(1, np.linspace(0, 1 / reached, max(2, stop - start))) ** 1.3
    _put(outline, start, (semitones[0] + (semitones[1] - semitones[0]) * time)[: stop - start])
    outline.voice(start, stop)
    _hold(outline, start, stop)


def _hold(outline: Outline, start: int, stop: int) -> None:
    """A rise is not let sink: its voice is at most `SUNK_DB` softer at its end than where it begins."""
    if stop - start < 2:
        return
    energy = outline.energy_db[start:stop]
    least = energy[: max(2, len(energy) // 3)].max() - np.linspace(0, SUNK_DB, len(energy))
    sounding = outline.voiced[start:stop]
    energy[sounding] = np.maximum(energy, least)[sounding]


def _fall(outline: Outline, word: int, last: int) -> None:
    start, stop = outline.nucleus(word)[0], outline.sounding(outline.nucleus(word)[1], outline.span(last)[1])
    top = max(FALL[0], float(outline.log_f0[start : start + 6].max() / SEMITONE))
    time = np.linspace(0, 1, max(2, stop - start)) ** 0.7
    _put(outline, start, (top + (FALL[1] - top) * time)[: stop - start])


def _put(outline: Outline, start: int, semitones: np.ndarray) -> None:
    """A stretch of melody in place of what is there; what is before leads into it."""
    contour, size = outline.log_f0, len(semitones)
    contour[start : start + size] = semitones * SEMITONE
    until = int(outline.starts[min(int(np.searchsorted(outline.starts, start + size)), len(outline.starts) - 1)])
    contour[start + size : until] = semitones[-1] * SEMITONE
    first = max(0, start - JOIN)
    weight = np.linspace(0, 1, start - first + 1)[1:] if start > first else np.zeros(0)
    contour[first:start] += weight * (semitones[0] * SEMITONE - contour[first:start]) * 0.7
